/** Keeps what is typed at the desk, says how safe it is, and asks where two texts are there. */

import { get } from './api.js';
import { isConflictOpen, showConflict } from './conflict-view.js';
import { $, ask, h } from './dom.js';
import { keepText, keptText } from './form-drafts.js';
import { setUnsaved } from './forms.js';
import { t, when } from './i18n.js';
import { live } from './live.js';
import { OpenCopy } from './open-copy.js';
import { leftOf, sendLeftovers } from './outbox.js';
import { goToSignIn, session } from './sign-in.js';

const TONES = { offline: 'warn', unkept: 'danger', conflict: 'danger', signin: 'danger', gone: 'danger', refused: 'danger' };
const ACTIONS = { conflict: 'conflict_compare', signin: 'sign_in_again' };
const ON_DEVICE = new Set(['conflict', 'signin', 'gone']); // their words say that this device keeps the text
const TICK = 1000; // ms

export function mountWorkingCopy(desk) {
  const saver = new Saver(desk);
  desk.saver = saver;
  desk.onChange(() => saver.copy?.changed());
  desk.onOpen((chapter) => saver.loaded(chapter));
  addEventListener('online', () => saver.copy?.flush());
  live.addEventListener('refresh', () => saver.copy?.flush());
  session.addEventListener('signed-in', ({ detail }) => {
    void saver.copy?.flush();
    if (detail.hadFocus) desk.view.focus();
  });
  addEventListener('visibilitychange', () => (document.hidden ? saver.copy?.leaving(false) : void saver.follow()));
  addEventListener('pagehide', () => saver.copy?.leaving(true));
  addEventListener('pageshow', (event) => event.persisted && location.reload());
}

class Saver {
  #state = '';
  #savedAt = 0;
  #ticking = 0;
  copy = null;

