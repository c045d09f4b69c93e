/**
 * The binder: a book's volumes and chapters, opened, reordered, named, split, joined and deleted.
 * A tree for the keyboard (arrows, Enter, Alt with arrows, F2, Delete); rows are dragged by the
 * browser's own drag and drop: a library for it knows no list of which only a window is drawn.
 */

import { get, patch, post, put, remove } from './api.js';
import { BookOrder } from './book-order.js';
import { BinderTools } from './binder-tools.js';
import { h, setText } from './dom.js';
import { failure } from './load.js';
import { chapterName, t } from './i18n.js';
import { WindowedList } from './windowed-rows.js';

const ROW = 2.25; // rem, as in binder.css
const PAUSE = 300; // ms: several steps are sent as one order

/** Whether the server took a look at it and says no; else the same may be taken later. */
const isRefused = ({ status }) => status === 400 || status === 404 || status === 409;

/**
 * `onOpen(id)` opens a chapter. `language` is the book's. `settle(id)` makes a version of what is
 * typed in a chapter and answers whether it may be worked on; `caret()` answers where the open one
 * is to be split, `{id, at, version}` or null; `onChange({id, gone})` is told of chapters that are
 * no more what the page has of them. Answers `{mark(id, title), reload()}`.
 */
export function mountBinder(element, { projectId, chapterId = null, onOpen, language = '', settle = null, caret = null, onChange = null }) {
  const binder = new Binder(element, { projectId, chapterId, onOpen, language, settle: settle ?? (async () => true), caret, onChange: onChange ?? (() => {}) });
  binder.loaded = binder.reload();
  return { mark: (id, title) => binder.mark(id, title), reload: () => binder.reload() };
}

class Binder {
  #order = new BookOrder({ volumes: [], chapters: [] });
  #chosen = '';
  #marked = null; // the chapter that was chosen when it was opened
  #dirty = false;
  #timer = 0;
  #sending = Promise.resolve();
  #dragged = null;
  #loading = Promise.resolve();
  loaded = Promise.resolve();

