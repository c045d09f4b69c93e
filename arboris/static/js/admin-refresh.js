/**
 * A part of an admin page that changes by itself: the element with data-refresh is fetched anew from that
 * address, until what came says that it is over (data-over="yes"). What is marked with data-announce is
 * told to screen readers when it changes, by the element with data-announced.
 */

const EVERY = 2000; // ms

const part = document.querySelector('[data-refresh]');
if (part instanceof HTMLElement) keepFresh(part);

/** @param {HTMLElement} element */
function keepFresh(element) {
  const again = () => setTimeout(() => void look(element).finally(again), EVERY);
  again();
}

/** @param {HTMLElement} element */
async function look(element) {
  const over = element.querySelector('[data-over="yes"]') !== null;
  if (over || document.hidden || isWrittenIn(element)) return;
  const answer = await fetch(element.dataset.refresh ?? '').catch(() => null); // offline: the next time
  if (!answer?.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').body;
  const same = fresh.textContent === element.textContent;
  if (!same && !isWrittenIn(element)) replace(element, fresh);
}

/**
 * The focus stays where it is, as far as that is there still.
 * @param {HTMLElement} element
 * @param {HTMLElement} fresh
 */
function replace(element, fresh) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const before = news(element);
  element.replaceChildren(...fresh.childNodes);
  if (focused) {
    const same = [...element.querySelectorAll(focused.tagName)].find((one) => key(one) === key(focused));
    if (same instanceof HTMLElement) same.focus();
  }
  const announced = document.querySelector('[data-announced]');
  if (announced && news(element) !== before) announced.textContent = news(element);
}

/** @param {Element} one */
function key(one) {
  return ['data-testid', 'href', 'name', 'value'].map((name) => one.getAttribute(name)).join();
}

/** @param {HTMLElement} element */
function news(element) {
  return [...element.querySelectorAll('[data-announce]')].map((one) => one.textContent).join(' ');
}

/** @param {HTMLElement} element */
function isWrittenIn(element) {
  /** @type {NodeListOf<HTMLInputElement>} */
  const fields = element.querySelectorAll('input[type=text]');
  return [...fields].some((field) => field.value || field === document.activeElement);
}
