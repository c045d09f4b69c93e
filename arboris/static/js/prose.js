/** The look of the text while it is written: headings, scene breaks, emphasis, the paragraph that is written in. */

import { drawn, linesInSight } from './drawn.js';
import { Decoration } from './vendor/codemirror.js';

const HEADING = /^(#{1,6})\s+\S/;
const SCENE = /^[ \t\u3000]*(?:([*_＊※◇◆☆★○●□■•—-])(?:[ \t\u3000]*\1){2,}|[⁂#])[ \t\u3000]*$/; // as in novels/manuscript/blocks.py
const EMPHASIS = /(\*\*\*|\*\*|\*|___|__|_)(\S|\S.{0,500}?\S)\1/g;
const WORD = /[\p{L}\p{N}]/u;

const line = (name) => Decoration.line({ class: name });
const PARAGRAPH = line('cm-paragraph');
const SCENE_BREAK = line('cm-scene');
const HERE = line('cm-here');
const HEADINGS = [1, 2, 3, 4, 5, 6].map((level) => line(`cm-heading cm-heading-${level}`));
const SIGN = Decoration.mark({ class: 'cm-sign' });
const KINDS = { 1: Decoration.mark({ tagName: 'em' }), 2: Decoration.mark({ tagName: 'strong' }), 3: Decoration.mark({ class: 'cm-strong-em' }) };

/** What stands at a scene break alone is one; `#` is the typewriter's. */
export const isSceneBreak = (text) => SCENE.test(text);

function lookOf(text) {
  const heading = HEADING.exec(text);
  if (heading) return HEADINGS[heading[1].length - 1];
  if (isSceneBreak(text)) return SCENE_BREAK;
  return text && !/^\s/.test(text) ? PARAGRAPH : null;
}

function* emphasis(text) {
  for (const { 0: whole, 1: sign, index } of text.matchAll(EMPHASIS)) {
    const end = index + whole.length;
    // In a word, as in snake_case, the underscore is a letter.
    if (sign[0] === '_' && (WORD.test(text[index - 1] ?? '') || WORD.test(text[end] ?? ''))) continue;
    yield { from: index, to: end, size: sign.length };
  }
}

function build(view) {
  const found = [];
  const { main } = view.state.selection;
  for (const { from, to, text } of linesInSight(view)) {
    if (from <= main.to && main.from <= to) found.push(HERE.range(from));
    const look = lookOf(text);
    if (look) found.push(look.range(from));
    const heading = HEADING.exec(text);
    if (heading) found.push(SIGN.range(from, from + heading[1].length));
    if (look === SCENE_BREAK) continue;
    for (const one of emphasis(text)) {
      const [start, end] = [from + one.from, from + one.to];
      found.push(KINDS[one.size].range(start, end), SIGN.range(start, start + one.size), SIGN.range(end - one.size, end));
    }
  }
  return Decoration.set(found, true);
}

export const prose = drawn(build);