  constructor(element, host) {
    this.element = element;
    this.host = host;
    this.api = `/api/projects/${host.projectId}`;
    this.opened = host.chapterId;
    this.tools = new BinderTools(this);
    this.status = h('p', { class: 'binder-status', role: 'status', data: { testid: 'binder-status' } });
    this.tree = h('div', { role: 'tree', class: 'binder-rows', 'aria-label': t('binder_tree'), lang: host.language, data: { testid: 'binder' } });
    this.scroller = h('div', { class: 'binder-scroll' }, this.tree);
    this.list = new WindowedList(this.scroller, this.tree, { rem: ROW, draw: (row, known) => this.#draw(row, known) });
    this.#listen();
    element.classList.add('binder');
    element.replaceChildren(this.tools.element, this.scroller, this.status);
  }

  // --- what is there --------------------------------------------------------------------------
  /** One after the other, so that no older answer comes over a newer one. */
  reload() {
    this.#loading = this.#loading.then(() => this.#load());
    return this.#loading;
  }

  async #load() {
    try {
      await this.settled();
      const book = await get(`${this.api}/order`);
      if (this.#dirty) await this.#load(); // moved meanwhile: that is sent first
      else this.#show(book);
      this.status.querySelector('.alert')?.remove();
    } catch (error) {
      this.#failed(error);
    }
  }

  #show(book) {
    this.#order = new BookOrder(book);
    this.#redraw();
  }

  #redraw() {
    const rows = this.#order.rows();
    if (!rows.some(({ key }) => key === this.#chosen)) {
      const opened = rows.find(({ id }) => id !== null && id === this.opened);
      this.#chosen = (opened ?? rows.find(({ id }) => id !== null) ?? rows[0])?.key ?? '';
    }
    this.tree.hidden = rows.length === 0;
    this.list.keep(this.#chosen, { scroll: false });
    this.list.set(rows);
    this.tools.show(this.chosen);
  }

  get order() {
    return this.#order;
  }

  /** The row that the tools work on. */
  get chosen() {
    return this.#order.rows().find(({ key }) => key === this.#chosen) ?? null;
  }

  titleOf(row) {
    if (row.id === null) return this.#order.volumes[row.volume].title || t('binder_volume', { n: row.volume + 1 });
    return chapterName({ title: this.#order.chapters.get(row.id).title, chapter_number: row.number });
  }

  /** That chapter is open in the page, under this title. What is chosen stays where it was open before. */
  mark(id, title = null) {
    const isMarked = id === this.#marked;
    this.opened = id;
    const known = this.#order.chapters.get(id);
    if (known && title !== null) known.title = title;
    const row = this.#order.rows().find((one) => one.id === id);
    if (row && !isMarked) this.#chosen = row.key;
    else if (!row && this.#order.chapters.size) void this.reload();
    this.#redraw();
    if (!row || isMarked) return;
    this.#marked = id;
    this.list.keep(row.key);
  }

  #draw(row, known) {
    const element = known ?? this.#newRow(row);
    const isChosen = row.key === this.#chosen;
    element.tabIndex = isChosen ? 0 : -1;
    const isChapter = row.id !== null;
    const states = { level: isChapter && this.#order.isDivided ? 2 : 1, posinset: row.position, setsize: row.size, selected: isChosen };
    for (const [name, value] of Object.entries(states)) element.setAttribute(`aria-${name}`, String(value));
    element.toggleAttribute('data-chosen', isChosen);
    if (isChapter && row.id === this.opened) element.setAttribute('aria-current', 'page');
    else element.removeAttribute('aria-current');
    const name = element.querySelector('.binder-name');
    if (name) {
      setText(name, this.titleOf(row));
      name.title = this.titleOf(row);
    }
    return element;
  }

  #newRow({ key, id }) {
    const name = id === null ? h('span', { class: 'binder-name' }) : h('a', { class: 'binder-name', href: `/chapters/${id}`, tabindex: '-1', draggable: 'false' });
    return h('div', { role: 'treeitem', class: id === null ? 'binder-row binder-volume' : 'binder-row', draggable: id === null ? 'false' : 'true', data: { key } }, name);
  }

  say(words, undo = null) {
    this.status.replaceChildren(words);
    if (undo) this.status.append(' ', h('button', { type: 'button', class: 'small', data: { testid: 'binder-undo' }, on: { click: undo } }, t('binder_undo')));
  }

  // --- keys, pointer --------------------------------------------------------------------------
  #listen() {
    addEventListener('online', () => this.#dirty && this.reload());
    this.tree.addEventListener('keydown', (event) => this.#key(event));
    this.tree.addEventListener('click', (event) => this.#click(event));
    this.tree.addEventListener('focusin', (event) => this.#focused(event.target));
    for (const type of ['dragstart', 'dragover', 'dragleave', 'drop', 'dragend']) this.tree.addEventListener(type, (event) => this.#drag(event));
  }

  #rowOf(target) {
    const key = target?.closest?.('.binder-row')?.dataset.key;
    return key ? (this.#order.rows().find((row) => row.key === key) ?? null) : null;
  }

  #focused(target) {
    const row = this.#rowOf(target);
    if (row && row.key !== this.#chosen) this.choose(row, { focus: false });
  }

  choose(row, { focus = true } = {}) {
    this.#chosen = row.key;
    this.#redraw();
    const element = this.list.keep(row.key);
    if (focus) element?.focus({ preventScroll: true });
  }

  #key(event) {
    if (event.target.tagName === 'INPUT') return;
    const rows = this.#order.rows();
    const row = this.chosen;
    const at = rows.findIndex(({ key }) => key === this.#chosen);
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const edge = { Home: rows[0], End: rows.at(-1) }[event.key];
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.altKey && step) this.move(step);
    else if (event.altKey) return;
    else if (step && rows[at + step]) this.choose(rows[at + step]);
    else if (edge) this.choose(edge);
    else if (event.key === 'Enter' && row.id !== null) void this.host.onOpen(row.id);
    else if (event.key === 'F2') this.rename();
    else if (event.key === 'Delete' && row.id !== null) void this.tools.run('delete');
    else if (!step) return;
    event.preventDefault();
  }

  #click(event) {
    const row = this.#rowOf(event.target);
    if (!row || event.target.tagName === 'INPUT') return;
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.choose(row);
    if (row.id !== null && event.target.closest('a')) void this.host.onOpen(row.id);
  }

  #drag(event) {
    const over = this.#rowOf(event.target);
    const element = over && this.list.element(over.key);
    if (event.type === 'dragstart' && over) {
      this.#dragged = over.id;
      event.dataTransfer.setData('text/plain', this.titleOf(over));
      event.dataTransfer.effectAllowed = 'move';
      return;
    }
    for (const marked of this.tree.querySelectorAll('[data-drop]')) delete marked.dataset.drop;
    if (this.#dragged === null || !element) return;
    const box = element.getBoundingClientRect();
    const after = over.id === null || event.clientY > box.top + box.height / 2;
    if (event.type === 'dragover') {
      event.preventDefault();
      element.dataset.drop = after ? 'after' : 'before';
    } else if (event.type === 'drop') {
      event.preventDefault();
      this.#drop(this.#dragged, over, after);
      this.#dragged = null;
    } else if (event.type === 'dragend') this.#dragged = null;
  }

  #drop(id, over, after) {
    const moved = over.id === null ? this.#order.put(id, over.volume, 0) : this.#order.putBeside(id, over.id, after);
    if (moved) this.#moved(id);
  }

  // --- the order ------------------------------------------------------------------------------
  move(step) {
    const row = this.chosen;
    if (row?.id === null || row === null) return;
    if (this.#order.step(row.id, step)) this.#moved(row.id);
    else this.say(t('binder_at_the_end'));
  }

  #moved(id) {
    this.changed();
    const rows = this.#order.rows();
    const row = rows.find((one) => one.id === id);
    this.choose(row);
    const told = { title: this.titleOf(row), n: row.number, all: this.#order.chapters.size, volume: '' };
    if (this.#order.isDivided) told.volume = this.titleOf({ ...row, id: null });
    this.say(t(this.#order.isDivided ? 'binder_moved_volume' : 'binder_moved', told));
  }

  /** The order or a volume was changed here: it is drawn now, and sent in a moment. */
  changed() {
    this.#dirty = true;
    this.#redraw();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.settled().catch((error) => this.#failed(error)), PAUSE);
  }

  /** Once the server has the order that is shown; a try that failed does not keep back the next one. */
  settled() {
    clearTimeout(this.#timer);
    this.#sending = this.#sending.catch(() => {}).then(() => this.#send());
    return this.#sending;
  }

  #failed(error) {
    this.say('');
    this.status.append(failure(error, () => this.reload()));
  }

  async #send() {
    if (!this.#dirty) return;
    this.#dirty = false;
    try {
      const book = await put(`${this.api}/order`, this.#order.body);
      if (!this.#dirty) this.#show(book);
      this.host.onChange({});
    } catch (error) {
      if (!isRefused(error)) {
        this.#dirty = true; // nothing has come of it: the order stays, and is sent again
        throw error;
      }
      // Somebody has added or deleted a chapter meanwhile: that is shown, and the change is not.
      this.#dirty = false;
      this.#show(await get(`${this.api}/order`));
      this.say([error.message, ...Object.values(error.fields ?? {}).flat()].join(' '));
    }
  }

  // --- names ----------------------------------------------------------------------------------
  /** In place: Enter and leaving the field keep the new name, Escape the old one. `typed`: one that was not saved. */
  rename(row = this.chosen, typed = null) {
    const element = row && this.list.keep(row.key);
    if (!element || element.querySelector('input')) return;
    const chapter = row.id === null ? null : this.#order.chapters.get(row.id);
    const old = chapter ? chapter.title : this.#order.volumes[row.volume].title;
    const field = h('input', { type: 'text', maxlength: '200', class: 'binder-field', 'aria-label': t('binder_title'), data: { testid: 'binder-rename' } });
    field.value = typed ?? old;
    element.append(field);
    if (typed === null || this.tree.contains(document.activeElement)) field.select();
    let isOver = false;
    const end = (keep) => {
      if (isOver) return;
      isOver = true;
      const title = field.value.trim();
      const hadFocus = document.activeElement === field;
      field.remove();
      if (hadFocus) element.focus();
      if (keep && title !== old) void this.#name(row, title);
    };
    field.addEventListener('keydown', (event) => {
      if (event.isComposing || !['Enter', 'Escape'].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      end(event.key === 'Enter');
    });
    field.addEventListener('blur', () => end(true));
  }

  async #name(row, title) {
    if (row.id === null) {
      this.#order.volumes[row.volume].title = title;
      this.changed();
      this.say(t('binder_renamed', { title: this.titleOf(row) }));
      return;
    }
    try {
      await patch(`/api/chapters/${row.id}`, { title });
      await this.reload();
      this.say(t('binder_renamed', { title: this.titleOf(row) }));
      this.host.onChange({ id: row.id });
    } catch (error) {
      this.say(error.message);
      this.rename(row, title);
    }
  }

  // --- into the trash and back ----------------------------------------------------------------
  async discard(row) {
    const title = this.titleOf(row);
    const beside = this.#order.next(row.id) ?? this.#order.previous(row.id);
    await remove(`/api/chapters/${row.id}`);
    this.#chosen = beside === null ? '' : `chapter-${beside}`;
    await this.reload();
    if (this.chosen) this.choose(this.chosen);
    this.say(t('binder_deleted', { title }), () => this.tools.attempt(() => this.#restore(row.id, title)));
    this.host.onChange({ gone: row.id, id: beside });
  }

  async #restore(id, title) {
    await post(`/api/trash/chapter/${id}/restore`);
    this.#chosen = `chapter-${id}`;
    await this.reload();
    if (this.chosen) this.choose(this.chosen);
    this.say(t('binder_restored', { title }));
    this.host.onChange({ id });
  }
}
