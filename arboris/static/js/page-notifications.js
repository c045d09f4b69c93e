/** `/notifications`: what the analyses had to say, newest first. */

import { get } from './api.js';
import { $, $$, debounced, h, setText } from './dom.js';
import { t, when } from './i18n.js';
import { kindOf } from './kinds.js';
import { live, markAllRead, markRead } from './live.js';
import { failure } from './load.js';

const list = $('#notices');
const unreadOnly = $('#unread-only');

function entry({ id, title, message, chapter_id: chapter, notification_type: type, is_read: read, created_at: created }) {
  const open = read ? null : () => void markRead(id);
  const { status, badge } = kindOf(type);
  return h('li', { data: { notificationId: id, unread: String(!read) } },
    h('div', {},
      h('h2', {}, chapter ? h('a', { href: `/chapters/${chapter}`, on: open ? { click: open } : {} }, title) : title),
      message ? h('p', {}, message) : null,
      h('p', { class: 'meta' }, h('span', { class: 'badge', data: { status } }, badge), h('time', { datetime: created }, when(created)))),
    read ? null : h('button', { type: 'button', class: 'small', 'aria-label': t('mark_read_of', { title }), on: { click: () => markRead(id) } }, t('mark_read')));
}

async function load() {
  try {
    const notifications = await get('/api/async-analysis/notifications', { unread_only: unreadOnly.checked, limit: 100 });
    list.replaceChildren(...notifications.map(entry));
    setText($('#notices-empty p'), t(unreadOnly.checked ? 'no_unread' : 'no_notifications'));
    $('#notices-empty').hidden = notifications.length > 0;
    $('#read-all').disabled = !$('[data-unread="true"]', list);
  } catch (error) {
    list.replaceChildren(h('li', {}, failure(error, load)));
  } finally {
    list.removeAttribute('aria-busy');
  }
}

/** Read ones lose their button; the focus goes on to the next entry. */
function settle(id) {
  for (const item of $$('li[data-unread="true"]', list)) {
    if (id !== 'all' && item.dataset.notificationId !== String(id)) continue;
    const button = $('button', item);
    if (button === document.activeElement) ($('button', item.nextElementSibling ?? list) ?? $('a', item) ?? $('#main')).focus();
    button?.remove();
    item.dataset.unread = 'false';
  }
  $('#read-all').disabled = !$('[data-unread="true"]', list);
}

$('#read-all').addEventListener('click', async () => {
  try {
    setText($('#notifications-status'), await markAllRead());
  } catch (error) {
    setText($('#notifications-status'), error.message);
  }
});
unreadOnly.addEventListener('change', load);
const reload = debounced(load);
live.addEventListener('notification', reload);
live.addEventListener('refresh', reload);
live.addEventListener('read', ({ detail }) => settle(detail));
void load();
