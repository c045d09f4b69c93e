/** The kinds of notifications (notifications/kinds.py), rendered by the server into #notification-kinds. */

import { $ } from './dom.js';

const kinds = JSON.parse($('#notification-kinds')?.textContent ?? '{}');
// For a kind that is newer than this page.
const UNKNOWN = { status: null, tone: 'info', stay: 10_000 };

/** `{ status, tone, stay }`: the analysis's status from then on, the toast's colour, and how long it stays in ms. */
export const kindOf = (type) => kinds[type] ?? UNKNOWN;
