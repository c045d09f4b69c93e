/** `/notifications`: what the analyses had to say, newest first, as far back as they are kept. */

import './bell.js';
import { get } from './api.js';
import { $, setText } from './dom.js';
import { t, tn } from './i18n.js';
import { live, markAllRead } from './live.js';
import { failure } from './load.js';
import { notice, settle } from './notice.js';
import { mountPalette } from './palette.js';
import { chooseBrowser } from './tabs.js';

const PAGE = 50; // notifications in one call
const list = $('#notices');
const unreadOnly = $('#unread-only');
const older = $('#older');
const fresh = $('#fresh');
let arrived = 0;
const say = (words) => setText($('#notifications-status'), words);

const page = (before) => get('/api/async-analysis/notifications', { unread_only: unreadOnly.checked, limit: PAGE, before });

async function load() {
  try {
    const newest = await page();
    list.replaceChildren(...newest.map(notice));
    older.hidden = newest.length < PAGE;
    arrived = 0;
    fresh.hidden = true;
    showWhole();
  } catch (error) {
    list.replaceChildren(failureItem(error));
  } finally {
    list.removeAttribute('aria-busy');
  }
}

function failureItem(error) {
  const item = document.createElement('li');
  item.append(failure(error, load));
  return item;
}

function showWhole() {
  setText($('#notices-empty p'), t(unreadOnly.checked ? 'no_unread' : 'no_notifications'));
  $('#notices-empty').hidden = list.children.length > 0;
  $('#read-all').ariaDisabled = String(!$('[data-unread="true"]', list)); // and not disabled: it has the focus
}

async function loadOlder() {
  say('');
  try {
    const last = list.lastElementChild?.dataset.notificationId;
    const more = await page(last);
    const entries = more.map(notice);
    list.append(...entries);
    older.hidden = more.length < PAGE;
    $('a', entries[0] ?? list)?.focus();
    showWhole();
  } catch (error) {
    say(error.message);
  }
}

$('#read-all').addEventListener('click', async () => {
  try {
    say(await markAllRead());
  } catch (error) {
    say(error.message);
  }
});
older.addEventListener('click', loadOlder);
unreadOnly.addEventListener('change', load);
chooseBrowser($('#by-browser'), say);
fresh.addEventListener('click', async () => {
  await load();
  ($('a', list) ?? $('#main')).focus();
});
live.addEventListener('notification', ({ detail }) => {
  if (list.children.length === 0) {
    list.append(notice(detail));
    showWhole();
    return;
  }
  // What somebody is reading must not move: the new ones wait for a click.
  arrived += 1;
  setText(fresh, tn('arrived', arrived));
  fresh.hidden = false;
});
live.addEventListener('refresh', load);
live.addEventListener('read', ({ detail }) => {
  settle(list, detail);
  showWhole();
});
mountPalette();
void load();
