/**
 * Ctrl+K: go to a chapter, a person, a thing or a passage of the novel by typing a part of it;
 * on a page that is of no novel, to one of the novels.
 * The focus stays in the field; the arrows choose in the list (the combobox pattern).
 */

import { get } from './api.js';
import { $, h, setText } from './dom.js';
import { chapterName, label, t, tn } from './i18n.js';

const PAUSE = 150; // ms after the last letter
const NOVELS = 50; // that are shown at most

/** Where something of the novel is shown: in code points of the chapter's text. */
export const placeAddress = ({ chapter_id: id, offset, length }) => `/chapters/${id}#at=${offset}-${length}`;

/** The words around a hit, with the hit itself marked; `inside` is what stands in its place. */
export function snippet({ snippet: words, snippet_offset: at, length }, inside = (word) => h('mark', {}, word)) {
  const letters = [...words];
  const part = (from, to) => letters.slice(from, to).join('');
  return [part(0, at), inside(part(at, at + length)), part(at + length, letters.length)];
}

/** `open({href, chapterId, hit})` shows what was chosen. Without `projectId` the novels are found. */
export function mountPalette(projectId = '', open = (/** @type {any} */ { href }) => location.assign(href)) {
  const palette = new Palette(projectId, open);
  $('#palette-open')?.addEventListener('click', () => palette.show());
  addEventListener('keydown', (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== 'k') return;
    if (!palette.isOpen && $('dialog[open]')) return;
    event.preventDefault();
    event.stopPropagation();
    palette.toggle();
  }, true);
}

class Palette {
  #timer = 0;
  #turn = 0;
  #options = []; // {element, target}
  #at = 0;
  #novels = null;

  constructor(projectId, open) {
    this.projectId = projectId;
    this.open = open;
    this.input = h('input', {
      type: 'text', role: 'combobox', autocomplete: 'off', spellcheck: 'false', maxlength: 200,
      'aria-label': t('palette'), 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': 'palette-list',
      placeholder: t(projectId ? 'palette_hint' : 'palette_novel_hint'), data: { testid: 'palette-field' },
      on: { input: () => this.#later(), keydown: (event) => this.#onKey(event), compositionend: () => this.#later() },
    });
    this.list = h('div', { role: 'listbox', id: 'palette-list', 'aria-label': t('palette_list'), data: { testid: 'palette-list' } });
    this.status = h('p', { class: 'meta', role: 'status' });
    this.dialog = h('dialog', { class: 'palette card', 'aria-label': t('palette') }, this.input, this.list, this.status);
    this.dialog.addEventListener('click', (event) => event.target === this.dialog && this.dialog.close());
    document.body.append(this.dialog);
  }

  get isOpen() {
    return this.dialog.open;
  }

  toggle() {
    if (this.isOpen) this.dialog.close();
    else this.show();
  }

  show() {
    this.input.value = '';
    this.dialog.showModal();
    this.#draw([]);
    if (!this.projectId) void this.#ask();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), PAUSE);
  }

  async #ask() {
    const query = this.input.value.trim();
    const turn = ++this.#turn;
    try {
      const groups = await (this.projectId ? this.#inNovel(query) : this.#ofNovels(query));
      if (turn === this.#turn) this.#draw(groups);
    } catch (error) {
      if (turn === this.#turn) setText(this.status, error.message);
    }
  }

  async #ofNovels(query) {
    this.#novels ??= await get('/api/projects');
    const found = this.#novels.filter(({ title }) => title.toLocaleLowerCase().includes(query.toLocaleLowerCase()));
    return [[t('palette_novels'), found.slice(0, NOVELS).map(({ id, title }) => [[title || t('untitled')], '', { href: `/projects/${id}` }])]];
  }

  async #inNovel(query) {
    if (!query) return [];
    const { chapters, entries, passages } = await get(`/api/projects/${this.projectId}/go-to`, { q: query });
    const section = (kind) => (kind === 'character' ? 'characters' : 'world');
    const bible = (name, kind) => `/projects/${this.projectId}/bible?${new URLSearchParams({ find: name })}#${section(kind)}`;
    const searched = { href: `/projects/${this.projectId}/search?${new URLSearchParams({ q: query })}` };
    return [
      [t('palette_chapters'), chapters.map((one) => [[chapterName(one)], '', { href: `/chapters/${one.id}`, chapterId: one.id }])],
      [t('palette_entries'), entries.map(({ kind, name }) => [[name], kind === 'character' ? t('palette_person') : label('type', kind), { href: bible(name, kind) }])],
      [t('palette_passages'), passages.map((hit) => [snippet(hit), chapterName(hit), { href: placeAddress(hit), chapterId: hit.chapter_id, hit }])],
      [t('palette_more'), [[[t('palette_search', { words: query })], '', searched]]],
    ];
  }

  #draw(groups) {
    this.#options = [];
    const drawn = groups.filter(([, rows]) => rows.length).map(([title, rows], number) => {
      const head = h('div', { class: 'palette-head', id: `palette-group-${number}` }, title);
      return h('div', { role: 'group', 'aria-labelledby': head.id }, head, rows.map((row) => this.#option(...row)));
    });
    this.list.replaceChildren(...drawn);
    this.input.setAttribute('aria-expanded', String(this.#options.length > 0));
    const found = this.#options.length - (this.projectId && groups.length ? 1 : 0); // without the way to the search page
    setText(this.status, groups.length ? tn('palette_found', found) : t('palette_help'));
    this.#choose(0);
  }

  #option(words, aside, target) {
    const id = `palette-option-${this.#options.length}`;
    const element = h('div', { role: 'option', id, 'aria-selected': 'false', on: { click: () => this.#go(target) } },
      h('span', {}, words), aside ? h('span', { class: 'meta' }, aside) : null);
    this.#options.push({ element, target });
    return element;
  }

  #choose(at) {
    this.#at = at;
    for (const [index, { element }] of this.#options.entries()) element.setAttribute('aria-selected', String(index === at));
    const chosen = this.#options[at]?.element;
    if (chosen) this.input.setAttribute('aria-activedescendant', chosen.id);
    else this.input.removeAttribute('aria-activedescendant');
    chosen?.scrollIntoView({ block: 'nearest' });
  }

  #onKey(event) {
    const { length } = this.#options;
    if (event.isComposing || !length) return;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) this.#choose((this.#at + steps[event.key] + length) % length);
    else if (event.key === 'Enter') this.#go(this.#options[this.#at].target);
    else return;
    event.preventDefault();
  }

  #go(target) {
    this.dialog.close();
    void this.open(target);
  }
}
