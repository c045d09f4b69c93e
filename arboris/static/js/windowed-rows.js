/** A list of equally high rows of which only those near the window are in the page. */

const BESIDE = 10; // rows drawn above and below

export class WindowedList {
  #rows = [];
  #drawn = new Map(); // key → element
  #kept = null;

  /**
   * `scroller` scrolls, `list` is inside it and gets the rows. `draw(row, element|null)` answers a
   * row's element, the one that there is if possible; `row.key` tells rows apart.
   */
  constructor(scroller, list, { rem, draw }) {
    this.scroller = scroller;
    this.list = list;
    this.rem = rem;
    this.draw = draw;
    scroller.addEventListener('scroll', () => this.#fill(), { passive: true });
    new ResizeObserver(() => this.#fill()).observe(scroller);
  }

  get #height() {
    return this.rem * parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  set(rows) {
    this.#rows = rows;
    this.list.style.height = `${rows.length * this.#height}px`;
    this.#fill(true);
  }

  /** The element of a row that is drawn. */
  element(key) {
    return this.#drawn.get(key) ?? null;
  }

  /** Brings a row into the window and keeps it in the page, wherever that is scrolled to. */
  keep(key, { scroll = true } = {}) {
    this.#kept = key;
    const index = this.#rows.findIndex((row) => row.key === key);
    if (index >= 0 && scroll) this.#scrollTo(index);
    this.#fill();
    return this.element(key);
  }

  #scrollTo(index) {
    const { scroller } = this;
    const top = index * this.#height;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + this.#height > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + this.#height - scroller.clientHeight;
  }

  #fill(all = false) {
    const height = this.#height;
    const first = Math.floor(this.scroller.scrollTop / height) - BESIDE;
    const last = Math.ceil((this.scroller.scrollTop + this.scroller.clientHeight) / height) + BESIDE;
    const wanted = new Map();
    this.#rows.forEach((row, index) => {
      if ((index >= first && index <= last) || row.key === this.#kept) wanted.set(row.key, { row, index });
    });
    for (const [key, element] of this.#drawn) {
      if (wanted.has(key)) continue;
      element.remove();
      this.#drawn.delete(key);
    }
    let before = null;
    for (const [key, { row, index }] of wanted) {
      const known = this.#drawn.get(key) ?? null;
      const element = known && !all ? known : this.draw(row, known);
      element.style.top = `${index * height}px`;
      this.#drawn.set(key, element);
      // A row is moved only where it stands wrong: moving it would take the focus away.
      const next = before ? before.nextSibling : this.list.firstChild;
      if (next !== element) this.list.insertBefore(element, next);
      before = element;
    }
  }
}
