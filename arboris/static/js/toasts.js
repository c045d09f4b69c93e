/** Toasts: spoken politely, gone by themselves unless somebody is at them, closed by keyboard too. */

import { $, $$, h } from './dom.js';
import { t, tn } from './i18n.js';
import { kindOf } from './kinds.js';

const MOST = 4;
const SHOWN = '.toast:not(.more)';

const region = $('#toasts');
const list = region && $('ol', region);
const timers = new Map();
let held = false;
let dropped = 0;

/** Shows a notification. A newer one about the same analysis takes the older one's place. */
export function showToast(notification, onRead) {
  const { id, pending_analysis_id: task, notification_type: type, title, message, chapter_id: chapter } = notification;
  if (task !== null && task !== undefined) $$('.toast', list).filter((toast) => toast.dataset.task === String(task)).forEach(drop);
  const { tone, stay } = kindOf(type);
  const close = () => {
    onRead(id);
    drop(toast);
  };
  const toast = h('li', { class: 'toast', 'data-testid': 'toast', data: { notificationId: id, type, tone, task: task ?? '' } },
    h('strong', {}, title),
    h('button', { type: 'button', class: 'quiet', 'aria-label': `${t('dismiss')}: ${title}`, on: { click: close } }, '×'),
    message ? h('p', {}, message) : null,
    chapter ? h('a', { href: `/chapters/${chapter}`, on: { click: () => onRead(id) } }, t('open_chapter')) : null);
  list.append(toast);
  makeRoom();
  timers.set(toast, { left: stay, timer: 0, since: 0 });
  if (!held) run(toast);
}

/** Takes away the toast of a notification that was read elsewhere. */
export function closeToast(id) {
  $$('.toast', list).filter((toast) => toast.dataset.notificationId === String(id)).forEach(drop);
}

function makeRoom() {
  const toasts = $$(SHOWN, list);
  for (const toast of toasts.slice(0, Math.max(0, toasts.length - MOST))) {
    dropped += 1;
    drop(toast);
  }
  if (!dropped) return;
  let more = $('.more', list);
  if (!more) {
    more = h('li', { class: 'toast more' }, h('a', { href: '/notifications' }));
    list.prepend(more);
  }
  $('a', more).textContent = tn('more_toasts', dropped);
}

function run(toast) {
  const clock = timers.get(toast);
  if (!clock || clock.timer) return;
  clock.since = Date.now();
  clock.timer = setTimeout(() => drop(toast), clock.left);
}

function hold(toast) {
  const clock = timers.get(toast);
  if (!clock?.timer) return;
  clearTimeout(clock.timer);
  clock.timer = 0;
  clock.left = Math.max(2000, clock.left - (Date.now() - clock.since));
}

function drop(toast) {
  hold(toast);
  timers.delete(toast);
  const next = toast.nextElementSibling ?? toast.previousElementSibling;
  if (toast.contains(document.activeElement)) ((next && $('button, a', next)) ?? $('#main')).focus();
  toast.remove();
  if ($(SHOWN, list)) return;
  $('.more', list)?.remove();
  dropped = 0;
}

/** While a pointer or the focus is on the toasts, or the page is hidden, none of them goes. */
function watch() {
  held = document.hidden || region.matches(':hover') || region.contains(document.activeElement);
  for (const toast of timers.keys()) (held ? hold : run)(toast);
}

if (region) {
  for (const type of ['mouseover', 'mouseout', 'focusin', 'focusout']) region.addEventListener(type, () => setTimeout(watch));
  document.addEventListener('visibilitychange', watch);
  document.addEventListener('keydown', (event) => {
    if (event.key === 'F8') {
      ($('button, a', list) ?? region).focus();
      event.preventDefault();
    }
    if (event.key === 'Escape') document.activeElement?.closest('.toast')?.querySelector('button')?.click();
  });
}
