/** `/projects/<id>`: the chapters with the state of their analysis, and the ways to add more. */

import './bell.js';
import { get, patch, remove } from './api.js';
import { mountBinder } from './binder.js';
import { $, ask, busyWhile, h, leaveFor, setText, spaced } from './dom.js';
import { creating, keepForm } from './form-drafts.js';
import { changedIn, onSubmit, settle, showErrors, showSaved, valuesOf } from './forms.js';
import { chapterName, lengthOf, t, tn, when } from './i18n.js';
import { live } from './live.js';
import { failure } from './load.js';
import { LongList } from './long-list.js';
import { mountFiles } from './novel-files.js';
import { mountPalette } from './palette.js';
import { isLive, StatusBox } from './status.js';
import { writeChapters } from './writing.js';

const PAGE = 1000; // chapters in one call
const FIRST = 10; // the highest priority of the API

const projectId = $('#main').dataset.projectId;
const API = `/api/projects/${projectId}`;
const list = $('#chapters');
const rows = new Map(); // chapter id → Row, of those that somebody came by
const drawn = new LongList(list, drawRow);
let chapters = new Map(); // id → chapter, in order
let language = $('#chapter-content').lang;

class Row {
  constructor(id) {
    this.link = h('a', { href: `/chapters/${id}` });
    this.name = h('span', {});
    this.link.append(this.name);
    this.summary = h('p', { class: 'clamp', lang: language });
    this.length = h('span', {});
    this.version = h('span', {});
    this.changed = h('time', {});
    const line = h('div', { class: 'status-line' });
    this.note = h('p', { class: 'hint', hidden: true });
    this.root = h('li', { data: { chapterId: id } },
      h('h3', {}, this.link), this.summary,
      h('p', { class: 'meta' }, this.length, this.version, this.changed), line, this.note);
    this.status = new StatusBox(line, load);
  }

  set(chapter) {
    // Its place in the order is no number that is printed anywhere: a title says that itself.
    setText(this.name, chapterName(chapter));
    this.name.lang = language;
    setText(this.summary, chapter.summary ?? '');
    setText(this.length, lengthOf(chapter.word_count, language));
    setText(this.version, chapter.version > 1 ? t('version', { n: chapter.version }) : '');
    setText(this.changed, t('updated', { when: when(chapter.updated_at) }));
    this.changed.dateTime = chapter.updated_at ?? '';
    this.status.set(chapter.analysis, chapter.source);
    setText(this.note, chapter.analysis_note ?? this.note.textContent);
    this.note.hidden = Boolean(chapter.analysis) || !this.note.textContent;
  }
}

function rowOf(id) {
  if (!rows.has(id)) {
    rows.set(id, new Row(id));
    rows.get(id).set(chapters.get(id));
  }
  return rows.get(id);
}

/** Those who hear the list are told how long it is: most of it is not in the page. */
function drawRow(id, index, count) {
  const { root } = rowOf(id);
  root.setAttribute('aria-posinset', String(index + 1));
  root.setAttribute('aria-setsize', String(count));
  return root;
}

function show(all) {
  all.sort((a, b) => a.chapter_number - b.chapter_number);
  chapters = new Map(all.map((chapter) => [chapter.id, chapter]));
  for (const [id, row] of rows) {
    if (chapters.has(id)) row.set(chapters.get(id));
    else rows.delete(id);
  }
  $('.alert', list)?.closest('li').remove();
  drawn.set([...chapters.keys()]);
  $('#chapters-empty').hidden = all.length > 0;
  const words = all.reduce((sum, { word_count: count }) => sum + count, 0);
  $('#project-meta').replaceChildren(...(all.length ? [h('span', {}, tn('chapters', all.length)), h('span', {}, lengthOf(words, language))] : []));
}

async function allChapters() {
  const all = [];
  let page;
  do {
    page = await get(`${API}/chapters`, { limit: PAGE, offset: all.length });
    all.push(...page);
  } while (page.length === PAGE);
  return all;
}

async function load() {
  try {
    show(await allChapters());
  } catch (error) {
    if (chapters.size === 0) list.replaceChildren(h('li', {}, failure(error, load)));
    else console.info('The chapters could not be loaded anew:', error.message);
  } finally {
    list.removeAttribute('aria-busy');
  }
  await loadQueuePlace();
}

