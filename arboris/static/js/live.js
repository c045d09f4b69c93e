/**
 * What every page shares: the socket with its polling reserve, the bell's count (without muted novels), and the toast.
 * Pages listen on `live`: 'notification' (the object, of muted novels too), 'progress' ({task_id,
 * percent, feature, eta_seconds}), 'queue' ({live, projects}: how many analyses are under way), 'bible'
 * ({project_id, revision, folding}: the novel's bible is another now, or is being folded), 'read'
 * (a function that says of an id whether it is read by now), 'state', and 'refresh' (something may have
 * been missed: load anew).
 */

import { get, post } from './api.js';
import { $, setText } from './dom.js';
import { t, tn } from './i18n.js';
import { Inbox } from './inbox.js';
import { startOutbox } from './outbox.js';
import './sign-in.js';
import { LiveSocket } from './socket.js';
import { forget, tell, underWay } from './telling.js';
import { heard } from './toasts.js';

const POLL_EVERY = 5000; // ms
const SIGN_IN_PAUSE = 30_000; // ms until a socket that was refused is tried again
const GRACE = 3000; // ms: a short break of the line is not worth a word
const MOST_UNREAD = 100; // so many unread ids the server tells at most
const API = '/api/async-analysis/notifications';

/** @type {{ addEventListener(type: string, heard: (event: CustomEvent) => void): void, dispatchEvent(event: Event): boolean }} */
export const live = /** @type {any} */ (new EventTarget());
const emit = (type, detail) => live.dispatchEvent(new CustomEvent(type, { detail }));

const inbox = new Inbox(document.body.dataset.userId ?? '');
let plainTitle = document.title;
let unread = 0;
let poll = 0;
let grace = 0;
let wasUp = false;

const socket = new LiveSocket({ since: () => inbox.last, onFrame: hear, onUp: up, onDown: down, onSignedOut: signedOut });
heard.read = (notification) => void markRead(notification);

function hear({ type, data }) {
  if (type === 'notification' || type === 'changed') receive(data);
  else if (type === 'progress') emit('progress', data);
  else if (type === 'queue') hearQueue(data);
  else if (type === 'bible') emit('bible', data);
  else if (type === 'read') hearRead(data.unread_ids);
  else if (type === 'state') settle(data);
  else if (type === 'reset') recover();
}

function receive(notification) {
  socket.send({ type: 'ack', id: notification.id });
  if (!inbox.take(notification.id)) return;
  if (!notification.data.muted) {
    if (!notification.is_read) setUnread(unread + 1);
    void tell(notification);
  }
  emit('notification', notification);
}

function hearQueue(queue) {
  underWay(queue.live);
  emit('queue', queue);
}

/** What is not among the unread ones was read, unless it is older than all that the server told. */
function hearRead(ids) {
  const waiting = new Set(ids);
  const oldest = ids.length < MOST_UNREAD ? 0 : Math.min(...ids);
  toldRead((id) => id >= oldest && !waiting.has(id));
}

function toldRead(isRead) {
  forget(isRead);
  emit('read', isRead);
}

/** The server's own count heals ours; an id that we lack is fetched. */
function settle({ unread: count, muted, max_id: newest }) {
  setUnread(count - muted);
  if (inbox.last === null) inbox.startAt(newest ?? 0);
  else if (newest > inbox.last) void fetchMissed(newest);
  emit('state');
}

/** The server can't replay from where we are: begin at its newest and load the page's data anew. */
async function recover() {
  await begin();
  emit('refresh');
}

async function begin() {
  const [newest] = await get(API, { limit: 1 });
  inbox.startAt(newest?.id ?? 0);
}

async function fetchMissed(newest = 0) {
  try {
    if (inbox.last === null) await begin();
    const missed = await get(API, { unread_only: true, since: inbox.since, limit: 100 });
    missed.reverse().forEach(receive);
    inbox.reach(newest);
  } catch (error) {
    console.info('Notifications could not be fetched:', error.message);
  }
}

/** Without a socket nobody tells how many are unread. */
async function pollOnce() {
  await fetchMissed();
  try {
    setUnread((await get(API, { unread_only: true, limit: 100 })).filter(({ data }) => !data.muted).length);
  } catch (error) {
    console.info('Notifications could not be counted:', error.message);
  }
  emit('refresh');
}

function up() {
  clearTimeout(grace);
  clearInterval(poll);
  poll = grace = 0;
  showLink(true);
  if (wasUp) emit('refresh');
  wasUp = true;
}

function down() {
  grace ||= setTimeout(() => showLink(false), GRACE);
  poll ||= setInterval(() => void pollOnce(), POLL_EVERY);
  underWay(0); // unknown from now on
}

/** The API has the last word: its 401 leads to the login page. Until then there is polling. */
function signedOut() {
  down();
  void fetchMissed();
  setTimeout(() => socket.start(), SIGN_IN_PAUSE);
}

function showLink(isUp) {
  const state = $('#link-state');
  if (!state) return;
  state.dataset.state = isUp ? 'up' : 'down';
  state.hidden = isUp;
  setText(state, t(isUp ? 'link_up' : 'link_down'));
}

function setUnread(n) {
  unread = Math.max(0, n);
  const badge = $('#unread');
  if (badge) {
    badge.hidden = unread === 0;
    setText(badge, unread > 99 ? '99+' : String(unread));
    badge.title = tn('unread', unread);
  }
  showTitle();
}

/** The page's title from now on, behind the number of unread notifications. */
export function setPageTitle(title) {
  plainTitle = `${title} · Arboris`;
  showTitle();
}

function showTitle() {
  document.title = unread ? `(${unread > 99 ? '99+' : unread}) ${plainTitle}` : plainTitle;
}

/** Marks one notification as read; a failure leaves it unread, and the server's count says so. */
export async function markRead({ id, data }) {
  forget((one) => one === id);
  try {
    await post(`${API}/${id}/read`);
    if (!data.muted) setUnread(unread - 1);
    toldRead((one) => one === id);
  } catch (error) {
    console.info('The notification could not be marked as read:', error.message);
  }
}

export async function markAllRead() {
  const answer = await post(`${API}/read-all`);
  setUnread(0);
  toldRead(() => true);
  return answer.message;
}

if (document.body.dataset.userId) {
  socket.start();
  startOutbox();
}
