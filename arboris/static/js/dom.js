/** Small helpers over the DOM. Text always goes in as text, never as markup. */

/** @type {(selector: string, root?: ParentNode) => any} Which kind of element it is, the page says. */
export const $ = (selector, root = document) => root.querySelector(selector);
/** @type {(selector: string, root?: ParentNode) => any[]} */
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
/** What the focus is in, of the kind that `selector` names. @type {(selector: string) => HTMLElement} */
export const focusedIn = (selector) => document.activeElement?.closest(selector);

/**
 * Makes an element. `attributes` may hold `class`, `data` (a dataset), `on` (listeners) and any
 * attribute; null and false leave it out. Children are nodes, texts, or arrays of them.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'data') Object.assign(element.dataset, value);
    else if (name === 'on') for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets the text only where it differs, so that nothing is read out or redrawn for nothing. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** dialog → the function that answers the question it asked last. */
const questions = new WeakMap();

/** Opens a dialog and answers whether its button of the value "yes" was pressed; Escape says no. */
export function ask(dialog) {
  questions.get(dialog)?.(false); // it is closed, but its event is still to come
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    const onClose = () => dialog.open || answer(dialog.returnValue === 'yes');
    const answer = (yes) => {
      dialog.removeEventListener('close', onClose);
      questions.delete(dialog);
      resolve(yes);
    };
    questions.set(dialog, answer);
    dialog.addEventListener('close', onClose);
  });
}

/** Does the work of a button once at a time. It is not `disabled`, which would take the focus away. */
export async function busyWhile(button, work) {
  if (button.ariaDisabled === 'true') return;
  button.ariaDisabled = 'true';
  try {
    await work();
  } finally {
    button.ariaDisabled = 'false';
  }
}

/** Goes to another page. Does not resolve before this one is left: what led there is not done twice. */
export function leaveFor(address) {
  location.assign(address);
  return new Promise((resolve) => addEventListener('pagehide', resolve, { once: true }));
}

/**
 * Calls `work` at once. While it is asked for again and again, each time after a pause of twice the
 * length, so that a long burst costs a few calls; `now()` makes the one that is due, where there is one.
 */
export function spaced(work, shortest = 2000, longest = 60_000) {
  let pause = 0;
  let last = -Infinity;
  let timer = 0;
  let running = Promise.resolve();
  const run = () => {
    clearTimeout(timer);
    timer = 0;
    last = Date.now();
    pause = Math.min(longest, Math.max(shortest, 2 * pause));
    running = running.then(work, work);
  };
  const ask = () => {
    if (timer) return;
    if (Date.now() - last > 2 * pause) pause = 0;
    timer = setTimeout(run, Math.max(0, last + pause - Date.now()));
  };
  return Object.assign(ask, { now: () => timer && run() });
}

/** Calls `work` once, `delay` ms after the last of several requests; never before an earlier run has ended. */
export function debounced(work, delay = 400) {
  let timer = 0;
  let running = Promise.resolve();
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(work, work);
    }, delay);
  };
}
