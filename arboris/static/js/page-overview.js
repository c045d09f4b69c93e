/**
 * The overview of the admin's index: its figures and charts, asked for again every few seconds as long as
 * somebody can see them. The server has written the page as it was when it was loaded.
 */

import { $, $$, setText } from './dom.js';
import { drawCharts, redraw } from './overview-charts.js';

const EVERY = 5_000; // ms
const SLOWEST = 60_000; // ms between two tries while the server does not answer
const PATIENCE = 15_000; // ms

const root = $('#overview');

/** Put a text, with the link to what it counts, into an element; what has not changed keeps its focus. */
function put(element, { text, href }) {
  let place = $('a', element);
  if (href && !place) {
    place = document.createElement('a');
    element.replaceChildren(place);
  } else if (!href && place) {
    place.remove();
    place = null;
  }
  if (place) place.href = href;
  place ??= element;
  if (place.textContent.trim() !== text) place.textContent = text;
}

/** Make the rows of a table what they are now, from the first on. */
function putRows(body, rows) {
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((cells, place) => {
    const row = body.rows[place] ?? body.insertRow();
    cells.forEach((cell, column) => put(row.cells[column] ?? row.insertCell(), cell));
  });
}

function show({ cells, rows, history }) {
  for (const element of $$('[data-cell]', root)) {
    const cell = cells[element.dataset.cell];
    if (cell) put(element, cell);
  }
  for (const body of $$('[data-rows]', root)) {
    const name = body.dataset.rows;
    putRows(body, rows[name]);
    const empty = $(`[data-empty="${name}"]`, root);
    if (empty) empty.hidden = rows[name].length > 0;
  }
  $('#overview-paused').hidden = rows.paused.length === 0;
  drawCharts(history);
}

/** Ask again and again, and not while nobody sees the page; more rarely while there is no answer. */
function keepUpToDate() {
  const state = $('#overview-state');
  const url = `${root.dataset.url}?window=${root.dataset.window}`;
  let timer = 0;
  let failures = 0;
  let asking = false;

  const later = () => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(ask, Math.min(SLOWEST, EVERY * 2 ** failures));
  };
  async function ask() {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch(url, { headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(PATIENCE) });
      if (answer.status === 401 || answer.status === 403) {
        setText(state, root.dataset.stopped);
        document.removeEventListener('visibilitychange', seen);
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.json());
      failures = 0;
      setText(state, '');
    } catch {
      failures += 1;
      setText(state, root.dataset.waiting);
    } finally {
      asking = false;
    }
    later();
  }
  function seen() {
    clearTimeout(timer);
    if (!document.hidden) ask();
  }
  document.addEventListener('visibilitychange', seen);
  later();
}

if (root) {
  drawCharts(JSON.parse($('#overview-history').textContent));
  for (const change of ['(prefers-color-scheme: dark)', '(prefers-reduced-motion: reduce)']) {
    matchMedia(change).addEventListener('change', redraw);
  }
  // The admin's own switch between light and dark.
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ['data-theme'] });
  keepUpToDate();
}
