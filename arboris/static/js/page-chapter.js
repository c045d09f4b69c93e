/** `/chapters/<id>`: the text with its findings, its analysis, and the text's editor. */

import { get } from './api.js';
import { $, debounced, h, setText } from './dom.js';
import { ChapterEditor } from './editor.js';
import { FindingsPanel } from './findings.js';
import { lengthOf, t, when } from './i18n.js';
import { live } from './live.js';
import { failure } from './load.js';
import { Reader } from './reader.js';
import { StatusBox } from './status.js';

const { chapterId, projectId } = $('#main').dataset;
const API = `/api/chapters/${chapterId}`;
const language = $('#text').lang;
let chapter = null;
let drawn = ''; // what the text and the panel show now

const reader = new Reader($('#text'), (findings) => panel.open(findings));
const panel = new FindingsPanel(language, {
  onFilter: (findings) => chapter && reader.show(chapter.content, findings),
  onJump: (findings, jump) => reader.choose(findings, jump),
});
const status = new StatusBox($('#analysis'), load);
const editor = new ChapterEditor($('#edit-form'), API, {
  async onSaved() {
    panel.close();
    await load();
  },
  onToggle(open, words) {
    $('#text').hidden = $('#reading-tools').hidden = open;
    setText($('#edit-status'), words);
    if (!open) $('#edit').focus();
  },
});

function showHead() {
  setText($('#chapter-name'), chapter.title || t('untitled'));
  $('#chapter-meta').replaceChildren(
    h('span', {}, lengthOf(chapter.word_count, language)),
    h('span', {}, t('version', { n: chapter.version })),
    h('time', { datetime: chapter.updated_at }, t('updated', { when: when(chapter.updated_at) })));
  setText($('#summary'), chapter.summary ?? '');
  $('#summary-box').hidden = !chapter.summary;
  setText($('#analysis-note'), chapter.analysis_note ?? '');
  $('#analysis-note').hidden = !chapter.analysis_note;
  status.set(chapter.analysis, chapter.source);
}

async function load() {
  try {
    const [newest, findings] = await Promise.all([get(API), get(`${API}/findings`)]);
    chapter = newest;
    $('#edit').disabled = false;
    showHead();
    // A long text is drawn anew only where it or its findings have changed.
    const wanted = JSON.stringify([chapter.version, status.isLive, findings]);
    if (wanted !== drawn) panel.set(findings, status.isLive);
    drawn = wanted;
    await status.loadQueuePlace();
  } catch (error) {
    if (chapter === null) $('#text').replaceChildren(failure(error, load));
    else console.info('The chapter could not be loaded anew:', error.message);
  } finally {
    $('#text').removeAttribute('aria-busy');
  }
}

/** A fact of the bible links here with its quote: #quote=…; the passage is shown. */
function jumpToQuote() {
  const wanted = new URLSearchParams(location.hash.slice(1)).get('quote');
  if (!wanted || !chapter) return;
  const finding = panel.shown.find(({ quote, verified }) => verified !== false && quote?.startsWith(wanted));
  if (!finding) return;
  panel.open([finding]);
  reader.choose([finding], true);
}

$('#edit').addEventListener('click', () => editor.open(chapter));

const reload = debounced(load);
live.addEventListener('notification', ({ detail }) => {
  if (detail.project_id !== projectId) return;
  if (String(detail.chapter_id) !== chapterId) return;
  status.notice(detail);
  reload();
});
live.addEventListener('progress', ({ detail }) => status.progress(detail));
live.addEventListener('refresh', reload);
live.addEventListener('state', () => status.isLive && reload());
addEventListener('hashchange', jumpToQuote);

await load();
jumpToQuote();
