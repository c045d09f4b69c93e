/**
 * What every page shares: the socket with its polling reserve, the unread badge and the toasts.
 * Pages listen on `live`: 'notification' (the object), 'progress' ({task_id, percent, feature,
 * eta_seconds}), 'read' (id or 'all'), and 'refresh' (something may have been missed: load anew).
 */

import { get, post } from './api.js';
import { $, setText } from './dom.js';
import { t, tn } from './i18n.js';
import { Inbox } from './inbox.js';
import { LiveSocket } from './socket.js';
import { closeToast, showToast } from './toasts.js';

const POLL_EVERY = 5000; // ms
const SIGN_IN_PAUSE = 30_000; // ms until a socket that was refused is tried again
const GRACE = 3000; // ms: a short break of the line is not worth a word
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

function hear({ type, data }) {
  if (type === 'notification') receive(data);
  else if (type === 'progress') emit('progress', data);
  else if (type === 'state') settle(data);
  else if (type === 'reset') recover();
}

function receive(notification) {
  socket.send({ type: 'ack', id: notification.id });
  if (!inbox.take(notification.id)) return;
  if (!notification.is_read) {
    setUnread(unread + 1);
    showToast(notification, markRead);
  }
  emit('notification', notification);
}

/** The server's own count heals ours; an id that we lack is fetched. */
function settle({ unread: count, max_id: newest }) {
  setUnread(count);
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

async function countUnread() {
  const waiting = await get(API, { unread_only: true, limit: 100 });
  setUnread(waiting.length);
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
  poll ||= setInterval(() => {
    void fetchMissed();
    emit('refresh');
  }, POLL_EVERY);
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
export async function markRead(id) {
  closeToast(id);
  try {
    await post(`${API}/${id}/read`);
    setUnread(unread - 1);
    emit('read', id);
  } catch (error) {
    console.info('The notification could not be marked as read:', error.message);
  }
}

export async function markAllRead() {
  const answer = await post(`${API}/read-all`);
  setUnread(0);
  emit('read', 'all');
  return answer.message;
}

async function startLive() {
  try {
    await Promise.all([countUnread(), inbox.last === null ? begin() : null]);
  } catch (error) {
    console.info('Notifications could not be counted:', error.message);
  }
  socket.start();
}

if (document.body.dataset.userId) void startLive();
