/** Searching on the desk: Ctrl+F and Ctrl+H in the chapter, places of the novel, the palette. */

import { $, h } from './dom.js';
import { t } from './i18n.js';
import { mountPalette } from './palette.js';
import { places } from './passages.js';
import { EditorState, closeSearchPanel, findNext, findPrevious, keymap, openSearchPanel, search } from './vendor/codemirror.js';

/** CodeMirror's own words → our texts. */
const PHRASES = {
  Find: 'find', Replace: 'replace_with', next: 'find_next', previous: 'find_previous', all: 'find_all',
  'match case': 'find_case', regexp: 'find_pattern', 'by word': 'find_word', replace: 'replace_one', 'replace all': 'replace_all',
  close: 'close', 'current match': 'find_current', 'on line': 'find_line',
  'replaced match on line $': 'replaced_one', 'replaced $ matches': 'replaced_all',
};

/** Opens the panel, with the caret in its first field or in the other one. */
function openPanel(view, field) {
  openSearchPanel(view);
  /** @type {HTMLInputElement} */ ($(`.cm-search input[name="${field}"]`, view.dom))?.select();
  return true;
}

const keys = [
  { key: 'Mod-f', run: (view) => openPanel(view, 'search'), scope: 'editor search-panel' },
  { key: 'Mod-h', run: (view) => openPanel(view, 'replace'), scope: 'editor search-panel' },
  { key: 'Escape', run: closeSearchPanel, scope: 'editor search-panel' },
  { key: 'F3', run: findNext, shift: findPrevious, scope: 'editor search-panel', preventDefault: true },
];

export function mountSearch(desk) {
  const phrases = Object.fromEntries(Object.entries(PHRASES).map(([theirs, ours]) => [theirs, t(ours)]));
  desk.addExtension([search({ top: true }), EditorState.phrases.of(phrases), keymap.of(keys)]);
  addEventListener('keydown', (event) => onKey(event, desk));
  const address = `/projects/${desk.projectId}/search`;
  $('#desk-tools').append(h('a', { href: address, class: 'tool', 'aria-keyshortcuts': 'Control+Shift+F', title: 'Ctrl+Shift+F', data: { testid: 'search-novel' } }, t('search_novel')));
  mountPalette(desk.projectId, (target) => open(desk, target));

  const stop = desk.onOpen(() => {
    stop();
    jumpToPlace(desk);
  });
  addEventListener('hashchange', () => jumpToPlace(desk));
}

/** From wherever the focus is on the desk. */
function onKey(event, desk) {
  if (event.defaultPrevented || !(event.ctrlKey || event.metaKey) || event.altKey || $('dialog[open]')) return;
  const key = event.key.toLowerCase();
  const fields = { f: 'search', h: 'replace' };
  if (event.shiftKey && key === 'f') {
    const words = desk.text.slice(desk.selection.from, desk.selection.to).trim().slice(0, 200);
    location.assign(`/projects/${desk.projectId}/search?${new URLSearchParams(words ? { q: words } : {})}`);
  } else if (!event.shiftKey && key in fields) {
    openPanel(desk.view, fields[key]);
  } else {
    return;
  }
  event.preventDefault();
}

async function open(desk, { href, chapterId, hit } = /** @type {any} */ ({})) {
  if (!chapterId) {
    location.assign(href);
    return;
  }
  await desk.openChapter(chapterId);
  if (hit && desk.chapterId === chapterId) select(desk, hit);
  else desk.view.focus();
}

/** `#at=120-3`: the place of a hit that another page leads to. */
function jumpToPlace(desk) {
  const found = location.hash.match(/^#at=(\d+)-(\d+)$/);
  if (found) select(desk, { offset: Number(found[1]), length: Number(found[2]) });
}

/** The API counts code points of the saved text, or of what is typed where that is newer. */
function select(desk, { offset, length }) {
  const [place] = places(desk.isChanged ? desk.text : desk.chapter.content, [{ start: offset, end: offset + length }]);
  if (place) desk.select(place.from, place.to);
}
