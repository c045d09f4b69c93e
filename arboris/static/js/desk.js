/**
 * The desk at `/chapters/<id>`: binder, page and context around one text. What other scripts mount
 * on: `desk`, and the containers that chapter.html names.
 */

import { get } from './api.js';
import { $, setText } from './dom.js';
import { chapterName, t } from './i18n.js';
import { setPageTitle } from './live.js';
import { failure } from './load.js';
import { asTyped } from './passages.js';
import { TextEditor } from './text-editor.js';

const main = $('#main');
const titleField = $('#chapter-title-field');

class Desk {
  #changed = new Set();
  #opened = new Set();
  #turn = 0;
  chapter = null;
  projectId = main.dataset.projectId;
  chapterId = Number(main.dataset.chapterId);
  language = $('#text').lang;
  findings = [];

  /** Who keeps what is typed; see working-copy.js. */
  saver = /** @type {any} */ ({ open() {}, async save() {}, async leave() { return true; } });

  constructor() {
    this.editor = new TextEditor($('#text'), { label: $('#text').getAttribute('aria-label'), language: this.language, root: $('#page') });
    this.editor.onChange(() => this.#tell());
    titleField.addEventListener('input', () => this.#tell());
    titleField.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing) return;
      event.preventDefault();
      this.view.focus();
    });
    addEventListener('popstate', () => this.#show(idInAddress()));
  }

  get view() {
    return this.editor.view;
  }

  get text() {
    return this.editor.text;
  }

  get title() {
    return titleField.value;
  }

  get selection() {
    return this.editor.selection;
  }

  get isComposing() {
    return this.editor.isComposing;
  }

  /** Whether there is something that is not in `chapter`. */
  get isChanged() {
    return this.chapter !== null && (this.title !== this.chapter.title || this.isTextChanged);
  }

  get isTextChanged() {
    return this.chapter !== null && this.text !== asTyped(this.chapter.content);
  }

  /** `heard()` after each change of text or title. Both answer a function that stops it. */
  onChange(heard) {
    this.#changed.add(heard);
    return () => this.#changed.delete(heard);
  }

  /** `heard(chapter)` after a chapter was opened or loaded anew. */
  onOpen(heard) {
    this.#opened.add(heard);
    return () => this.#opened.delete(heard);
  }

  addExtension(extension) {
    this.editor.addExtension(extension);
  }

  replaceText(text, title = this.title) {
    titleField.value = title;
    this.editor.replaceText(text);
    this.#tell();
  }

  edit(changes) {
    this.editor.edit(changes);
  }

  select(from, to = from) {
    this.editor.select(from, to);
  }

  /** Opens another chapter in this page, at a selection or at a quote. */
  async openChapter(id, { from, to = from, quote } = /** @type {any} */ ({})) {
    if (Number(id) !== this.chapterId) {
      if (!(await this.#show(Number(id)))) return;
      history.pushState(null, '', `/chapters/${id}`);
    }
    if (quote) this.findQuote(quote);
    else if (from !== undefined) this.select(from, to);
  }

  findQuote(quote) {
    const at = this.text.indexOf(asTyped(quote));
    if (at >= 0) this.select(at, at + asTyped(quote).length);
  }

  /** Answers whether the chapter is shown: what is typed is kept first. */
  async #show(id) {
    if (id === this.chapterId) return true;
    const turn = ++this.#turn;
    const loaded = await this.#loaded(id);
    if (turn !== this.#turn) return false; // another one was asked for meanwhile
    // From here on nothing is waited for that can fail: until then the writer goes on in this one.
    if (!loaded || (this.chapter && !(await this.saver.leave()))) {
      history.replaceState(null, '', `/chapters/${this.chapterId}`);
      return false;
    }
    if (this.chapter) this.editor.keep(this.chapterId);
    this.chapter = null;
    this.chapterId = id;
    main.dataset.chapterId = String(id);
    await this.#take(loaded);
    return true;
  }

  /** Null where it cannot be had, which is said above the text. */
  async #loaded(id) {
    $('#open-failed')?.remove();
    try {
      return await load(id);
    } catch (error) {
      const alert = failure(error, () => void this.openChapter(id));
      alert.id = 'open-failed';
      $('#text').before(alert);
      return null;
    }
  }

  /** Loads the chapter and its findings anew; what is typed stays. */
  async reload() {
    const [turn, id] = [this.#turn, this.chapterId];
    const loaded = await load(id);
    // Meanwhile another one may have come, also one that was asked for before: its text stays.
    if (turn === this.#turn && id === this.chapterId) await this.#take(loaded);
  }

  async #take([chapter, findings]) {
    const isFirst = this.chapter === null;
    const isChanged = this.isChanged;
    this.findings = findings;
    if (isFirst || !isChanged) {
      this.chapter = chapter;
      titleField.value = chapter.title;
      titleField.disabled = false;
      if (isFirst) this.editor.open(this.chapterId, asTyped(chapter.content));
      else this.editor.replaceText(asTyped(chapter.content));
    } else {
      // The writer's text was made from the older version, which stays its base.
      if (this.title === this.chapter.title) titleField.value = chapter.title; // given elsewhere
      this.chapter = { ...chapter, version: this.chapter.version, content: this.chapter.content };
    }
    if (isFirst) await this.saver.open(this.chapter);
    this.#draw();
    for (const heard of this.#opened) heard(this.chapter);
    this.#tell();
  }

  /** `chapter` is what is saved now; the text on the page stays as it is. */
  setBase(chapter) {
    this.chapter = chapter;
    this.#draw();
    this.#tell();
  }

  #draw() {
    const { title, version } = this.chapter;
    setText($('#chapter-name'), title || t('untitled'));
    setText($('#chapter-version'), t('version', { n: version }));
    setPageTitle(`${chapterName(this.chapter)} · ${main.dataset.projectTitle}`);
  }

  #tell() {
    for (const heard of this.#changed) heard();
  }

  showPane(name, on) {
    $('#desk').dataset[name] = on ? 'shown' : 'hidden';
    $(`#toggle-${name}`).setAttribute('aria-expanded', String(on));
  }
}

const load = (id) => Promise.all([get(`/api/chapters/${id}`), get(`/api/chapters/${id}/findings`, { outdated: 1 })]);
const idInAddress = () => Number(location.pathname.split('/').pop());

export const desk = new Desk();
