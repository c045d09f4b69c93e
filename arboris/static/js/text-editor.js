/** The chapter's text in CodeMirror: always editable, with an undo history for each chapter. */

import { $ } from './dom.js';
import { prose } from './prose.js';
import {
  Annotation, Compartment, EditorSelection, EditorState, EditorView, StateField, Transaction, defaultKeymap, diff,
  drawSelection, history, historyKeymap, isolateHistory, keymap,
} from './vendor/codemirror.js';
import { wordCount } from './words.js';

const KEPT = 20; // chapters whose undo history is kept
const SCAN = { scanLimit: 2000, timeout: 200 }; // ms

/** A text that came from the server and was not typed here. */
const fromServer = Annotation.define();

/** How long the text is: only the lines that changed are counted anew. */
const words = StateField.define({
  create: ({ doc }) => wordCount(doc.toString()),
  update(count, { docChanged, changes, startState, newDoc }) {
    if (!docChanged) return count;
    let [fromA, toA, fromB, toB] = [Infinity, 0, Infinity, 0];
    changes.iterChangedRanges((a, b, c, d) => {
      [fromA, toA, fromB, toB] = [Math.min(fromA, a), Math.max(toA, b), Math.min(fromB, c), Math.max(toB, d)];
    });
    return count - linesCount(startState.doc, fromA, toA) + linesCount(newDoc, fromB, toB);
  },
});

const linesCount = (doc, from, to) => wordCount(doc.sliceString(doc.lineAt(from).from, doc.lineAt(to).to));

/**
 * What is typed in place of a selection. The browser would give it the look of what was there by an
 * inline style, which the page's policy forbids.
 */
const typedOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    if (event.inputType !== 'insertText' || !event.data || view.composing || view.state.selection.main.empty) return false;
    view.dispatch(view.state.replaceSelection(event.data), { userEvent: 'input.type', scrollIntoView: true });
    return true;
  },
});

export class TextEditor {
  #kept = new Map(); // chapter id → { state, scroll }
  #extras = [];
  #extra = new Compartment();
  #listeners = new Set();
  #attributes;

  /** `label` names the text for a screen reader, `language` is the novel's; `root` scrolls. */
  constructor(parent, { label, language, root }) {
    this.#attributes = { 'aria-label': label, lang: language, spellcheck: 'true', autocapitalize: 'sentences', autocorrect: 'on', 'data-testid': 'chapter-text' };
    this.root = root;
    this.view = new EditorView({ parent, state: this.#state('', EditorView.editable.of(false)) }); // until there is a text
  }

  get text() {
    return this.view.state.doc.toString();
  }

  get words() {
    return this.view.state.field(words);
  }

  get selection() {
    const { from, to } = this.view.state.selection.main;
    return { from, to };
  }

  get isComposing() {
    return this.view.composing || this.view.compositionStarted;
  }

  /** `heard(update)` after each change of the text; the answer stops it. */
  onChange(heard) {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  }

  addExtension(extension) {
    this.#extras.push(extension);
    this.view.dispatch({ effects: this.#extra.reconfigure(this.#extras) });
  }

  /** Shows a chapter's text: with its undo history and its caret, where it was shown before. */
  open(id, text) {
    const kept = this.#kept.get(id);
    this.#kept.delete(id);
    if (kept) {
      this.view.setState(kept.state.update({ effects: this.#extra.reconfigure(this.#extras) }).state);
      this.replaceText(text);
    } else {
      this.view.setState(this.#state(text));
    }
    this.root.scrollTop = kept?.scroll ?? 0;
  }

  /** Keeps the chapter's history until it is opened again. */
  keep(id) {
    this.#kept.set(id, { state: this.view.state, scroll: this.root.scrollTop });
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value);
  }

  /** Puts a text that was not typed here in place of this one: the least change, one step of undo. */
  replaceText(text) {
    const old = this.text;
    if (old === text) return;
    const changes = diff(old, text, SCAN).map(({ fromA, toA, fromB, toB }) => ({ from: fromA, to: toA, insert: text.slice(fromB, toB) }));
    this.view.dispatch({ changes, annotations: [isolateHistory.of('full'), fromServer.of(true), Transaction.userEvent.of('input.replace')] });
  }

  /** Several changes `{from, to, insert}`, in offsets of the text as it is now, as one step of undo. */
  edit(changes) {
    this.view.dispatch({ changes, annotations: [isolateHistory.of('full'), Transaction.userEvent.of('input.replace')] });
  }

  select(from, to = from) {
    const { length } = this.view.state.doc;
    const selection = EditorSelection.single(Math.min(from, length), Math.min(to, length));
    this.view.dispatch({ selection, effects: EditorView.scrollIntoView(selection.main, { y: 'center' }) });
    this.view.focus();
  }

  #state(doc, editable = /** @type {any} */ ([])) {
    return EditorState.create({
      doc,
      extensions: [
        editable,
        history(),
        drawSelection(),
        words,
        prose,
        typedOver,
        EditorView.lineWrapping,
        EditorView.cspNonce.of($('meta[name="csp-nonce"]')?.nonce ?? ''),
        EditorView.contentAttributes.of(this.#attributes),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) for (const heard of this.#listeners) heard(update);
        }),
        this.#extra.of(this.#extras),
        keymap.of([...defaultKeymap, ...historyKeymap]),
      ],
    });
  }
}
