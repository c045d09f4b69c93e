/** The state of a chapter's analysis: badge, progress, place in the queue, retry and cancel. */

import { get, post } from './api.js';
import { busyWhile, h, setText } from './dom.js';
import { label, t, timeLeft } from './i18n.js';
import { kindOf } from './kinds.js';

const API = '/api/async-analysis/tasks';

export const isLive = (analysis) => analysis?.status === 'pending' || analysis?.status === 'processing';

/** What an analysis ended without, in words. */
const incomplete = (missing) => missing.length && t('incomplete', { what: missing.map((key) => label('updates', key)).join(t('name_separator')) });

export class StatusBox {
  #analysis = null;

  /** Fills `root`. `onChange` is called after a retry or cancel, and may load the chapter anew. */
  constructor(root, onChange) {
    this.onChange = onChange;
    this.badge = h('span', { class: 'badge', 'data-testid': 'status-badge', tabindex: '-1' });
    this.bar = h('progress', { max: 100, 'aria-label': t('progress_label'), hidden: true });
    this.words = h('span', { hidden: true });
    this.retry = this.#button('retry', () => busyWhile(this.retry, () => this.#act('retry')));
    this.cancel = this.#button('cancel', () => busyWhile(this.cancel, () => this.#act('cancel')));
    this.problem = h('p', { class: 'problem', hidden: true });
    root.append(this.badge, this.bar, this.words, this.retry, this.cancel, this.problem);
  }

  get taskId() {
    return this.#analysis?.id ?? null;
  }

  get isLive() {
    return isLive(this.#analysis);
  }

  /** `analysis` as the API gives it with a chapter, or null: none was asked for, or it is a draft. */
  set(analysis, source = '') {
    const stillWaits = analysis?.status === 'pending' && analysis.id === this.taskId && this.#analysis.status === 'pending';
    this.#analysis = analysis;
    const status = analysis?.status ?? (source === 'draft' ? 'draft' : 'none');
    this.badge.dataset.status = status;
    setText(this.badge, label('status', status));
    const missing = status === 'completed' ? analysis.missing ?? [] : [];
    this.#show(this.retry, status === 'failed' || status === 'cancelled' || missing.length > 0);
    this.#show(this.cancel, this.isLive);
    this.#say(this.problem, status === 'failed' ? analysis.error_message : incomplete(missing));
    if (status === 'processing') this.#draw(analysis.progress ?? { percent: 0 });
    else if (!stillWaits) this.#draw(null); // its place in the queue stays till the new one is known
  }

  /** Takes a notification about this chapter: the badge changes before the details are loaded. */
  notice({ pending_analysis_id: task, notification_type: type, message, data }) {
    const { status } = kindOf(type);
    if (!status || (this.taskId !== null && task < this.taskId)) return;
    this.set({ id: task, status, progress: null, error_message: status === 'failed' ? message : '', missing: data?.missing });
  }

  progress(progress) {
    if (progress.task_id !== this.taskId || !this.isLive) return;
    if (this.#analysis.status === 'pending') this.set({ ...this.#analysis, status: 'processing' });
    this.#draw(progress);
  }

  /** While it waits: its place in the queue, from the task's own page of the API. */
  async loadQueuePlace() {
    if (this.#analysis?.status !== 'pending') return;
    const task = await get(`${API}/${this.taskId}`);
    if (task.id !== this.taskId || task.status !== this.#analysis.status) return;
    const { queue_position: place, eta_seconds: eta, waiting } = task;
    const parts = [place ? t('queue_position', { n: place }) : '', eta ? timeLeft(eta) : '', waiting?.message];
    this.#say(this.words, parts.filter(Boolean).join(' · '));
  }

  #draw(progress) {
    this.bar.hidden = progress === null;
    if (progress === null) {
      this.#say(this.words, '');
      return;
    }
    const percent = Math.round(progress.percent ?? 0);
    // A model thinks before it writes: so long the bar says that something is under way, not how far.
    if (percent) this.bar.value = percent;
    else this.bar.removeAttribute('value');
    const parts = [percent ? t('percent', { n: percent }) : '', label('feature', progress.feature), progress.eta_seconds ? timeLeft(progress.eta_seconds) : ''];
    this.#say(this.words, parts.filter(Boolean).join(' · '));
  }

  async #act(action) {
    try {
      await post(`${API}/${this.taskId}/${action}`);
      if (action === 'cancel' && this.isLive) this.#say(this.words, t('cancelling'));
    } catch (error) {
      this.#say(this.problem, error.message);
    }
    await this.onChange();
  }

  #button(name, listener) {
    return h('button', { type: 'button', class: 'small', hidden: true, 'data-testid': `${name}-analysis`, on: { click: listener } }, t(name));
  }

  #show(button, visible) {
    // Whoever pressed a button that goes stays where it was.
    if (!visible && button === document.activeElement) this.badge.focus();
    button.hidden = !visible;
  }

  #say(element, text) {
    setText(element, text ?? '');
    element.hidden = !text;
  }
}
