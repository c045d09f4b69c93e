/** `/projects/<id>/search`: words in the whole novel, and replacing them after a preview. */

import { get, post } from './api.js';
import './bell.js';
import { $, $$, busyWhile, h } from './dom.js';
import { creating } from './form-drafts.js';
import { onSubmit, say as sayIn } from './forms.js';
import { chapterName, t, tn } from './i18n.js';
import { mountPalette, placeAddress, snippet } from './palette.js';

const PAGE = 100; // hits in one call
const { projectId, language } = $('#main').dataset;
const API = `/api/projects/${projectId}`;
const form = $('#search-form');
const results = $('#results');
const say = (words) => sayIn(form, words);
let undoable = []; // {chapter_id, undo, version} of what was replaced last

const wish = () => {
  const { q, with: by } = /** @type {any} */ (Object.fromEntries(new FormData(form)));
  return { q, with: by, aliases: $('#replace-names').checked };
};

// --- searching --------------------------------------------------------------------------------
async function find(offset = 0) {
  const { q } = wish();
  const found = await get(`${API}/search`, { q, limit: PAGE, offset, plain: !$('#find-names').checked });
  history.replaceState(null, '', `?${new URLSearchParams({ q })}`);
  if (!offset) results.replaceChildren();
  $('#more')?.remove();
  for (const hit of found.hits) groupOf(hit).append(h('li', {}, h('a', { href: placeAddress(hit) }, snippet(hit))));
  const shown = offset + found.hits.length;
  if (shown < found.total) results.append(h('button', { id: 'more', type: 'button', on: { click: () => more(shown) } }, t('search_more')));
  const others = found.names.slice(1).join(t('name_separator'));
  return [tn('search_found', found.total), others && t('search_names', { names: others })].filter(Boolean).join(' ');
}

async function more(offset) {
  const last = $$('a', results).length;
  try {
    say(await find(offset));
    $$('a', results)[last]?.focus();
  } catch (error) {
    say(error.message);
  }
}

/** The list of a chapter's hits. */
function groupOf(hit) {
  const last = results.lastElementChild;
  if (last?.dataset.chapterId === String(hit.chapter_id)) return $('ul', last);
  const list = h('ul', { class: 'hits', lang: language });
  results.append(h('section', { data: { chapterId: hit.chapter_id } }, h('h2', { lang: language }, chapterName(hit)), note(hit.unsaved ? 'unsaved' : ''), list));
  return list;
}

const note = (status) => (status ? h('p', { class: 'hint' }, t(`replace_${status}`)) : null);

// --- replacing --------------------------------------------------------------------------------
async function preview() {
  const asked = wish();
  const found = await post(`${API}/replace`, { ...asked, preview: true });
  const rows = found.chapters.map((one) => previewed(one, asked.with));
  const ready = found.chapters.filter(({ status }) => status === 'ready');
  const button = h('button', { class: 'primary', data: { testid: 'replace-submit' } }, t('replace_do'));
  const asking = h('form', { id: 'replace-form' }, rows, ready.length ? h('div', { class: 'actions' }, button) : null);
  asking.addEventListener('submit', (event) => {
    event.preventDefault();
    void busyWhile(button, () => replace(asked, found.chapters));
  });
  results.replaceChildren(asking);
  const hits = ready.reduce((sum, { count }) => sum + count, 0);
  return t('replace_preview', { hits, n: ready.length });
}

function previewed(one, by) {
  const isReady = one.status === 'ready';
  const box = h('input', { type: 'checkbox', name: 'chapter', value: one.chapter_id, checked: isReady, disabled: !isReady });
  const changed = (word) => h('span', {}, h('del', {}, word), by ? h('ins', {}, by) : null);
  return h('section', { data: { chapterId: one.chapter_id } },
    h('h2', {}, h('label', { class: 'check' }, box, h('span', { lang: language }, chapterName(one)), h('span', { class: 'count' }, String(one.count)))),
    note(isReady ? '' : one.status),
    h('ul', { class: 'hits', lang: language }, one.hits.map((hit) => h('li', {}, snippet(hit, changed)))));
}

/** One call changes so many chapters; the rest is asked for until nothing is left. */
async function replace(asked, previewedChapters) {
  let chapters = $$('[name="chapter"]:checked', results).map(({ value }) => Number(value));
  const bases = Object.fromEntries(previewedChapters.map(({ chapter_id: id, version }) => [id, version]));
  const done = [];
  undoable = [];
  try {
    while (chapters.length) {
      const answer = await replaceOnce({ ...asked, chapters, base_versions: bases });
      done.push(...answer.chapters);
      chapters = answer.left;
      say(t('replace_done', { n: done.filter(({ status }) => status === 'replaced').length }));
    }
  } catch (error) {
    say(error.message);
  }
  undoable = done.filter(({ undo }) => undo !== null);
  showDone(done);
}

/** Where the answer was lost it is asked for again, under the same key. */
async function replaceOnce(body) {
  const ask = () => creating(`replace:${projectId}`, `${API}/replace`, body);
  try {
    return await ask();
  } catch (error) {
    if (error.status) throw error;
    return await ask();
  }
}

function showDone(done) {
  const rows = done.map((one) => h('li', {}, h('a', { href: `/chapters/${one.chapter_id}`, lang: language }, chapterName(one)), ' ', t(`replace_${one.status}`)));
  const undo = h('button', { type: 'button', data: { testid: 'replace-undo' }, on: { click: () => busyWhile(undo, takeBack) } }, t('replace_undo'));
  results.replaceChildren(h('ul', { class: 'hits' }, rows), undoable.length ? undo : '');
  (undoable.length ? undo : $('#search-q')).focus();
}

/** Restores the version before in every chapter, but in those that were changed since. */
async function takeBack() {
  let changed = 0;
  try {
    while (undoable.length) {
      const { chapter_id: id, undo, version } = undoable[0];
      await post(`/api/chapters/${id}/versions/${undo}/restore`, { base_version: version }).catch((error) => {
        if (error.status !== 409) throw error;
        changed += 1;
      });
      undoable.shift();
    }
    results.replaceChildren();
    say(changed ? tn('replace_stays', changed) : t('replace_undone'));
    $('#search-q').focus();
  } catch (error) {
    say(error.message);
  }
}

onSubmit(form, (_data, submitter) => (submitter?.value === 'preview' ? preview() : find()));
mountPalette(projectId);
const asked = new URLSearchParams(location.search).get('q');
if (asked) {
  $('#search-q').value = asked;
  form.requestSubmit($('#search-submit'));
}
