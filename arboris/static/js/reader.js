/** The chapter's text on the page: paragraphs, and marks that can be clicked and walked with the keyboard. */

import { $$, h } from './dom.js';
import { label, t } from './i18n.js';
import { cut, lines } from './passages.js';

export class Reader {
  #marks = [];

  /** `onChoose` gets the findings of the mark that was chosen. */
  constructor(root, onChoose) {
    this.root = root;
    this.onChoose = onChoose;
    root.addEventListener('click', ({ target }) => this.#choose(target.closest('mark')));
    root.addEventListener('keydown', (event) => this.#onKey(event));
    root.addEventListener('focusin', ({ target }) => target.matches('mark') && this.#stopAt(target));
  }

  show(text, findings) {
    const focused = this.#marks.indexOf(document.activeElement);
    this.#marks = [];
    const placed = findings.filter(({ verified, start, end }) => verified !== false && end > start);
    const paragraphs = lines(text, cut(text, placed)).map((parts) => this.#paragraph(parts));
    this.root.replaceChildren(...(paragraphs.length ? paragraphs : [h('p', { class: 'meta' }, t('no_text'))]));
    if (this.#marks.length) this.#stopAt(this.#marks[Math.max(0, Math.min(focused, this.#marks.length - 1))]);
    if (focused >= 0) this.#marks[Math.min(focused, this.#marks.length - 1)]?.focus({ preventScroll: true });
  }

  /** Shows which passages are chosen; with `jump` the first of them comes into view and takes the focus. */
  choose(findings, jump = false) {
    const ids = new Set(findings.map(({ id }) => id));
    const chosen = this.#marks.filter((mark) => mark.findings.some(({ id }) => ids.has(id)));
    for (const mark of this.#marks) mark.classList.toggle('chosen', chosen.includes(mark));
    if (!jump || !chosen.length) return;
    chosen[0].focus({ preventScroll: true });
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    chosen[0].scrollIntoView({ block: 'center', behavior: calm ? 'auto' : 'smooth' });
  }

  #paragraph(parts) {
    const open = this.root.lang.startsWith('zh') && !/^\s/.test(parts[0].text);
    return h('p', { class: open ? 'indent' : null }, parts.map((part) => (part.findings.length ? this.#mark(part) : part.text)));
  }

  #mark({ text, findings }) {
    const kinds = [...new Set(findings.map(({ type }) => label('type', type)))].join(', ');
    const mark = h('mark', {
      role: 'button',
      tabindex: '-1',
      class: findings.length > 1 ? 'several' : null,
      title: kinds,
      data: { type: findings.at(-1).type, findings: findings.map(({ id }) => id).join(' ') },
    }, text);
    mark.findings = findings;
    this.#marks.push(mark);
    return mark;
  }

  #choose(mark) {
    if (!mark) return;
    this.choose(mark.findings);
    this.onChoose(mark.findings);
  }

  /** One tab stop for the whole text; the arrow keys go on from there. */
  #stopAt(mark) {
    for (const other of $$('mark[tabindex="0"]', this.root)) other.tabIndex = -1;
    mark.tabIndex = 0;
  }

  #onKey(event) {
    const at = this.#marks.indexOf(event.target);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const goals = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: this.#marks.length - 1 };
    if (event.key in goals) this.#marks[goals[event.key]]?.focus();
    else if (event.key === 'Enter' || event.key === ' ') this.#choose(event.target);
    else return;
    event.preventDefault();
  }
}
