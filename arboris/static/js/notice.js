/** One notification in a list: in the bell's digest, and on the page of all. */

import { $, $$, h } from './dom.js';
import { t, when } from './i18n.js';
import { kindOf } from './kinds.js';
import { markRead } from './live.js';
import { mayRetry, retryButton } from './retry.js';

/** An `li` that says all of it in one line. */
export function digestLine(notification) {
  const { data, title, chapter_id: chapter, created_at: created } = notification;
  return item(notification,
    h('a', { href: chapter ? `/chapters/${chapter}` : '/notifications', on: { click: () => void markRead(notification) } }, data.digest ?? title),
    h('p', { class: 'meta' }, h('time', { datetime: created }, when(created))),
    retryOf(notification));
}

/** An `li` with everything, to be marked as read one by one. */
export function notice(notification) {
  const { title, data, chapter_id: chapter, notification_type: type, is_read: read, created_at: created } = notification;
  const open = read ? {} : { click: () => void markRead(notification) };
  const { status, badge } = kindOf(type);
  return item(notification,
    h('div', {},
      h('h2', {}, chapter ? h('a', { href: `/chapters/${chapter}`, on: open }, title) : title),
      h('p', {}, data.digest),
      h('p', { class: 'meta' }, h('span', { class: 'badge', data: { status } }, badge), h('time', { datetime: created }, when(created)))),
    retryOf(notification),
    read ? null : h('button', { type: 'button', class: 'small read', 'aria-label': t('mark_read_of', { title }), on: { click: () => markRead(notification) } }, t('mark_read')));
}

const item = ({ id, is_read: read }, ...children) => h('li', { data: { notificationId: id, unread: String(!read) } }, children);

function retryOf(notification) {
  const { pending_analysis_id: task } = notification;
  return mayRetry(notification) ? retryButton(task, () => void markRead(notification)) : null;
}

/** Entries that were read lose their mark and their button; the focus goes on to the next entry. */
export function settle(list, isRead) {
  for (const entry of $$('li[data-unread="true"]', list)) {
    if (!isRead(Number(entry.dataset.notificationId))) continue;
    const button = $('button.read', entry);
    if (button && button === document.activeElement) ($('button.read', entry.nextElementSibling ?? list) ?? $('a', entry) ?? $('#main')).focus();
    button?.remove();
    entry.dataset.unread = 'false';
  }
}
