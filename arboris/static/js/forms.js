/** Forms that talk to the API: errors at the field they name, one send at a time, no text lost. */

import { $, $$, h } from './dom.js';
import { t } from './i18n.js';

const unsaved = new Set();
addEventListener('beforeunload', (event) => unsaved.size && event.preventDefault());

/**
 * `send` gets the form's FormData and the pressed button, and returns what the status line says (or nothing).
 * The page comes with its buttons disabled: a form that was sent before this script listens would
 * be sent by the browser itself, and its text lost.
 */
export function onSubmit(form, send) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (form.getAttribute('aria-busy') === 'true') return;
    clearErrors(form);
    if (!browserIsContent(form)) return;
    const button = event.submitter ?? $('button:not([type="button"])', form);
    busy(form, button, true);
    say(form, t('sending'));
    try {
      const words = await send(new FormData(form), event.submitter);
      say(form, words ?? '');
    } catch (error) {
      say(form, '');
      showErrors(form, error);
    } finally {
      busy(form, button, false);
    }
  });
  for (const button of $$('button[disabled]', form)) button.disabled = false;
}

/** Asks before the page is left while `thing` has something that is not saved. */
export const setUnsaved = (thing, on) => void (on ? unsaved.add(thing) : unsaved.delete(thing));

/** What each field of a form holds, to be given to `settle` once that was sent. */
export const valuesOf = (form) => new Map([...form.elements].filter(({ name }) => name).map((field) => [field, valueOf(field)]));

const valueOf = (field) => (field.type === 'checkbox' ? field.checked : (field.files?.[0] ?? field.value));

const defaultOf = (field) => {
  if (field.type === 'checkbox') return field.defaultChecked;
  return field.options ? [...field.options].find((one) => one.defaultSelected)?.value : field.defaultValue;
};

/** What a form's fields hold that is not as they came, by their names: the rest may be newer elsewhere. */
export const changedIn = (form) => Object.fromEntries([...valuesOf(form)].filter(([field, value]) => value !== defaultOf(field)).map(([field, value]) => [field.name, value]));

/** The server has `saved` now, by the fields' names: they come with that from now on. What was typed since it was sent stays. */
export function showSaved(sent, saved) {
  for (const [field, value] of sent) {
    const [isAsSent, newest] = [valueOf(field) === value, saved[field.name]];
    if (field.type === 'checkbox') field.defaultChecked = newest;
    else if (field.options) for (const one of field.options) one.defaultSelected = one.value === newest;
    else field.defaultValue = newest;
    if (isAsSent && field.type === 'checkbox') field.checked = newest;
    else if (isAsSent) field.value = newest;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }
}

/**
 * Empties a form whose values were sent and saved. What was typed or chosen since stays; the answer
 * is whether there is any.
 */
export function settle(form, sent) {
  const isAsSent = ([field, value]) => valueOf(field) === value;
  if ([...sent].every(isAsSent)) {
    form.reset();
    return false;
  }
  for (const [field] of [...sent].filter(isAsSent)) {
    if (field.defaultValue === undefined || field.type === 'checkbox') continue; // a choice stays as it was made
    field.value = field.defaultValue;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }
  return true;
}

export function showErrors(form, error) {
  const general = [];
  let first = null;
  for (const [name, sentences] of Object.entries(error.fields ?? {})) {
    const field = form.elements.namedItem(name);
    if (field) first ??= mark(field, sentences.join(' '));
    else general.push(name === 'non_field_errors' ? sentences.join(' ') : `${name}: ${sentences.join(' ')}`);
  }
  if (!first || general.length) {
    form.append(h('div', { class: 'alert', role: 'alert' }, (general.length ? general : [error.message]).map((text) => h('p', {}, text))));
  }
  first?.focus();
}

function mark(field, text) {
  const id = `${field.id}-error`;
  field.setAttribute('aria-invalid', 'true');
  field.setAttribute('aria-describedby', [field.getAttribute('aria-describedby'), id].filter(Boolean).join(' '));
  field.closest('.field').append(h('p', { class: 'field-error', id, role: 'alert' }, text));
  return field;
}

function clearErrors(form) {
  for (const note of $$('.field-error, .alert', form)) note.remove();
  for (const field of $$('[aria-invalid]', form)) {
    field.removeAttribute('aria-invalid');
    const rest = (field.getAttribute('aria-describedby') ?? '').split(' ').filter((id) => id && id !== `${field.id}-error`);
    if (rest.length) field.setAttribute('aria-describedby', rest.join(' '));
    else field.removeAttribute('aria-describedby');
  }
}

/** The browser's own checks, in its own words and language, shown as ours are. */
function browserIsContent(form) {
  const wrong = [...form.elements].filter((field) => field.willValidate && !field.validity.valid);
  for (const field of wrong) mark(field, field.validationMessage);
  wrong[0]?.focus();
  return wrong.length === 0;
}

function busy(form, button, on) {
  form.setAttribute('aria-busy', String(on));
  button?.setAttribute('aria-busy', String(on));
}

export function say(form, words) {
  const line = $('.form-status', form);
  if (line) line.textContent = words;
}
