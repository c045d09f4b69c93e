/** The button that has a failed analysis done again, wherever the failure is told. */

import { post } from './api.js';
import { busyWhile, h } from './dom.js';
import { t } from './i18n.js';

/** Whether an analysis failed, or ended without some of what it was to find. */
export function mayRetry({ notification_type: type, pending_analysis_id: task, data }) {
  return Boolean(task) && (type === 'failed' || (type === 'completed' && Boolean(data.missing?.length)));
}

/** Once it is pressed, its place says what came of it; `then` is called where the analysis is queued again. */
export function retryButton(task, then = () => {}) {
  const button = h('button', { type: 'button', class: 'small', 'data-testid': 'retry-notice', on: { click: () => busyWhile(button, () => retry(task, button, then)) } }, t('retry'));
  return button;
}

async function retry(task, button, then) {
  const words = await post(`/api/async-analysis/tasks/${task}/retry`).then(
    () => h('span', { role: 'status', tabindex: '-1' }, t('retried')),
    (error) => h('span', { class: 'problem', role: 'alert', tabindex: '-1' }, error.message));
  const focused = button === document.activeElement;
  button.replaceWith(words);
  if (focused) words.focus();
  if (words.role === 'status') then();
}
