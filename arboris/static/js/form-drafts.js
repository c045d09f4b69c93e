/** What is typed into a form is kept on this device until the server has what is made of it. */

import { ApiError, post } from './api.js';
import { debounced } from './dom.js';
import { say } from './forms.js';
import { t } from './i18n.js';
import { drop, keep, keepAtOnce, kept, owner, takeLeft } from './local-store.js';

const FORMS = 'arboris-form:';
const idOf = (name) => `${owner}:${name}`;
const quietly = (work) => work.catch((error) => console.info('Nothing is kept on this device:', error.message));

/** Keeps the form's fields of these names, and fills them in again when the page is opened anew. */
export async function keepForm(form, name, fields) {
  const id = idOf(`form:${name}`);
  const inputs = fields.map((field) => form.elements.namedItem(field));
  const isFilled = () => inputs.some((input) => input.value !== input.defaultValue);
  const draft = () => ({ id, typed: Object.fromEntries(inputs.map((input) => [input.name, input.value])) });
  const save = () => quietly(isFilled() ? keep('drafts', draft()) : drop('drafts', id));
  form.addEventListener('input', debounced(save));
  form.addEventListener('reset', () => setTimeout(save)); // its fields are empty a moment later
  addEventListener('pagehide', () => isFilled() && keepAtOnce(draft(), FORMS));
  const row = takeLeft(id, FORMS) ?? (await quietly(kept('drafts', id)));
  if (!row || isFilled()) return;
  for (const input of inputs) input.value = row.typed[input.name] ?? '';
  form.closest('details')?.setAttribute('open', '');
  form.dispatchEvent(new Event('input', { bubbles: true }));
  say(form, t('draft_restored'));
}

/** The server has all of it, and the page is left: the form is to be emptied before. */
export const forgetForm = (name) => quietly(drop('drafts', idOf(`form:${name}`)));

/** A text that grows without a form, such as one that is being generated. */
export const keepText = (name, text) => quietly(text ? keep('drafts', { id: idOf(`text:${name}`), text }) : drop('drafts', idOf(`text:${name}`)));
export const keptText = async (name) => (await quietly(kept('drafts', idOf(`text:${name}`))))?.text ?? '';

/** Whether the server may have done what was asked, though no answer of it came. */
const isUnanswered = (error) => !(error instanceof ApiError) || error.status === 0 || error.status >= 500 || error.code === 'idempotency_key_in_use';

/**
 * POST that creates something once, however often it is tried: its key is kept until an answer comes.
 * Where the writer has changed the body since a try without an answer, that one is asked for its
 * answer first, and `change(made, body)` brings what it made up to date. `options` as of `post`.
 */
export async function creating(name, path, body, change = null, options = {}) {
  const row = await tried(name);
  if (row && change && row.body !== JSON.stringify(body)) return change(await again(name, row), body);
  return keyed(name, path, body, (key) => post(path, body, { ...options, key }));
}

/** `send(key)` with the key of an earlier try of the same that had no answer, or with a new one. */
export async function keyed(name, path, body, send) {
  const row = await tried(name);
  const text = JSON.stringify(body);
  const key = row?.body === text ? row.key : (crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`);
  await quietly(keep('drafts', { id: keyId(name), key, path, body: text }));
  return attempt(name, () => send(key));
}

/** What a try without an answer has made; null where there was none, or the server refuses it now. */
export async function madeBefore(name, options = {}) {
  const row = await tried(name);
  if (!row) return null;
  try {
    return await again(name, row, options);
  } catch (error) {
    if (isUnanswered(error)) throw error;
    return null;
  }
}

const keyId = (name) => idOf(`key:${name}`);
const tried = (name) => quietly(kept('drafts', keyId(name)));
const again = (name, { path, body, key }, options = {}) => attempt(name, () => post(path, JSON.parse(body), { ...options, key }));

async function attempt(name, send) {
  try {
    const made = await send();
    await quietly(drop('drafts', keyId(name)));
    return made;
  } catch (error) {
    if (!isUnanswered(error)) await quietly(drop('drafts', keyId(name)));
    throw error;
  }
}
