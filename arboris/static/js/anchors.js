/** Findings at their places in the text. The places move with every change; none is forgotten. */

import { RangeSet, RangeValue, StateEffect, StateField } from './vendor/codemirror.js';

/** `[{finding, from, to, isStale}]` take the place of what there was. @type {any} */
export const setAnchors = StateEffect.define();

class Anchor extends RangeValue {
  startSide = 1;
  endSide = -1;

  constructor(finding, isStale) {
    super();
    this.finding = finding;
    this.isStale = isStale;
  }

  eq(other) {
    return this.finding === other.finding && this.isStale === other.isStale;
  }
}

/** A change inside a passage makes its finding stale: it is read again with the next version. */
function touched(set, changes) {
  const stale = [];
  changes.iterChangedRanges((from, to) => {
    set.between(from, to, (start, end, { isStale, finding }) => {
      if (!isStale && from < end && to > start) stale.push({ start, end, finding });
    });
  });
  if (!stale.length) return set;
  const ids = new Set(stale.map(({ finding }) => finding.id));
  return set.update({
    filter: (_start, _end, { finding }) => !ids.has(finding.id),
    add: unique(stale).map(({ start, end, finding }) => new Anchor(finding, true).range(start, end)),
    sort: true,
  });
}

const unique = (stale) => [...new Map(stale.map((one) => [one.finding.id, one])).values()];

export const anchors = StateField.define({
  create: () => RangeSet.empty,
  update(set, { docChanged, changes, effects }) {
    let now = docChanged ? touched(set, changes).map(changes) : set;
    for (const effect of effects) {
      if (effect.is(setAnchors)) now = RangeSet.of(effect.value.map(({ finding, from, to, isStale }) => new Anchor(finding, isStale).range(from, to)), true);
    }
    return now;
  },
});

/** `[{finding, from, to, isStale}]` in the order of the text, all of them or those that touch a range. */
export function anchorsIn(state, from = 0, to = state.doc.length) {
  const found = [];
  state.field(anchors, false)?.between(from, to, (start, end, { finding, isStale }) => void found.push({ finding, from: start, to: end, isStale }));
  return found;
}
