/** The bell in the page's head: how much is unread, and on demand what it is, the newest first. */

import { get } from './api.js';
import { $, h } from './dom.js';
import { t } from './i18n.js';
import { live, markAllRead } from './live.js';
import { failure } from './load.js';
import { digestLine, settle } from './notice.js';

const SHOWN = 10;
const bell = $('#bell');
const digest = $('#digest');
const list = $('#digest-list');

async function load() {
  try {
    const newest = await get('/api/async-analysis/notifications', { limit: SHOWN });
    list.replaceChildren(...(newest.length ? newest.map(digestLine) : [h('li', { class: 'nothing' }, t('no_notifications'))]));
  } catch (error) {
    list.replaceChildren(h('li', {}, failure(error, load)));
  }
}

function open(on) {
  bell.setAttribute('aria-expanded', String(on));
  digest.hidden = !on;
  if (on) void load();
}

function add(notification) {
  if (digest.hidden) return;
  $('.nothing', list)?.remove();
  list.prepend(digestLine(notification));
  if (list.children.length > SHOWN) list.lastElementChild.remove();
}

if (bell) {
  bell.addEventListener('click', () => open(digest.hidden));
  $('#digest-read-all').addEventListener('click', () => void markAllRead().catch((error) => list.replaceChildren(h('li', {}, failure(error, load)))));
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || digest.hidden || !$('.bell').contains(document.activeElement)) return;
    open(false);
    bell.focus();
  });
  document.addEventListener('click', (event) => digest.hidden || event.composedPath().includes($('.bell')) || open(false));
  live.addEventListener('notification', ({ detail }) => add(detail));
  live.addEventListener('read', ({ detail }) => settle(list, detail));
}