/** Of the first that waits: it says how long, or what for, and the others come after it. */
async function loadQueuePlace() {
  try {
    const waiting = [...chapters.values()].find(({ analysis }) => analysis?.status === 'pending');
    if (waiting) await rowOf(waiting.id).status.loadQueuePlace();
  } catch (error) {
    console.info('No place in the queue:', error.message);
  }
}

function countLetters() {
  const value = $('#chapter-content').value;
  let letters = 0;
  for (const letter of value) if (letter.trim()) letters += 1;
  setText($('#chapter-length'), letters ? tn('letters', letters) : '');
}

/** An earlier try had made the chapter, and its answer was lost: what was typed since goes into it. */
function keepUp({ id, version }, { content, title }) {
  return patch(`/api/chapters/${id}`, { content, ...(title ? { title } : {}), base_version: version });
}

onSubmit($('#new-chapter'), async (data) => {
  const { title, content, mode, first } = Object.fromEntries(data);
  const body = { content, mode };
  if (title.trim()) body.title = title;
  if (first) body.priority = FIRST;
  const sent = valuesOf($('#new-chapter'));
  const chapter = await creating(`chapter:${projectId}`, `${API}/chapters`, body, keepUp);
  const typedSince = settle($('#new-chapter'), sent);
  countLetters();
  await load();
  if (typedSince) return t('chapter_saved_typing', { chapter: chapterName(chapter) });
  if (chapter.analysis) return t('chapter_saved', { chapter: chapterName(chapter) });
  rows.get(chapter.id)?.set(chapter);
  return [t('chapter_saved_basic', { chapter: chapterName(chapter) }), chapter.analysis_note].filter(Boolean).join(' ');
});

$('#start-writing').addEventListener('click', ({ currentTarget: button }) => {
  void busyWhile(button, async () => {
    try {
      const { id } = await creating(`first:${projectId}`, `${API}/chapters`, { after: 0, mode: 'basic' });
      await leaveFor(`/chapters/${id}`);
    } catch (error) {
      showErrors($('#new-chapter'), error);
    }
  });
});

if ($('#generate')) {
  void keepForm($('#generate'), `generate:${projectId}`, ['title', 'instructions']);
  writeChapters($('#generate'), `${API}/chapters/generate`, {
    async changed(chapter) {
      await load();
      if (chapter && !chapter.analysis) rows.get(chapter.id)?.set(chapter);
    },
    take(text) {
      const field = $('#chapter-content');
      field.value = [field.value, text].filter(Boolean).join('\n\n');
      field.dispatchEvent(new Event('input', { bubbles: true }));
      field.focus();
    },
  });
}

mountFiles(API, load);

onSubmit($('#edit-project'), async () => {
  const [form, sent] = [$('#edit-project'), valuesOf($('#edit-project'))];
  const project = await patch(API, changedIn(form));
  showSaved(sent, project);
  language = project.language;
  setText($('#project-name'), project.title);
  await load();
  return t('project_saved');
});

$('#delete-project').addEventListener('click', async () => {
  if (!(await ask($('#delete-dialog')))) return;
  try {
    await remove(API);
    location.assign('/');
  } catch (error) {
    showErrors($('#edit-project'), error);
  }
});

const reload = spaced(load);
live.addEventListener('notification', ({ detail }) => {
  if (detail.project_id !== projectId) return;
  if (chapters.has(detail.chapter_id)) rowOf(detail.chapter_id).status.notice(detail);
  else reload(); // it was added elsewhere
});
live.addEventListener('queue', ({ detail }) => detail.projects[projectId] || reload.now());
live.addEventListener('progress', ({ detail }) => {
  for (const { status } of rows.values()) status.progress(detail);
});
live.addEventListener('refresh', reload);
live.addEventListener('state', () => [...chapters.values()].some(({ analysis }) => isLive(analysis)) && reload());

mountPalette(projectId);
let binder = null;
$('#binder-box').addEventListener('toggle', () => {
  binder ??= mountBinder($('#binder'), { projectId, language, onOpen: (id) => location.assign(`/chapters/${id}`), onChange: reload });
});

$('#new-chapter').addEventListener('input', countLetters);
void keepForm($('#edit-project'), `project:${projectId}`, ['title', 'genre', 'synopsis']);
void keepForm($('#new-chapter'), `chapter:${projectId}`, ['title', 'content']);
void load();
