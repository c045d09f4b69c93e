/**
 * The toast: one at a time, at an edge where it covers no text, spoken politely, gone by itself
 * unless somebody is at it, closed by keyboard too. What comes while it is there joins it.
 */

import { $, debounced, h } from './dom.js';
import { t, tn } from './i18n.js';
import { kindOf } from './kinds.js';
import { mayRetry, retryButton } from './retry.js';

const PLACES = ['bottom-start', 'bottom-end', 'top-end', 'top-start'];
const TEXT = 'textarea, input, select, [contenteditable="true"], .prose, .written';
const isTyping = () => Boolean(document.activeElement?.closest(TEXT));
const isSmall = () => matchMedia('(max-width: 56rem), (pointer: coarse)').matches;
const GRID = 4; // points in each direction at which it is looked what lies under the toast

const region = $('#toasts');
const list = region && $('ol', region);
const clock = { left: 0, since: 0, timer: 0 };
let toast = null;
let told = []; // the notifications that the toast tells of
let held = false;

/** Set by whoever wants to know: `read(notification)` when somebody has seen to one, `gone()` when there is no toast any more. */
export const heard = { read: (notification) => void notification, gone: () => {} };

export const toastIsOpen = () => toast !== null;

/** Tells of the notifications, along with those that the toast tells of already. */
export function showToast(notifications) {
  // A newer one about the same analysis takes the older one's place.
  const tasks = new Set(notifications.map(({ pending_analysis_id: task }) => task).filter(Boolean));
  told = [...told.filter(({ pending_analysis_id: task }) => !tasks.has(task)), ...notifications];
  draw();
}

/** Takes out what was read elsewhere. */
export function closeToast(isRead) {
  if (!toast) return;
  const left = told.filter(({ id }) => !isRead(id));
  if (left.length === told.length) return;
  told = left;
  if (told.length) draw();
  else drop();
}

function draw() {
  const newest = told.at(-1);
  const worst = told.find(({ notification_type: type }) => kindOf(type).tone === 'danger') ?? newest;
  const { tone, stay } = kindOf(worst.notification_type);
  if (!toast) {
    toast = h('li', { class: 'toast', 'data-testid': 'toast' });
    list.append(toast);
  }
  Object.assign(toast.dataset, { notificationId: String(newest.id), type: worst.notification_type, tone });
  toast.replaceChildren(...(told.length === 1 ? aboutOne(newest) : aboutMany()));
  if (!place()) {
    drop();
    return;
  }
  clearTimeout(clock.timer);
  Object.assign(clock, { left: stay, timer: 0 });
  if (!held) run();
}

function aboutOne(notification) {
  const { title, message, data, chapter_id: chapter, pending_analysis_id: task } = notification;
  const read = () => heard.read(notification);
  return [
    h('strong', {}, title),
    closeButton(title, read),
    h('p', {}, data.digest ?? message),
    h('div', { class: 'toast-ways' },
      chapter ? h('a', { href: `/chapters/${chapter}`, on: { click: read } }, t('open_chapter')) : null,
      mayRetry(notification) ? retryButton(task, read) : null),
  ];
}

function aboutMany() {
  const title = tn('told', told.length);
  const lines = [...grouped(told)].map(([novel, ones]) => h('p', {}, t('told_of', { novel, results: counted(ones) })));
  return [h('strong', {}, title), closeButton(title, () => {}), h('div', { class: 'toast-lines' }, lines), h('div', { class: 'toast-ways' }, h('a', { href: '/notifications' }, t('all_notifications')))];
}

function grouped(notifications) {
  const groups = new Map();
  for (const one of notifications) groups.set(one.data.novel, [...(groups.get(one.data.novel) ?? []), one]);
  return groups;
}

function counted(notifications) {
  const counts = new Map();
  for (const { notification_type: type } of notifications) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, n]) => t('told_count', { what: kindOf(type).badge, n })).join(t('name_separator'));
}

function closeButton(title, onClose) {
  const close = () => {
    onClose();
    drop();
  };
  return h('button', { type: 'button', class: 'quiet', 'aria-label': `${t('dismiss')}: ${title}`, on: { click: close } }, '×');
}

/** Puts the toast where no text is under it; false where there is no such place, or no room beside a keyboard. */
function place() {
  if (isTyping() && isSmall()) return false;
  return PLACES.some((name) => {
    region.dataset.place = name;
    return !coversText();
  });
}

function coversText() {
  const { left, top, width, height } = toast.getBoundingClientRect();
  for (let across = 0; across <= GRID; across += 1) {
    for (let down = 0; down <= GRID; down += 1) {
      const under = document.elementsFromPoint(left + (width * across) / GRID, top + (height * down) / GRID);
      const below = under.find((element) => !region.contains(element));
      if (below?.closest(TEXT)) return true;
    }
  }
  return false;
}

function run() {
  if (clock.timer) return;
  clock.since = Date.now();
  clock.timer = setTimeout(drop, clock.left);
}

function hold() {
  if (!clock.timer) return;
  clearTimeout(clock.timer);
  clock.timer = 0;
  clock.left = Math.max(2000, clock.left - (Date.now() - clock.since));
}

function drop() {
  if (!toast) return;
  hold();
  if (toast.contains(document.activeElement)) $('#main').focus();
  toast.remove();
  toast = null;
  told = [];
  heard.gone();
}

/** While a pointer or the focus is on the toast, or the page is hidden, it stays. */
function watch() {
  held = document.hidden || region.matches(':hover') || region.contains(document.activeElement);
  if (toast) (held ? hold : run)();
}

if (region) {
  for (const type of ['mouseover', 'mouseout', 'focusin', 'focusout']) region.addEventListener(type, () => setTimeout(watch));
  document.addEventListener('visibilitychange', watch);
  // The text moves under it, or the caret comes near.
  const look = debounced(async () => {
    if (toast && !place()) drop();
  }, 50);
  for (const type of ['scroll', 'resize', 'focusin']) addEventListener(type, look, { capture: true, passive: true });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'F8') {
      ($('button, a', list) ?? region).focus();
      event.preventDefault();
    }
    if (event.key === 'Escape') document.activeElement?.closest('.toast')?.querySelector('button')?.click();
  });
}
