/** The kinds of notifications (notifications/kinds.py), rendered by the server into #notification-kinds. */

import { $ } from './dom.js';

const kinds = JSON.parse($('#notification-kinds')?.textContent ?? '{}');
// For a kind that is newer than this page.
const UNKNOWN = { status: null, badge: '', tone: 'info', stay: 10_000 };

/**
 * `{ status, badge, tone, stay }`: the analysis's status from then on, the kind's name in the list,
 * the toast's colour, and how long it stays in ms.
 */
export const kindOf = (type) => kinds[type] ?? UNKNOWN;
