/** Calls of the JSON API. Every failure is an ApiError that a person can be shown. */

import { $ } from './dom.js';
import { t } from './i18n.js';

const PATIENCE = 30_000; // ms in which nothing moves
/** Of calls that take or make a whole novel, in ms. */
export const LONG_PATIENCE = 300_000;
const SLOWEST = 4; // bytes in a ms: how far the sending of a body is, no browser tells
const MOST_KEPT_ALIVE = 60_000; // bytes: browsers let calls of 64 KiB in all outlive their page

/**
 * What is done when a call is answered 401, and when one is answered again: sign-in.js, which makes
 * calls itself, sets it.
 */
export const refused = { ask() {}, over(_path) {} };

export class ApiError extends Error {
  /**
   * `status` 0: no answer at all. `fields`: field name → list of sentences. `current` and `working`:
   * what a conflict (409) says is there now.
   */
  constructor(message, status = 0, code = '', fields = {}, current = null, working = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.fields = fields;
    this.current = current;
    this.working = working;
  }
}

export const get = (path, query = {}) => call('GET', withQuery(path, query));
/**
 * `key` (Idempotency-Key): sent again with the same one, it gives the first answer again. `patience`
 * in ms. `behind`: the answer may come before the work is done.
 */
export const post = (path, body, options = {}) => call('POST', path, body, options);
/** `keepalive`: the call outlives the page where it is short enough. */
export const put = (path, body, keepalive = false) => call('PUT', path, body, { keepalive });
export const patch = (path, body) => call('PATCH', path, body);
export const remove = (path) => call('DELETE', path);

/**
 * Whose page this is: once another account has signed in on this browser, the server takes its calls
 * for those of nobody, and no text of the one comes into a novel of the other.
 */
const whose = () => {
  const { userId } = document.body.dataset;
  return userId ? { 'X-Page-User': userId } : {};
};

async function call(method, path, body, { key = '', keepalive = false, patience = PATIENCE, behind = false } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: 'application/json', ...whose() };
  if (method !== 'GET') headers['X-CSRFToken'] = csrfToken();
  if (key) headers['Idempotency-Key'] = key;
  if (behind) headers.Prefer = 'respond-async';
  const upload = body instanceof FormData;
  // A call without a body, as "mark as read", is carried out even if the page is left at once.
  let outlives = method === 'POST' && body === undefined;
  if (body !== undefined && !upload) {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(body);
    outlives = keepalive && new TextEncoder().encode(body).length < MOST_KEPT_ALIVE;
  }
  const longest = (upload ? LONG_PATIENCE : patience) + sizeOf(body) / SLOWEST;
  const { response, content } = await answerOf(path, { method, headers, body, keepalive: outlives }, longest);
  const answer = asJson(await content.text());
  if (response.ok) {
    refused.over(path);
    return answer;
  }
  if (response.status === 401) throw signedOut();
  throw errorFrom(response.status, answer);
}

/** Bytes of a body; of a form, of what stands in its fields. */
const sizeOf = (body) => new Blob(body instanceof FormData ? [...body.values()] : [body ?? '']).size;

/** The answer with all of its content. A slow line is waited for; one on which nothing moves is not. */
async function answerOf(path, options, patience) {
  const giveUp = new AbortController();
  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => giveUp.abort(new DOMException('nothing came', 'TimeoutError')), patience);
  };
  wait();
  try {
    const response = await fetch(path, { ...options, credentials: 'same-origin', signal: giveUp.signal });
    const parts = [];
    const reader = response.body?.getReader();
    for (let next = await reader?.read(); next && !next.done; next = await reader.read()) {
      wait();
      parts.push(next.value);
    }
    return { response, content: new Blob(parts, { type: response.headers.get('Content-Type') ?? '' }) };
  } catch (error) {
    throw new ApiError(t(error.name === 'TimeoutError' ? 'timeout' : 'offline'));
  } finally {
    clearTimeout(timer);
  }
}

/** GET of a file: the file, and the name that the server gives it. */
export async function fetchFile(path, query) {
  const { response, content } = await answerOf(withQuery(path, query), { headers: whose() }, LONG_PATIENCE);
  if (response.ok) return { file: content, name: nameIn(response.headers.get('Content-Disposition') ?? '') };
  if (response.status === 401) throw new ApiError(t('signed_out'), 401, 'not_authenticated');
  throw errorFrom(response.status, asJson(await content.text()));
}

function nameIn(disposition) {
  const found = disposition.match(/filename\*=UTF-8''([^;]+)/i);
  return found ? decodeURIComponent(found[1]) : 'novel';
}

/**
 * POST whose answer comes as server-sent events: `heard(name, data)` for each. Ends with the stream;
 * an AbortError is what `signal` asked for. `key` as of `post`: the first answer is the last event.
 */
export async function stream(path, body, heard, { signal, key }) {
  const headers = { ...whose(), Accept: 'text/event-stream', 'Content-Type': 'application/json', 'X-CSRFToken': csrfToken(), 'Idempotency-Key': key };
  let response;
  try {
    response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body), signal, credentials: 'same-origin' });
  } catch (error) {
    throw error.name === 'AbortError' ? error : new ApiError(t('offline'));
  }
  if (response.status === 401) throw signedOut();
  if (!response.ok) throw errorFrom(response.status, asJson(await response.text()));
  let rest = '';
  try {
    for await (const piece of pieces(response.body)) {
      const blocks = (rest + piece).split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) hear(block, heard);
    }
  } catch (error) {
    throw error.name === 'AbortError' || error instanceof ApiError ? error : new ApiError(t('offline'));
  }
}

/** Not every browser can iterate over a stream. */
async function* pieces(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

function hear(block, heard) {
  const lines = Object.fromEntries(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]));
  if (lines.event) heard(lines.event, JSON.parse(lines.data));
}

/** What was typed stays where it is: the writer is asked on the spot. */
function signedOut() {
  refused.ask();
  return new ApiError(t('signed_out'), 401, 'not_authenticated');
}

function asJson(text) {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null; // an HTML error page of a proxy: judged by its status
    throw error;
  }
}

function errorFrom(status, answer) {
  const { detail, code, current, working, ...rest } = answer && typeof answer === 'object' && !Array.isArray(answer) ? answer : {};
  const fields = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, sentences(value)]));
  const fallback = Object.keys(fields).length ? t('check_fields') : t('server_error', { status: String(status) });
  return new ApiError(sentences(detail).join(' ') || fallback, status, code ?? '', fields, current ?? null, working ?? null);
}

/** Flattens what DRF may send for one field (text, list, nested object) to a list of sentences. */
function sentences(value) {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap(sentences);
  if (typeof value === 'object') return Object.entries(value).flatMap(([key, inner]) => sentences(inner).map((text) => `${key}: ${text}`));
  return [String(value)];
}

function withQuery(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

/** The cookie is right even after a sign-in in another tab; the page's own token is the reserve. */
function csrfToken() {
  const cookie = document.cookie.split('; ').find((part) => part.startsWith('csrftoken='));
  return cookie ? decodeURIComponent(cookie.slice('csrftoken='.length)) : ($('meta[name="csrf-token"]')?.content ?? '');
}
