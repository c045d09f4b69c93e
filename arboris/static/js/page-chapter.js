/** `/chapters/<id>`: the text with its findings, its analysis, and the text's editor. */

import { get, patch } from './api.js';
import { $, debounced, h, setText } from './dom.js';
import { FindingsPanel } from './findings.js';
import { guardText, onSubmit, say } from './forms.js';
import { lengthOf, t, when } from './i18n.js';
import { live } from './live.js';
import { failure } from './load.js';
import { Reader } from './reader.js';
import { StatusBox } from './status.js';

const { chapterId, projectId } = $('#main').dataset;
const API = `/api/chapters/${chapterId}`;
const language = $('#text').lang;
const editor = $('#edit-form');
let chapter = null;
let drawn = ''; // what the text and the panel show now

const reader = new Reader($('#text'), (findings) => panel.open(findings));
const panel = new FindingsPanel(language, {
  onFilter: (findings) => chapter && reader.show(chapter.content, findings),
  onJump: (findings, jump) => reader.choose(findings, jump),
});
const status = new StatusBox($('#analysis'), load);

function showHead() {
  setText($('#chapter-name'), chapter.title || t('untitled'));
  $('#chapter-meta').replaceChildren(
    h('span', {}, lengthOf(chapter.word_count, language)),
    h('span', {}, t('version', { n: chapter.version })),
    h('time', { datetime: chapter.updated_at }, t('updated', { when: when(chapter.updated_at) })));
  setText($('#summary'), chapter.summary ?? '');
  $('#summary').hidden = !chapter.summary;
  setText($('#analysis-note'), chapter.analysis_note ?? '');
  $('#analysis-note').hidden = !chapter.analysis_note;
  status.set(chapter.analysis);
}

async function load() {
  try {
    const [newest, findings] = await Promise.all([get(API), get(`${API}/findings`)]);
    chapter = newest;
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

function edit(on) {
  editor.hidden = !on;
  $('#text').hidden = on;
  $('#reading-tools').hidden = on;
  if (on) {
    setText($('#edit-status'), '');
    // As default values, so that "reset" and the guard know what is saved.
    editor.elements.title.defaultValue = chapter.title;
    editor.elements.content.defaultValue = chapter.content;
    editor.reset();
    say(editor, '');
    editor.elements.content.focus();
  } else {
    $('#edit').focus();
  }
}

onSubmit(editor, async (data) => {
  const body = {};
  // A form sends line ends as CRLF; the text keeps its own.
  const { content } = editor.elements;
  // Whoever saves a draft as it is takes it for finished.
  if (chapter.source === 'draft' || content.value !== chapter.content.replace(/\r\n?/g, '\n')) body.content = content.value;
  if (data.get('title') !== chapter.title) body.title = data.get('title');
  if (!Object.keys(body).length) {
    edit(false);
    setText($('#edit-status'), t('nothing_changed'));
    return;
  }
  await patch(API, body);
  editor.reset();
  panel.close();
  await load();
  edit(false);
  setText($('#edit-status'), body.content ? t('text_saved', { n: chapter.version }) : t('project_saved'));
});

$('#edit').addEventListener('click', () => chapter && edit(true));
$('#edit-cancel').addEventListener('click', () => {
  editor.reset();
  edit(false);
});
guardText(editor.elements.content);
guardText(editor.elements.title);

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
