/** The form that a chapter's text is changed in. Nothing is overwritten and nothing lost unasked. */

import { get, patch } from './api.js';
import { $, ask, setText } from './dom.js';
import { guardText, onSubmit, say } from './forms.js';
import { t } from './i18n.js';

/** Fields hold line feeds alone, whatever line ends the saved text has. */
const asTyped = (content) => content.replace(/\r\n?/g, '\n');

export class ChapterEditor {
  #form;
  #url;
  #base = null; // the chapter that the writer's changes were made to
  #newest = null; // what was saved elsewhere meanwhile, while the writer has to choose

  /** `onSaved()` loads the chapter anew; `onToggle(open, words)` shows or hides what is around. */
  constructor(form, url, { onSaved, onToggle }) {
    this.#form = form;
    this.#url = url;
    this.onSaved = onSaved;
    this.onToggle = onToggle;
    const { title, content } = form.elements;
    guardText(title);
    guardText(content);
    onSubmit(form, () => this.#save());
    $('#edit-cancel').addEventListener('click', () => this.#discard());
    $('#keep-mine').addEventListener('click', () => this.#keepMine());
    $('#take-newest').addEventListener('click', () => this.#takeNewest());
  }

  open(chapter) {
    this.#startFrom(chapter);
    this.#form.reset();
    say(this.#form, '');
    this.#form.hidden = false;
    this.onToggle(true, '');
    this.#form.elements.content.focus();
  }

  #close(words = '') {
    this.#form.reset();
    this.#show(null);
    this.#form.hidden = true;
    this.onToggle(false, words);
  }

  /** As default values, so that "reset" and the guard know what is saved. */
  #startFrom(chapter) {
    this.#base = chapter;
    const { title, content } = this.#form.elements;
    for (const [field, value] of [[title, chapter.title], [content, asTyped(chapter.content)]]) {
      const typed = field.value;
      field.defaultValue = value;
      field.value = typed; // a field that was never typed into would take its new default
    }
  }

  get #typed() {
    const { title, content } = this.#form.elements;
    return { title: title.value, content: content.value };
  }

  #changes({ title, content }) {
    const base = this.#base;
    // Whoever saves a draft as it is takes it for finished.
    const isNew = base.source === 'draft' || content !== asTyped(base.content);
    return { ...(isNew ? { content } : {}), ...(title !== base.title ? { title } : {}) };
  }

  async #save() {
    const sent = this.#typed;
    const changes = this.#changes(sent);
    if (!Object.keys(changes).length) {
      this.#close(t('nothing_changed'));
      return '';
    }
    let saved;
    try {
      saved = await this.#send(changes);
    } catch (error) {
      if (!error.current) throw error;
      this.#show(error.current);
      return '';
    }
    this.#show(null);
    await this.onSaved();
    const typed = this.#typed;
    if (typed.title === sent.title && typed.content === sent.content) {
      this.#close(changes.content === undefined ? t('project_saved') : t('text_saved', { n: saved.version }));
      return '';
    }
    // Typed while the save was under way. A text that is not the one sent is still a change of the older one.
    this.#startFrom(asTyped(saved.content) === sent.content ? saved : { ...this.#base, title: saved.title });
    return t('text_saved_typing', { n: saved.version });
  }

  async #send(changes) {
    const send = (base_version) => patch(this.#url, { ...changes, base_version });
    try {
      return await send(this.#base.version);
    } catch (error) {
      const { current } = error;
      if (!current) throw error;
      // A new title goes with a text that was changed elsewhere, if nobody changed the title there.
      if (changes.content === undefined && current.title === this.#base.title) return send(current.version);
      // Saved already, by a call whose answer did not arrive.
      if (asTyped(current.content) === changes.content && current.title === (changes.title ?? this.#base.title)) return get(this.#url);
      throw error;
    }
  }

  /** The text that was saved elsewhere beside the writer's own, for the writer to choose. */
  #show(newest) {
    this.#newest = newest;
    $('#conflict').hidden = newest === null;
    if (newest === null) return;
    setText($('#conflict-note'), t('conflict', { n: newest.version }));
    setText($('#conflict-name'), newest.title || t('untitled'));
    setText($('#conflict-text'), asTyped(newest.content));
    $('#conflict').focus();
  }

  #keepMine() {
    if (this.#isBusy) return;
    const { title } = this.#form.elements;
    const ownTitle = title.value !== this.#base.title;
    this.#startFrom({ ...this.#newest });
    if (!ownTitle) title.value = this.#newest.title;
    this.#form.requestSubmit();
  }

  async #takeNewest() {
    if (this.#isBusy || !(await ask($('#discard-dialog')))) return;
    this.#startFrom({ ...this.#newest });
    this.#form.reset();
    this.#show(null);
    this.#form.elements.content.focus();
  }

  async #discard() {
    if (this.#isBusy) return;
    const { title, content } = this.#form.elements;
    const isChanged = [title, content].some((field) => field.value !== field.defaultValue);
    if (isChanged && !(await ask($('#discard-dialog')))) return;
    this.#close();
  }

  /** While a save is under way there is nothing to choose: its answer decides. */
  get #isBusy() {
    return this.#form.getAttribute('aria-busy') === 'true';
  }
}
