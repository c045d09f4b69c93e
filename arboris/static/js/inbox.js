/**
 * Which notifications this browser has had: the last id, and the latest ids one by one, because
 * delivery is at least once and a repeated id must not be shown twice. Kept over page changes.
 */

import { storage as browserStorage } from './storage.js';

const KEEP = 200;
// Ids may become visible out of order: a fetch looks this far behind the last one.
const STEP_BACK = 50;

export class Inbox {
  #key;
  #last = null;
  #floor = 0;
  #seen = new Set();

  constructor(userId, storage = browserStorage) {
    this.#key = `arboris.inbox.${userId}`;
    this.storage = storage;
    const kept = readKept(storage, this.#key);
    if (kept) {
      this.#last = kept.last;
      this.#floor = kept.floor;
      this.#seen = new Set(kept.seen);
    }
  }

  /** The last id taken in, or null before the first look at the server. */
  get last() {
    return this.#last;
  }

  /** Where a fetch starts, a little behind the last id. */
  get since() {
    return Math.max(this.#floor, (this.#last ?? 0) - STEP_BACK);
  }

  /** Begins at `id`: what came up to it was there before this browser listened. */
  startAt(id) {
    this.#last = this.#floor = id;
    this.#seen = new Set();
    this.#keep();
  }

  /** Everything up to `id` has been asked for. */
  reach(id) {
    this.#last = Math.max(this.#last ?? 0, id);
    this.#keep();
  }

  /** True the first time an id comes by. */
  take(id) {
    if (id <= this.#floor || this.#seen.has(id)) return false;
    this.#seen.add(id);
    if (this.#seen.size > KEEP) this.#seen.delete(this.#seen.values().next().value);
    this.#last = Math.max(this.#last ?? 0, id);
    this.#keep();
    return true;
  }

  #keep() {
    this.storage?.setItem(this.#key, JSON.stringify({ last: this.#last, floor: this.#floor, seen: [...this.#seen] }));
  }
}

function readKept(storage, key) {
  try {
    const kept = JSON.parse(storage?.getItem(key) ?? 'null');
    return Number.isInteger(kept?.last) && Number.isInteger(kept.floor) && Array.isArray(kept.seen) ? kept : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
