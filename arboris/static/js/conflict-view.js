/** Two texts of one chapter side by side, paragraph by paragraph, to be made one by hand. */

import { $, h, setText } from './dom.js';
import { t, tn } from './i18n.js';
import { pieces } from './paragraphs.js';

const CONTEXT = 2; // equal paragraphs shown around a difference

/**
 * Fills `root` and shows it. `mine` and `theirs` are `{content, title}`, `base` the text that both were
 * made from. `onMerged({content, title})` gets what the writer made of them; `onClose()`: not now.
 * `decided` is what `onDecided(decided)` was told last, after each decision: nothing has to be
 * written twice.
 */
export function showConflict(root, { base, mine, theirs, language, decided, onDecided, onMerged, onClose }) {
  const parts = pieces(base.content, mine.content, theirs.content).map((piece, index) =>
    piece.choice === 'same' ? new Same(piece, language) : new Difference(piece, index, language, refresh));
  const differences = parts.filter((part) => part instanceof Difference);
  for (const one of differences) if (one.key in decided) one.show(...decided[one.key]);
  const open = h('p', { class: 'meta', role: 'status', data: { testid: 'conflict-open' } });
  const merge = h('button', { type: 'button', class: 'primary', data: { testid: 'conflict-merge' } }, t('conflict_merge'));
  const title = titleChoice(base, mine, theirs, language, decided, refresh);
  const all = (side) => () => differences.forEach((one) => one.choose(side));

  function refresh() {
    const made = differences.filter((one) => !one.isOpen).map((one) => [one.key, one.decision]);
    onDecided(Object.fromEntries([[title.key, title.value], ...made]));
    draw();
  }

  function draw() {
    const undecided = differences.filter((one) => one.isOpen).length;
    setText(open, undecided ? tn('conflict_left', undecided) : t('conflict_none_left'));
    merge.disabled = undecided > 0;
  }

  function close(done) {
    root.hidden = true;
    root.replaceChildren();
    done();
  }

  merge.addEventListener('click', () => {
    const merged = { content: parts.flatMap((part) => part.lines).join('\n'), title: title.value };
    close(() => onMerged(merged));
  });
  root.replaceChildren(
    h('h2', { id: 'conflict-title' }, t('conflict_title')),
    h('p', { id: 'conflict-note', class: 'note' }, t('conflict_note')),
    ...title.elements,
    h('div', { class: 'conflict-heads', 'aria-hidden': 'true' }, h('span', {}, t('conflict_mine')), h('span', {}, t('conflict_theirs'))),
    h('div', { class: 'conflict-rows' }, parts.map((part) => part.element)),
    h('div', { class: 'actions' }, merge,
      h('button', { type: 'button', data: { testid: 'conflict-all-mine' }, on: { click: all('mine') } }, t('conflict_all_mine')),
      h('button', { type: 'button', data: { testid: 'conflict-all-theirs' }, on: { click: all('theirs') } }, t('conflict_all_theirs')),
      h('button', { type: 'button', class: 'quiet', data: { testid: 'conflict-later' }, on: { click: () => close(onClose) } }, t('conflict_later')),
      open));
  draw();
  root.hidden = false;
  root.focus();
}

function titleChoice(base, mine, theirs, language, decided, changed) {
  const [own, other] = [mine.title, theirs.title];
  const key = JSON.stringify([own, other]);
  if (own === other) return { key, value: own, elements: [] };
  const value = decided[key] ?? (own === base.title ? other : own);
  const input = h('input', { type: 'text', maxlength: 200, id: 'conflict-name', lang: language, value, on: { input: changed } });
  const element = h('div', { class: 'field' }, h('label', { for: 'conflict-name' }, t('conflict_titles', { mine: own, theirs: other })), input);
  return { key, get value() { return input.value; }, elements: [element] };
}

/** Paragraphs that both texts have; of many, the first and last ones are shown. */
class Same {
  constructor({ base }, language) {
    this.lines = base;
    const shown = base.length > 2 * CONTEXT + 1 ? [...base.slice(0, CONTEXT), '…', ...base.slice(-CONTEXT)] : base;
    this.element = h('div', { class: 'conflict-same', lang: language }, shown.map((line) => h('p', {}, line)));
  }
}

/** A place where the texts differ: either side, both, or what the writer types. */
class Difference {
  #choice;

  constructor({ mine, theirs, choice }, index, language, changed) {
    this.key = JSON.stringify({ mine, theirs });
    this.sides = { mine, theirs, both: [...mine, ...theirs] };
    this.changed = changed;
    this.result = h('textarea', { rows: 3, lang: language, 'aria-label': t('conflict_result'), data: { testid: 'conflict-result' }, on: { input: () => this.#decide('hand') } });
    const side = (name, words) => h('div', { class: 'conflict-side', role: 'group', 'aria-label': words },
      h('div', { class: 'conflict-text', lang: language, data: { testid: `conflict-${name}` } }, this.sides[name].join('\n') || h('em', {}, t('conflict_nothing'))));
    this.buttons = ['mine', 'theirs', 'both'].map((name) => h('button', {
      type: 'button', class: 'small', 'aria-pressed': 'false', data: { choice: name, testid: `take-${name}` }, on: { click: () => this.choose(name) },
    }, t(`conflict_take_${name}`)));
    this.element = h('div', { class: 'conflict-row', role: 'group', 'aria-label': t('conflict_place', { n: index + 1 }), data: { testid: 'conflict-row' } },
      side('mine', t('conflict_mine')), side('theirs', t('conflict_theirs')),
      h('div', { class: 'conflict-choice' }, h('div', { class: 'actions' }, this.buttons), this.result));
    this.#choice = null;
    if (choice) this.show(choice);
  }

  get isOpen() {
    return this.#choice === null;
  }

  /** What `show` takes. */
  get decision() {
    return [this.#choice, this.result.value];
  }

  get lines() {
    const { value } = this.result;
    // An empty field is no paragraph at all, unless that is what was chosen.
    return value === '' && (this.#choice === 'hand' || !this.sides[this.#choice].length) ? [] : value.split('\n');
  }

  /** 'mine', 'theirs' or 'both'. */
  choose(name) {
    this.show(name);
    this.changed();
  }

  show(name, value = this.sides[name].join('\n')) {
    this.result.value = value;
    this.result.rows = Math.min(12, Math.max(2, value.split('\n').length + 1));
    this.#decide(name, false);
  }

  #decide(name, tell = true) {
    this.#choice = name;
    for (const button of this.buttons) button.setAttribute('aria-pressed', String(button.dataset.choice === name));
    if (tell) this.changed();
  }
}

export const isConflictOpen = () => !$('#conflict').hidden;
