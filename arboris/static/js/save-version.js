/** Saves what is on the page as a new version. Nothing is overwritten and nothing lost unasked. */

import { get, patch } from './api.js';
import { $, ask, setText } from './dom.js';
import { setUnsaved } from './forms.js';
import { t } from './i18n.js';
import { asTyped } from './text-editor.js';

export function mountSaving(desk) {
  const saver = new VersionSaver(desk);
  desk.saver = saver;
  desk.onChange(() => setUnsaved(saver, desk.isChanged));
  $('#keep-mine').addEventListener('click', () => saver.keepMine());
  $('#take-newest').addEventListener('click', () => saver.takeNewest());
}

class VersionSaver {
  #newest = null; // what was saved elsewhere meanwhile, while the writer has to choose
  #busy = false;

  constructor(desk) {
    this.desk = desk;
  }

  open() {
    this.#show(null);
    this.desk.say('');
  }

  /** Before another chapter is shown: saves, and answers whether all of it is saved. */
  async leave() {
    if (this.desk.isChanged) await this.save();
    return !this.desk.isChanged;
  }

  async save() {
    if (this.#busy) return;
    this.#busy = true;
    this.desk.say(t('sending'));
    try {
      this.desk.say(await this.#save());
    } catch (error) {
      if (error.current) this.#show(error.current);
      this.desk.say(error.current ? '' : [error.message, ...Object.values(error.fields).flat()].join(' '), 'danger');
    } finally {
      this.#busy = false;
    }
  }

  async #save() {
    const { chapter: base, title, text } = this.desk;
    // Whoever saves a draft as it is takes it for finished.
    const isNew = base.source === 'draft' || text !== asTyped(base.content);
    const changes = { ...(isNew ? { content: text } : {}), ...(title !== base.title ? { title } : {}) };
    if (!Object.keys(changes).length) return t('nothing_changed');
    const saved = await this.#send(base, changes);
    this.#show(null);
    // A text that was changed elsewhere is taken, unless there is one on the page that was made from the older.
    const wasElsewhere = asTyped(saved.content) !== text;
    if (wasElsewhere && this.desk.text !== asTyped(base.content)) this.desk.setBase({ ...base, title: saved.title });
    else this.desk.setBase(saved);
    if (wasElsewhere && !isNew && this.desk.text === asTyped(base.content)) this.desk.replaceText(asTyped(saved.content));
    await this.desk.reload();
    if (this.desk.isChanged) return t('text_saved_typing', { n: saved.version });
    return isNew ? t('text_saved', { n: saved.version }) : t('project_saved');
  }

  async #send(base, changes) {
    const url = `/api/chapters/${base.id}`;
    const send = (base_version) => patch(url, { ...changes, base_version });
    try {
      return await send(base.version);
    } catch (error) {
      const { current } = error;
      if (!current) throw error;
      // A new title goes with a text that was changed elsewhere, if nobody changed the title there.
      if (changes.content === undefined && current.title === base.title) return send(current.version);
      // Saved already, by a call whose answer did not arrive.
      if (asTyped(current.content) === changes.content && current.title === (changes.title ?? base.title)) return get(url);
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

  async keepMine() {
    if (this.#busy) return;
    const { desk } = this;
    const title = desk.title === desk.chapter.title ? this.#newest.title : desk.title;
    desk.setBase({ ...desk.chapter, ...this.#newest });
    desk.replaceText(desk.text, title);
    await this.save();
  }

  async takeNewest() {
    if (this.#busy || !(await ask($('#discard-dialog')))) return;
    const newest = this.#newest;
    this.desk.setBase({ ...this.desk.chapter, ...newest });
    this.desk.replaceText(asTyped(newest.content), newest.title);
    this.#show(null);
    this.desk.view.focus();
    await this.desk.reload();
  }
}
