/** What is typed, kept on this device (IndexedDB) until the server has it. Rows have an `id`. */

const STORES = ['copies', 'drafts'];
/** @type {Promise<IDBDatabase> | null} */
let opening = null;

/** Whose texts this page may read and send. */
export const owner = document.body.dataset.userId ?? '';

function database() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('arboris', 1);
    request.onupgradeneeded = () => STORES.forEach((store) => request.result.createObjectStore(store, { keyPath: 'id' }));
    request.onsuccess = () => {
      request.result.onclose = request.result.onversionchange = () => {
        request.result.close();
        opening = null;
      };
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
  opening.catch(() => (opening = null));
  return opening;
}

/** Runs `work(objectStore)` in a transaction; its request's result, once all of it is kept. */
async function within(store, mode, work) {
  const transaction = (await database()).transaction(store, mode, { durability: 'relaxed' });
  const request = work(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

export const keep = (store, row) => within(store, 'readwrite', (rows) => rows.put({ ...row, owner }));
export const drop = (store, id) => within(store, 'readwrite', (rows) => rows.delete(id));

export async function kept(store, id) {
  const row = await within(store, 'readonly', (rows) => rows.get(id));
  return row?.owner === owner ? row : null;
}

/** The writer's rows; another one's, who uses the same browser, are left alone. */
export async function allKept(store) {
  const rows = await within(store, 'readonly', (all) => all.getAll());
  return rows.filter((row) => row.owner === owner);
}

/** Drops a row unless a newer text was put in its place meanwhile. */
export function dropSent(id, seq) {
  return within('copies', 'readwrite', (rows) => {
    const found = rows.get(id);
    found.onsuccess = () => found.result && found.result.seq <= seq && rows.delete(id);
    return found;
  });
}

const LEFT = 'arboris-left:';

/** A page that goes has no time for IndexedDB: the next one takes the copy from here. */
export function keepAtOnce(row, prefix = LEFT) {
  try {
    localStorage.setItem(prefix + row.id, JSON.stringify({ ...row, owner }));
  } catch (error) {
    console.info('There is no room for a copy:', error.message); // IndexedDB has it but for its last words
  }
}

/** Takes over what pages have left in their last moment. */
export async function collectLeft() {
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(LEFT))) {
    const row = JSON.parse(localStorage.getItem(key) ?? 'null'); // null: another page was first
    if (row?.owner !== owner) continue;
    const known = await kept('copies', row.id);
    if (!known || known.seq <= row.seq) await keep('copies', row);
    localStorage.removeItem(key);
  }
}

/** Takes one row of the writer's that a page has left. */
export function takeLeft(id, prefix) {
  const row = JSON.parse(localStorage.getItem(prefix + id) ?? 'null');
  if (row?.owner !== owner) return null;
  localStorage.removeItem(prefix + id);
  return row;
}
