/** Calls of the JSON API. Every failure is an ApiError that a person can be shown. */

import { $ } from './dom.js';
import { t } from './i18n.js';

const PATIENCE = 30_000; // ms
const UPLOAD_PATIENCE = 180_000; // ms

export class ApiError extends Error {
  /** `status` 0: no answer at all. `fields`: field name → list of sentences. */
  constructor(message, status = 0, code = '', fields = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.fields = fields;
  }
}

export const get = (path, query = {}) => call('GET', withQuery(path, query));
export const post = (path, body) => call('POST', path, body);
export const patch = (path, body) => call('PATCH', path, body);
export const remove = (path) => call('DELETE', path);

let askedToSignIn = false;

/**
 * Leaves for the login page and comes back here after it. Where a text is unsaved the browser asks
 * first; whoever stays is not asked again, and may sign in in another tab.
 */
function goToLogin() {
  if (askedToSignIn) return;
  askedToSignIn = true;
  const here = location.pathname + location.search + location.hash;
  location.assign(`/login?next=${encodeURIComponent(here)}`);
}

async function call(method, path, body) {
  const headers = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-CSRFToken'] = csrfToken();
  const upload = body instanceof FormData;
  if (body !== undefined && !upload) {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(body);
  }
  const signal = AbortSignal.timeout(upload ? UPLOAD_PATIENCE : PATIENCE);
  let response;
  let answer;
  try {
    // A call without a body, as "mark as read", is carried out even if the page is left at once.
    const keepalive = method === 'POST' && body === undefined;
    response = await fetch(path, { method, headers, body, signal, keepalive, credentials: 'same-origin' });
    answer = await readJson(response);
  } catch (error) {
    throw new ApiError(t(error.name === 'TimeoutError' ? 'timeout' : 'offline'));
  }
  if (response.ok) return answer;
  if (response.status === 401) {
    // A reading page has nothing to lose; what somebody just typed must stay where it is.
    if (method === 'GET') goToLogin();
    throw new ApiError(t('signed_out'), 401, 'not_authenticated');
  }
  throw errorFrom(response.status, answer);
}

async function readJson(response) {
  const text = await response.text();
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null; // an HTML error page of a proxy: judged by its status
    throw error;
  }
}

function errorFrom(status, answer) {
  const { detail, code, ...rest } = answer && typeof answer === 'object' && !Array.isArray(answer) ? answer : {};
  const fields = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, sentences(value)]));
  const fallback = Object.keys(fields).length ? t('check_fields') : t('server_error', { status: String(status) });
  return new ApiError(sentences(detail).join(' ') || fallback, status, code ?? '', fields);
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
