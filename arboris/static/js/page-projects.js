/** `/`: the writer's projects, and a form for a new one. */

import './bell.js';
import { get, patch, post } from './api.js';
import { $, busyWhile, debounced, focusedIn, h, leaveFor } from './dom.js';
import { creating, forgetForm, keepForm } from './form-drafts.js';
import { onSubmit } from './forms.js';
import { lengthOf, t, tn, when } from './i18n.js';
import { live } from './live.js';
import { failure } from './load.js';
import { mountPalette } from './palette.js';
import { fillWindowed } from './windowed.js';

const list = $('#projects');

function card(project) {
  const { id, title, genre, synopsis, language, chapter_count: chapters, word_count: words, updated_at: updated } = project;
  return h('li', { class: 'card', data: { projectId: id } },
    h('h3', {}, h('a', { href: `/projects/${id}`, lang: language }, title || t('untitled'))),
    genre ? h('p', { class: 'meta', lang: language }, genre) : null,
    synopsis ? h('p', { class: 'clamp', lang: language }, synopsis) : null,
    h('p', { class: 'meta' },
      h('span', {}, chapters ? tn('chapters', chapters) : t('project_empty')),
      words ? h('span', {}, lengthOf(words, language)) : null,
      h('time', { datetime: updated }, t('updated', { when: when(updated) }))));
}

async function load() {
  try {
    const projects = await get('/api/projects');
    const focused = focusedIn('[data-project-id]')?.dataset.projectId;
    fillWindowed(list, projects, card);
    if (focused) $(`[data-project-id="${focused}"] a`, list)?.focus();
    $('#projects-empty').hidden = projects.length > 0;
  } catch (error) {
    list.replaceChildren(h('li', {}, failure(error, load)));
  } finally {
    list.removeAttribute('aria-busy');
  }
}

onSubmit($('#new-project'), async (data) => {
  const project = await creating('project', '/api/projects', Object.fromEntries(data), (made, body) => patch(`/api/projects/${made.id}`, body));
  $('#new-project').reset();
  await forgetForm('project');
  await leaveFor(`/projects/${project.id}`);
});

$('#sample').addEventListener('click', ({ currentTarget: button }) => {
  void busyWhile(button, async () => {
    try {
      const project = await post('/api/projects/sample', {}); // a second try opens the same novel
      await leaveFor(`/projects/${project.id}`);
    } catch (error) {
      $('#sample-error').textContent = error.message;
    }
  });
});

live.addEventListener('refresh', debounced(load));
mountPalette();
void keepForm($('#new-project'), 'project', ['title', 'genre', 'synopsis']);
void load();
