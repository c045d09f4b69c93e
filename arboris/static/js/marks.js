/**
 * What the story bible knows, in the text: names underlined thinly, a thin line beside passages, a
 * card for the name under the pointer or the caret.
 */

import { anchors, anchorsIn, setAnchors } from './anchors.js';
import { get } from './api.js';
import { CastCards } from './cast-card.js';
import { drawn, linesInSight, redraw } from './drawn.js';
import { Names } from './names.js';
import { nearest, places } from './passages.js';
import { Decoration, EditorView, hoverTooltip } from './vendor/codemirror.js';

// Their passages have no name of their own to be underlined.
const PASSAGES = new Set(['foreshadowing', 'payoff', 'rule', 'state', 'relationship']);
const CARET_RESTS = 250; // ms

export class Marks {
  #names = new Names([]);
  #cast = '';
  #chosen = new Set();
  #hidden = new Set();
  #timer = 0;
  #told = '';

  /** `onPlaces(Map id → 'stale' | 'gone')`: which findings are no longer as they were read. */
  constructor(desk, onPlaces) {
    this.desk = desk;
    this.onPlaces = onPlaces;
    this.cards = new CastCards(desk);
    this.findings = [];
    desk.addExtension([
      anchors,
      drawn((view) => this.#draw(view)),
      hoverTooltip((view, at) => this.#hover(view, at), { hoverTime: 350, hideOnChange: true }),
      EditorView.updateListener.of((update) => this.#onUpdate(update)),
    ]);
    desk.onOpen((chapter) => this.#loadCast(chapter.id));
  }

  /** Findings of the text that is saved, or of an older one; a stale one stays so until read again. */
  set(findings) {
    const { chapter, text, view } = this.desk;
    const isSame = (a, b) => a.length === b.length && a.every(({ id }, index) => id === b[index].id);
    if (isSame(findings, this.findings) && this.chapterId === chapter.id) {
      const fresh = new Map(findings.map((finding) => [finding.id, finding]));
      const moved = anchorsIn(view.state).map((one) => ({ ...one, finding: fresh.get(one.finding.id), isStale: one.isStale || one.finding.version < chapter.version }));
      this.findings = findings;
      view.dispatch({ effects: setAnchors.of(moved) });
      return;
    }
    this.findings = findings;
    this.chapterId = chapter.id;
    const current = findings.filter(({ version }) => version === chapter.version);
    const outdated = findings.filter(({ version }) => version !== chapter.version);
    const isAsSaved = !this.desk.isTextChanged;
    const placed = isAsSaved ? places(chapter.content, current) : nearest(text, current);
    const old = nearest(text, outdated).map((place) => ({ ...place, isStale: true }));
    view.dispatch({ effects: setAnchors.of([...placed.map((place) => ({ ...place, isStale: false })), ...old]) });
  }

  /** Only these kinds of findings are marked. */
  show(findings) {
    const shown = new Set(findings.map(({ id }) => id));
    this.#hidden = new Set(this.findings.filter(({ id }) => !shown.has(id)).map(({ id }) => id));
    this.desk.view.dispatch({ effects: redraw.of(null) });
  }

  /** Shows which passages are chosen; with `jump` the first is selected. */
  choose(findings, jump = false) {
    this.#chosen = new Set(findings.map(({ id }) => id));
    const place = anchorsIn(this.desk.view.state).find(({ finding }) => this.#chosen.has(finding.id));
    if (jump && place) this.desk.select(place.from, place.to);
    this.desk.view.dispatch({ effects: redraw.of(null) });
  }

  async #loadCast(id) {
    try {
      const cast = await get(`/api/chapters/${id}/cast`);
      if (id !== this.desk.chapterId) return;
      this.cards.forget();
      const wanted = JSON.stringify(cast);
      if (wanted === this.#cast) return;
      this.#cast = wanted;
      this.#names = new Names(cast);
      this.desk.view.dispatch({ effects: redraw.of(null) });
    } catch (error) {
      console.info('The names could not be loaded:', error.message);
    }
  }

  #draw(view) {
    const found = [];
    for (const line of linesInSight(view)) {
      const here = anchorsIn(view.state, line.from, line.to).filter(({ finding }) => !this.#hidden.has(finding.id));
      const passage = here.findLast(({ finding, from, to }) => PASSAGES.has(finding.type) && from < line.to && to > line.from);
      if (passage) found.push(Decoration.line({ class: passage.isStale ? 'cm-passage cm-stale' : 'cm-passage', attributes: { 'data-type': passage.finding.type } }).range(line.from));
      for (const { finding, from, to } of here) {
        const [start, end] = [Math.max(from, line.from), Math.min(to, line.to)];
        if (this.#chosen.has(finding.id) && start < end) found.push(Decoration.mark({ class: 'cm-chosen', attributes: { 'data-type': finding.type } }).range(start, end));
      }
      for (const { from, to, entry } of this.#names.in(line.text)) {
        const [start, end] = [line.from + from, line.from + to];
        const over = here.filter((one) => one.from <= start && one.to >= end);
        const isStale = over.length > 0 && over.every((one) => one.isStale);
        found.push(Decoration.mark({ class: isStale ? 'cm-name cm-stale' : 'cm-name', attributes: { 'data-type': entry.type } }).range(start, end));
      }
    }
    return Decoration.set(found, true);
  }

  /** The known name at a place: {from, to, entry}. */
  #nameAt(state, at) {
    const line = state.doc.lineAt(at);
    const hit = this.#names.in(line.text).find(({ from, to }) => line.from + from <= at && at <= line.from + to);
    return hit && { from: line.from + hit.from, to: line.from + hit.to, entry: hit.entry };
  }

  async #hover(view, at) {
    const name = this.#nameAt(view.state, at);
    const card = name && (await this.cards.of(name.entry));
    if (!card) return null;
    return { pos: name.from, end: name.to, above: true, create: () => ({ dom: this.cards.draw(card) }) };
  }

  #onUpdate({ view, docChanged, selectionSet, transactions }) {
    if (docChanged || transactions.some(({ effects }) => effects.some((effect) => effect.is(setAnchors)))) this.#tellPlaces(view.state);
    if (!selectionSet && !docChanged) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#atCaret(view), CARET_RESTS);
  }

  /** The card for the name at the caret, in the context pane: never over the text that is written. */
  async #atCaret(view) {
    if (view.composing) return;
    const name = this.#nameAt(view.state, view.state.selection.main.head);
    if (name) this.cards.show(await this.cards.of(name.entry));
  }

  #tellPlaces(state) {
    const placed = new Map(anchorsIn(state).map(({ finding, isStale }) => [finding.id, isStale]));
    const states = new Map();
    for (const { id, verified } of this.findings) {
      if (placed.get(id)) states.set(id, 'stale');
      else if (!placed.has(id) && verified !== false) states.set(id, 'gone');
    }
    const told = JSON.stringify([...states]);
    if (told === this.#told) return;
    this.#told = told;
    this.onPlaces(states);
  }
}
