/**
 * How a notification is told beside the bell: by one toast at a time, or by the browser where the
 * writer asked for that and looks elsewhere. One tab tells of an event, and nothing is told that the
 * page shows already.
 *
 * While more analyses are under way at most one toast comes; what ends after it has gone is told
 * together with the last of them. So a burst is told twice at most, however long it takes.
 */

import { $ } from './dom.js';
import { claim, wantsBrowser } from './tabs.js';
import { closeToast, heard, showToast, toastIsOpen } from './toasts.js';

let live = 0; // analyses of the writer that run or are due
let told = false; // a toast has come and gone since something is under way
let waiting = []; // what the next toast tells of

heard.gone = () => {
  told = live > 0;
};

/** How many analyses run or are due by now. */
export function underWay(number) {
  live = number;
  if (live > 0) return;
  told = false;
  flush();
}

export async function tell(notification) {
  if (notification.is_read || isShown(notification)) return;
  if (!(await claim(notification.id))) return;
  waiting.push(notification);
  if (toastIsOpen() || !told) flush();
}

/** What was read elsewhere needs no telling any more. */
export function forget(isRead) {
  waiting = waiting.filter(({ id }) => !isRead(id));
  closeToast(isRead);
}

function flush() {
  if (!waiting.length) return;
  if (document.hidden && wantsBrowser()) tellByBrowser(waiting);
  else showToast(waiting);
  waiting = [];
}

/** The chapter's own page shows its state and its findings. */
const isShown = ({ chapter_id: chapter }) => !document.hidden && location.pathname === `/chapters/${chapter}`;

function tellByBrowser(notifications) {
  const newest = notifications.at(-1);
  const lines = notifications.slice(-3).map(({ title, data }) => data.digest ?? title);
  // Of the same tag a later one takes the place of the one before.
  const shown = new Notification('Arboris', { body: lines.join('\n'), tag: 'arboris', lang: document.documentElement.lang, icon: $('link[rel="icon"]')?.href });
  shown.addEventListener('click', () => {
    focus();
    location.assign(notifications.length === 1 && newest.chapter_id ? `/chapters/${newest.chapter_id}` : '/notifications');
  });
}
