/** Decorations of what is in sight, drawn anew after each change; never while an input method is at work. */

import { StateEffect, ViewPlugin } from './vendor/codemirror.js';

/** Asks for all of them to be drawn anew. */
export const redraw = StateEffect.define();

/** `build(view)` gives the decorations of `view.visibleRanges`. */
export function drawn(build) {
  return ViewPlugin.fromClass(
    class {
      constructor(view) {
        this.decorations = build(view);
      }

      update({ view, docChanged, changes, viewportChanged, selectionSet, transactions }) {
        // An input method loses its place where the text around it is drawn anew.
        if (view.composing) this.decorations = this.decorations.map(changes);
        else if (docChanged || viewportChanged || selectionSet || transactions.some(({ effects }) => effects.length)) this.decorations = build(view);
      }
    },
    {
      decorations: ({ decorations }) => decorations,
      eventObservers: {
        compositionend: (_event, view) => void setTimeout(() => view.dispatch({ effects: redraw.of(null) })),
      },
    },
  );
}

/** The lines in sight: [{from, to, text}]. */
export function linesInSight(view) {
  const lines = [];
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = view.state.doc.lineAt(at);
      if (lines.at(-1)?.from !== line.from) lines.push(line);
      at = line.to + 1;
    }
  }
  return lines;
}
