/**
 * A list that scrolls with the page, of which, where it is long, only the items near the window are
 * in it. They may be of any height: one that was in the page keeps its own, the others count as the
 * mean.
 */

const SHORT = 200; // items that are all in the page, where the browser's own search finds them
const BESIDE = 800; // px above and below the window
const GUESS = 150; // px of an item before any was measured
const ROUNDS = 4; // a height that turns out otherwise than thought moves the others

export class LongList {
  #keys = [];
  #drawn = new Map(); // key → element, in the order of the keys
  #heights = new Map(); // key → px, with the space to the next
  #gap = 0;

  /** `draw(key, index, count)` answers the `li` of an item, always the same one. */
  constructor(list, draw) {
    this.list = list;
    this.draw = draw;
    addEventListener('scroll', () => this.#fill(), { passive: true });
    addEventListener('resize', () => this.#resized());
    // At once, and not with the scrolling: the next Tab is to find the item after it.
    list.addEventListener('focusin', () => this.#fill());
    addEventListener('beforeprint', () => this.#place([...this.#keys.keys()]));
    addEventListener('afterprint', () => this.#fill());
  }

  /** The keys of all items, in order. */
  set(keys) {
    this.#keys = keys;
    this.#place([...keys.keys()].filter((index) => this.#drawn.has(keys[index])));
    this.#fill();
  }

  #resized() {
    this.#heights.clear();
    this.#fill();
  }

  #fill() {
    for (let round = 0; round < ROUNDS; round += 1) {
      this.#measure();
      if (!this.#place(this.#wanted())) return;
    }
  }

  #measure() {
    const [first] = this.#drawn.values();
    if (first) this.#gap = parseFloat(getComputedStyle(this.list).rowGap) || 0;
    for (const [key, element] of this.#drawn) this.#heights.set(key, element.getBoundingClientRect().height + this.#gap);
  }

  get #mean() {
    let sum = 0;
    for (const height of this.#heights.values()) sum += height;
    return this.#heights.size ? sum / this.#heights.size : GUESS;
  }

  #room(from, to, mean) {
    return `${this.#keys.slice(from, to).reduce((sum, key) => sum + (this.#heights.get(key) ?? mean), 0)}px`;
  }

  /** Indexes of the items near the window, and of those next to the focus wherever that is. */
  #wanted() {
    if (this.#keys.length <= SHORT) return [...this.#keys.keys()];
    const mean = this.#mean;
    const above = -this.list.getBoundingClientRect().top - BESIDE;
    const below = above + innerHeight + 2 * BESIDE;
    const focused = this.#keys.findIndex((key) => this.#drawn.get(key)?.contains(document.activeElement));
    let end = 0;
    const isWanted = (key, index) => {
      const start = end;
      end += this.#heights.get(key) ?? mean;
      return (end > above && start < below) || (focused >= 0 && Math.abs(index - focused) <= 1);
    };
    const wanted = this.#keys.flatMap((key, index) => (isWanted(key, index) ? [index] : []));
    // The last one keeps the room of all where the window has gone on to what follows the list.
    return wanted.length ? wanted : [this.#keys.length - 1].filter((index) => index >= 0);
  }

  /** Puts these items in the page and room in the place of the others; whether any came or went. */
  #place(indexes) {
    const before = this.#drawn;
    this.#drawn = new Map(indexes.map((index) => [this.#keys[index], this.draw(this.#keys[index], index, this.#keys.length)]));
    for (const [key, element] of before) if (!this.#drawn.has(key)) element.remove();
    const mean = this.#mean;
    let from = 0;
    [...this.#drawn.values()].forEach((element, place) => {
      const isLast = place === indexes.length - 1;
      element.style.marginTop = this.#room(from, indexes[place], mean);
      from = indexes[place] + 1;
      element.style.marginBottom = isLast ? this.#room(from, this.#keys.length, mean) : '';
      // An item is moved only where it stands wrong: moving it would take the focus away.
      if (this.list.children[place] !== element) this.list.insertBefore(element, this.list.children[place] ?? null);
    });
    return indexes.length !== before.size || [...this.#drawn.keys()].some((key) => !before.has(key));
  }
}