  constructor(desk) {
    this.desk = desk;
    this.action = h('button', { type: 'button', class: 'small', hidden: true, data: { testid: 'saved-action' }, on: { click: () => this.#act() } });
    $('#saved-state').after(this.action);
    $('#desk-tools').append(h('button', { type: 'button', class: 'quiet', data: { testid: 'name-version' }, on: { click: () => this.#saveNamed() } }, t('version_name')));
  }

  /** Before the writer types: the text to go on with, of this device or of the server. */
  async open() {
    const { desk } = this;
    this.copy?.end();
    $('#conflict').hidden = true;
    const copy = new OpenCopy(desk, (state, values) => copy === this.copy && this.#show(state, values), Number(document.body.dataset.versionPause));
    copy.onVersion = () => void desk.reload();
    copy.onOtherVersion = () => this.#knowVersion(copy);
    this.copy = copy;
    this.#show('version', { n: desk.chapter.version });
    await sendLeftovers(desk.chapterId);
    await this.follow();
    await this.#adopt();
  }

  /** Goes on where the writer has stopped elsewhere, unless she has typed here meanwhile. */
  async follow() {
    const { copy } = this;
    try {
      const found = await get(`/api/chapters/${this.desk.chapterId}/working`);
      if (copy !== this.copy || copy.conflict) return;
      if (found.base_version !== copy.version.version) await this.#knowVersion(copy);
      if (copy === this.copy) copy.startFrom(found);
    } catch (error) {
      console.info('The working copy could not be loaded:', error.message);
    }
    await copy.flush();
  }

  async #knowVersion(copy) {
    const chapter = await get(`/api/chapters/${this.desk.chapterId}`);
    if (copy !== this.copy) return;
    copy.knowVersion(chapter);
    this.desk.setBase(chapter);
  }

  /** A text that this device has kept and the server has not taken is what the writer goes on with. */
  async #adopt() {
    const { copy } = this;
    const row = await leftOf(this.desk.chapterId).catch(() => null);
    if (!row || copy !== this.copy || copy.isDirty) return;
    copy.adopt(row);
    await copy.flush();
    if (copy.conflict && copy === this.copy) void this.#compare();
  }

  /** The desk has loaded the chapter anew: another version, and nothing typed on the page. */
  loaded(chapter) {
    if (!this.copy || this.copy.conflict || this.desk.isChanged || chapter.version === this.copy.version.version) return;
    this.copy.setVersion(chapter);
    this.#show('version', { n: chapter.version });
  }

  async save(name = '') {
    const { copy } = this;
    if (!copy?.conflict) await copy?.save(name);
    if (copy?.conflict && copy === this.copy) void this.#compare();
  }

  /** Before another chapter is shown. What is kept on this device is sent from there. */
  async leave() {
    const { copy } = this;
    if (!copy) return true;
    if (!(await copy.close())) return false;
    if (copy === this.copy) this.copy = null;
    void copy.end().then(() => sendLeftovers());
    return true;
  }

  async #saveNamed() {
    const input = h('input', { id: 'version-name', type: 'text', maxlength: 200, required: true, autocomplete: 'off' });
    const dialog = h('dialog', { class: 'card', 'aria-labelledby': 'version-name-title' },
      h('form', { class: 'stack', method: 'dialog' },
        h('h2', { id: 'version-name-title' }, t('version_name_title')),
        h('div', { class: 'field' }, h('label', { for: 'version-name' }, t('version_name_label')), input),
        h('div', { class: 'actions' },
          h('button', { class: 'primary', value: 'yes', data: { testid: 'version-name-save' } }, t('version_save')),
          h('button', { value: 'no', formnovalidate: true }, t('close')))));
    document.body.append(dialog);
    const yes = await ask(dialog);
    dialog.remove();
    if (yes && input.value.trim()) await this.save(input.value.trim());
  }

  #act() {
    if (this.#state === 'conflict') void this.#compare();
    else if (this.#state === 'signin') goToSignIn();
  }

  /** What the writer has chosen or written before stays, also where the page was closed meanwhile. */
  async #compare() {
    const { copy } = this;
    if (isConflictOpen()) {
      $('#conflict').focus();
      return;
    }
    const name = `conflict:${this.desk.chapterId}`;
    const decided = JSON.parse((await keptText(name)) || '{}');
    if (!copy.conflict || copy !== this.copy || isConflictOpen()) return;
    showConflict($('#conflict'), {
      ...copy.sides,
      language: this.desk.language,
      decided,
      onDecided: (all) => void keepText(name, JSON.stringify(all)),
      onMerged: async (merged) => {
        this.desk.view.focus();
        void keepText(name, '');
        await copy.resolve(merged);
        if (copy.conflict) void this.#compare(); // changed once more meanwhile
        else await this.#adopt();
      },
      onClose: () => this.desk.view.focus(),
    });
  }

  #show(state, values = /** @type {any} */ ({})) {
    const line = $('#saved-state');
    if (state === 'saved') this.#savedAt = values.at;
    setUnsaved(this, Boolean(this.copy && !this.copy.isKept && this.copy.isDirty));
    this.#state = state;
    line.dataset.state = state;
    const isKept = this.copy?.isKept ?? true;
    line.dataset.tone = TONES[state] ?? (isKept ? '' : 'warn');
    const words = !isKept && ON_DEVICE.has(state) ? t('state_unkept', { reason: '' }).trim() : t(`state_${state}`, values);
    // How long ago it was is not read out every second.
    line.replaceChildren(h('span', { class: state === 'saved' ? 'hidden' : null }, words), h('span', { class: 'since', 'aria-hidden': 'true' }));
    if (!isKept && !(state in TONES)) line.append(` · ${t('keeps_no_copy')}`);
    const action = ACTIONS[state];
    this.action.hidden = !action;
    if (action) this.action.textContent = t(action);
    clearInterval(this.#ticking);
    if (state !== 'saved') return;
    this.#tick();
    this.#ticking = setInterval(() => this.#tick(), TICK);
  }

  #tick() {
    const seconds = Math.max(0, Math.round((Date.now() - this.#savedAt) / 1000));
    const words = seconds < 60 ? t('saved_seconds', { n: seconds }) : seconds < 3600 ? t('saved_minutes', { n: Math.round(seconds / 60) }) : t('saved_at', { when: when(this.#savedAt) });
    $('#saved-state .since').textContent = words;
  }
}
