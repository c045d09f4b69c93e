/**
 * Texts of chapters that this device has and the server has not: of a page that was closed, reloaded
 * or cut off. Every page of the site sends them, in order and each by one page.
 */

import { cutVersion, deliver } from './delivery.js';
import { $, h } from './dom.js';
import { t } from './i18n.js';
import { allKept, collectLeft, drop, keep } from './local-store.js';
import { session } from './sign-in.js';

const AGAIN = 20_000; // ms
let running = Promise.resolve();
let again = 0;

const lockOf = (row) => `arboris-copy-${row.id}`;

/** Holds a copy for as long as its page is open: no other page sends it. Returns its release. */
export function hold(row) {
  let release = /** @type {(value?: unknown) => void} */ (() => {});
  const until = new Promise((resolve) => (release = resolve));
  const held = navigator.locks?.request(lockOf(row), () => until);
  return async () => {
    release();
    await held;
  };
}

/** Sends what no open page looks after; of one chapter or of all. Resolves when it was tried. */
export function sendLeftovers(chapterId = null) {
  running = running.then(() => sendAll(chapterId)).catch((error) => {
    console.info('Kept texts were not sent:', error.message);
    if ([401, 403].includes(error.status)) return; // until somebody signs in
    clearTimeout(again);
    again = setTimeout(() => sendLeftovers(), AGAIN);
  });
  return running;
}

async function sendAll(chapterId) {
  await (navigator.locks?.request('arboris-left', collectLeft) ?? collectLeft());
  const rows = (await allKept('copies')).filter((row) => chapterId === null || row.chapterId === chapterId);
  rows.sort((a, b) => a.typedAt - b.typedAt);
  for (const row of rows) await unattended(row, () => send(row));
  const left = (await allKept('copies')).filter((row) => chapterId === null || row.chapterId === chapterId);
  clearTimeout(again);
  if (left.some((row) => !waits(row))) again = setTimeout(() => sendLeftovers(), AGAIN);
  if (chapterId === null) showConflicts(left.filter(waits));
}

/** Whether there is nothing to be done without its writer. */
const waits = (row) => row.conflict || row.gone || row.refused;

/** A text of the chapter that the server has not, and that no page has open. */
export async function leftOf(chapterId) {
  const rows = (await allKept('copies')).filter((row) => row.chapterId === chapterId && !row.sent);
  const open = new Set((await navigator.locks?.query())?.held?.map(({ name }) => name));
  return rows.find((row) => !open.has(lockOf(row))) ?? null;
}

/** Where the browser has no locks (plain http), two may send: the server takes each text once. */
function unattended(row, work) {
  if (!navigator.locks) return work();
  return navigator.locks.request(lockOf(row), { ifAvailable: true }, (lock) => (lock ? work() : null));
}

async function send(row) {
  if (row.conflict) return; // waits for its writer
  try {
    const saved = row.sent ? row : await deliver(row);
    if (row.cut && !row.sent) await keep('copies', { ...row, ...saved, sent: true });
    if (row.cut) await cutVersion(row.chapterId, row.name);
    await drop('copies', row.id);
  } catch (error) {
    if (error.current) await keep('copies', { ...row, conflict: true });
    else if (error.status === 404) await keep('copies', { ...row, gone: true });
    else if (error.status === 400 && row.sent) await drop('copies', row.id); // an empty text is no version
    else if (isFinal(error)) await keep('copies', { ...row, refused: true });
    else throw error;
  }
}

/** Whether the same text would be refused again: it must not keep back those of other chapters. */
const isFinal = ({ status }) => status >= 400 && status < 500 && ![401, 403, 408, 429].includes(status);

/** Says on any page which chapters have a text on this device alone that needs its writer. */
function showConflicts(rows) {
  $('#kept-texts')?.remove();
  if (!rows.length || $('#desk')) return;
  $('#main').prepend(h('section', { id: 'kept-texts', class: 'alert', 'aria-label': t('kept_texts'), data: { testid: 'kept-texts' } },
    rows.map((row) => h('div', {}, row.gone ? goneText(row) : h('p', {}, `${t(row.refused ? 'kept_refused' : 'kept_conflict')} `, h('a', { href: `/chapters/${row.chapterId}` }, row.chapterTitle || t('open_chapter')))))));
}

function goneText(row) {
  const forget = async () => {
    await drop('copies', row.id);
    await sendLeftovers();
  };
  const title = row.chapterTitle || t('untitled');
  return h('details', {}, h('summary', {}, t('kept_gone', { title })),
    h('textarea', { rows: 8, readonly: true, 'aria-label': title }, row.content),
    h('button', { type: 'button', class: 'small', on: { click: forget } }, t('kept_forget')));
}

export function startOutbox() {
  addEventListener('online', () => sendLeftovers());
  session.addEventListener('signed-in', () => sendLeftovers());
  void sendLeftovers();
}
