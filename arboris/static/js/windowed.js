/** A long list of which only what somebody has scrolled to is made. */

import { $$, h } from './dom.js';
import { t } from './i18n.js';

const STEP = 40; // entries at a time
const made = new WeakMap(); // list → how many entries it shows

/** Fills `list` with `make(item)` of the first items; the next come as its end is scrolled to, or asked for. */
export function fillWindowed(list, items, make) {
  const count = Math.max(STEP, made.get(list) ?? 0);
  list.replaceChildren(...items.slice(0, count).map(make));
  grow(list, items, make, count);
}

function rowFor(list, more) {
  if (list.matches('ol, ul')) return h('li', {}, more);
  const columns = $$('th', list.parentElement).length;
  return list.matches('tbody') ? h('tr', {}, h('td', { colspan: `${columns}` }, more)) : more;
}

function grow(list, items, make, count) {
  made.set(list, count);
  if (items.length <= count) return;
  const more = h('button', { type: 'button', class: 'rest', lang: document.documentElement.lang }, t('show_more', { n: items.length - count }));
  const row = rowFor(list, more);
  const next = () => {
    watcher.disconnect();
    const focused = more === document.activeElement;
    row.replaceWith(...items.slice(count, count + STEP).map(make));
    if (focused) $$('a, button', list.children[count])[0]?.focus();
    grow(list, items, make, count + STEP);
  };
  // Of what was seen meanwhile the last is how it is: a busy page is told of several at once.
  const watcher = new IntersectionObserver((seen) => seen.at(-1).isIntersecting && next(), { rootMargin: '600px' });
  more.addEventListener('click', next);
  list.append(row);
  watcher.observe(more);
}
