/** Signing in again on the spot: the page stays, with all that is typed in it. */

import { post, refused } from './api.js';
import { $, h } from './dom.js';
import { onSubmit } from './forms.js';
import { t } from './i18n.js';
import { owner } from './local-store.js';

/**
 * 'signed-in': calls are answered again.
 * @type {{ addEventListener(type: string, heard: (event: CustomEvent) => void): void, dispatchEvent(event: Event): boolean }}
 */
export const session = /** @type {any} */ (new EventTarget());

const SESSION = '/api/auth/session';
const channel = new BroadcastChannel('arboris-session'); // one dialog answers for all tabs
channel.onmessage = ({ data }) => data === owner && done();
let dialog = null;

/** Shows the dialog beside the text; who is typing goes on, and signs in when it suits. */
export function askToSignIn() {
  if (!dialog) {
    dialog = makeDialog();
    document.body.append(dialog);
  }
  dialog.open = true; // and not show(), which would take the focus from who is typing
}

refused.ask = askToSignIn;
// Signed in again elsewhere, such as on the sign-in page.
refused.over = (path) => dialog?.open && path !== SESSION && done();

/** Puts the focus into the dialog, which does not take it by itself. */
export function goToSignIn() {
  askToSignIn();
  $('input[name="password"]', dialog).focus();
}

function makeDialog() {
  const name = $('.who')?.textContent ?? '';
  const form = h('form', { class: 'stack', novalidate: true, data: { testid: 'sign-in-form' } },
    h('h2', { id: 'sign-in-title' }, t('sign_in_again')),
    h('p', {}, t('sign_in_why')),
    field('username', 'text', t('username'), { value: name, autocomplete: 'username' }),
    field('password', 'password', t('password'), { autocomplete: 'current-password' }),
    h('div', { class: 'actions' },
      h('button', { class: 'primary', data: { testid: 'sign-in-submit' } }, t('sign_in')),
      h('a', { href: '/login', target: '_blank', rel: 'noopener' }, t('sign_in_page'))),
    h('p', { class: 'form-status', role: 'status' }));
  onSubmit(form, async (data) => {
    // With the session all cookies may be gone; the sign-in page sets the one that a POST needs.
    if (!document.cookie.includes('csrftoken=')) await fetch('/login', { credentials: 'same-origin' });
    const user = await post(SESSION, Object.fromEntries(data));
    form.reset();
    channel.postMessage(String(user.id));
    // Somebody else has signed in: this page, and what is kept for its writer, are not theirs.
    if (String(user.id) === owner) done();
    else location.assign('/');
  });
  return h('dialog', { class: 'card sign-in', 'aria-labelledby': 'sign-in-title', data: { testid: 'sign-in' } }, form);
}

function field(name, type, words, attributes) {
  const id = `sign-in-${name}`;
  return h('div', { class: 'field' }, h('label', { for: id }, words), h('input', { id, name, type, required: true, ...attributes }));
}

function done() {
  const hadFocus = dialog?.contains(document.activeElement);
  dialog?.close();
  session.dispatchEvent(new CustomEvent('signed-in', { detail: { hadFocus } }));
}
