/**
 * A part of an admin page that changes by itself: the element with data-refresh is fetched anew from that
 * address, until what came says that it is over (data-over="yes").
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
  if (!same && !isWrittenIn(element)) element.replaceChildren(...fresh.childNodes);
}

/** @param {HTMLElement} element */
function isWrittenIn(element) {
  /** @type {NodeListOf<HTMLInputElement>} */
  const fields = element.querySelectorAll('input[type=text]');
  return [...fields].some((field) => field.value || field === document.activeElement);
}
