/** The buttons of the binder: what can be done with the row that is chosen. */

import { get, patch, post } from './api.js';
import { ask, h, setText } from './dom.js';
import { creating, keepText, keptText } from './form-drafts.js';
import { t } from './i18n.js';

const OF_CHAPTERS = ['up', 'down', 'notes', 'split', 'join', 'divide', 'delete'];
let count = 0;

function placeBelow(button, menu) {
  const { left, bottom } = button.getBoundingClientRect();
  Object.assign(menu.style, { left: `${left}px`, top: `${bottom + 4}px` });
}

export class BinderTools {
  #busy = false;
  #buttons = {};

  constructor(binder) {
    this.binder = binder;
    const id = `binder-more-${(count += 1)}`;
    this.menu = h('div', { id, class: 'card binder-menu', popover: 'auto' },
      ['rename', 'notes', 'split', 'join', 'divide', 'undivide', 'delete'].map((name) => this.#button(name, t(`binder_${name}`), 'quiet')),
      h('a', { href: '/trash' }, t('binder_trash')));
    const more = h('button', { type: 'button', class: 'quiet', popovertarget: id, 'aria-label': t('binder_more'), title: t('binder_more'), data: { testid: 'binder-more' } }, '⋯');
    this.menu.addEventListener('beforetoggle', () => placeBelow(more, this.menu));
    this.element = h('div', { role: 'toolbar', class: 'binder-tools', 'aria-label': t('binder_tools') },
      this.#icon('add', '＋'), this.#icon('up', '↑'), this.#icon('down', '↓'), more, this.menu);
  }

  #icon(name, sign) {
    const button = this.#button(name, sign, 'quiet');
    button.setAttribute('aria-label', t(`binder_${name}`));
    button.title = t(`binder_${name}`);
    return button;
  }

  #button(name, words, style) {
    const button = h('button', { type: 'button', class: style, data: { testid: `binder-${name}` }, on: { click: () => this.run(name) } }, words);
    this.#buttons[name] = button;
    return button;
  }

  /** Only what can be done with this row. */
  show(row) {
    const isChapter = row !== null && row.id !== null;
    for (const name of OF_CHAPTERS) this.#buttons[name].hidden = !isChapter;
    this.#buttons.undivide.hidden = isChapter || row === null;
    this.#buttons.rename.hidden = row === null;
    this.#buttons.split.hidden ||= !this.binder.host.caret || row.id !== this.binder.opened;
    this.#buttons.join.hidden ||= this.binder.order.next(row.id) === null;
  }

  run(name) {
    if (this.menu.matches(':popover-open')) this.menu.hidePopover();
    return this.attempt(async () => {
      await this.binder.loaded;
      await this[`_${name}`](this.binder.chosen);
    });
  }

  /** One at a time; what goes wrong is said in the binder. */
  async attempt(work) {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await work();
    } catch (error) {
      this.binder.say([error.message, ...Object.values(error.fields ?? {}).flat()].join(' '));
    } finally {
      this.#busy = false;
    }
  }

  _up() {
    this.binder.move(-1);
  }

  _down() {
    this.binder.move(1);
  }

  _rename() {
    this.binder.rename();
  }

  _delete(row) {
    return this.#settled(row, () => this.binder.discard(row));
  }

  async #settled(row, work) {
    const { host } = this.binder;
    await this.binder.settled();
    if (await host.settle(row.id)) await work();
    else this.binder.say(t('binder_unsaved'));
  }

  async _add(row) {
    const { binder } = this;
    await binder.settled();
    const volume = row && binder.order.volumes[row.volume].chapters;
    const after = row?.id ?? (volume?.length ? binder.order.previous(volume[0]) : null) ?? 0;
    const add = () => creating(`after:${binder.api}:${after}`, `${binder.api}/chapters`, { after, mode: 'basic' });
    let chapter = await add();
    // That of an earlier try, whose answer was lost and which the binder has shown since.
    if (binder.order.chapters.has(chapter.id)) chapter = await add();
    await binder.reload();
    binder.say(t('binder_added'));
    binder.host.onChange({ id: chapter.id });
    await binder.host.onOpen(chapter.id);
  }

  async _split(row) {
    const { binder } = this;
    await this.#settled(row, async () => {
      const place = await binder.host.caret();
      if (!place) return binder.say(t('binder_unsaved'));
      await post(`/api/chapters/${row.id}/split`, { at: place.at, base_version: place.version });
      await binder.reload();
      binder.host.onChange({ id: row.id });
      return binder.say(t('binder_split_done'));
    });
  }

  async _join(row) {
    const { binder } = this;
    const following = binder.order.next(row.id);
    await this.#settled({ id: following }, () => this.#settled(row, async () => {
      const [first, second] = await Promise.all([row.id, following].map((id) => get(`/api/chapters/${id}`)));
      await post(`/api/chapters/${row.id}/join`, { base_version: first.version, next_version: second.version });
      await binder.reload();
      binder.host.onChange({ gone: following, id: row.id });
      binder.say(t('binder_joined'));
    }));
  }

  _divide(row) {
    this.binder.order.divide(row.id, t('binder_new_volume'));
    this.binder.changed();
    this.binder.say(t('binder_divided'));
  }

  _undivide(row) {
    this.binder.order.undivide(row.volume);
    this.binder.changed();
    this.binder.say(t('binder_undivided'));
  }

  async _notes(row) {
    const [path, name] = [`/api/chapters/${row.id}`, `notes-of:${row.id}`];
    const { notes } = await get(path);
    const [base, typed] = JSON.parse((await keptText(name)) || JSON.stringify([notes, notes]));
    const { dialog, field } = this.#notesDialog(this.binder.titleOf(row), typed);
    field.addEventListener('input', () => void keepText(name, JSON.stringify([base, field.value])));
    this.binder.element.append(dialog);
    const isWanted = await ask(dialog);
    dialog.remove();
    // Escape is pressed by mistake too: what was typed is there when the notes are opened again.
    if (!isWanted && dialog.returnValue !== 'no') return;
    if (isWanted && field.value !== notes) await this.#saveNotes(path, base, field.value);
    await keepText(name, '');
  }

  /** `notes` were made from `base`: what was noted elsewhere since stays too. */
  async #saveNotes(path, base, notes) {
    const { notes: newest } = await get(path);
    const isNewer = ![base, notes].includes(newest);
    await patch(path, { notes: isNewer ? `${notes}\n\n${newest}` : notes });
    this.binder.say(t(isNewer ? 'binder_notes_both' : 'binder_notes_saved'));
  }

  #notesDialog(title, notes) {
    const heading = h('h2', { id: 'binder-notes-title' });
    setText(heading, t('binder_notes_of', { title }));
    const field = h('textarea', { rows: '8', maxlength: '20000', 'aria-labelledby': 'binder-notes-title', data: { testid: 'binder-notes-text' } });
    field.value = notes;
    const dialog = h('dialog', { class: 'card binder-notes', 'aria-labelledby': 'binder-notes-title' },
      h('form', { class: 'stack', method: 'dialog' }, heading, field,
        h('div', { class: 'actions' },
          h('button', { value: 'yes', class: 'primary', data: { testid: 'binder-notes-save' } }, t('binder_save')),
          h('button', { value: 'no' }, t('binder_cancel')))));
    return { dialog, field };
  }
}
