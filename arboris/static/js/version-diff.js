/** Two versions compared, as the API's hunks say: in one text, or side by side. */

import { h } from './dom.js';
import { t, tn } from './i18n.js';

const AROUND = 2; // unchanged paragraphs that are shown on each side of a change
const FEWEST_FOLDED = 3;

/** A text by the code points in which the API counts. */
class Text {
  #points;

  constructor(text) {
    this.text = text;
    this.#points = /[\ud800-\udfff]/.test(text) ? [...text] : null;
  }

  slice(start, end) {
    return this.#points ? this.#points.slice(start, end).join('') : this.text.slice(start, end);
  }
}

/**
 * Rows from the first paragraph to the last: {kind, old, new}, each side a list of {kind, text}, or
 * null where the paragraph is not in that version.
 */
export function rowsOf(diff, oldText, newText) {
  const [before, after] = [new Text(oldText), new Text(newText)];
  return diff.hunks.flatMap((hunk) => {
    if (hunk.kind === 'changed') return [changedRow(hunk.edits.map((edit) => part(edit, before, after)))];
    const text = hunk.kind === 'removed' ? before.slice(hunk.old_start, hunk.old_end) : after.slice(hunk.new_start, hunk.new_end);
    const kind = { added: 'insert', removed: 'delete', equal: 'equal' }[hunk.kind];
    return paragraphs(text).map((line) => ({ kind: hunk.kind, parts: [{ kind, text: line }] }));
  }).filter(({ parts }) => parts.length);
}

/** A line end that came or went says nothing to a reader: what follows the paragraph is shown. */
function changedRow(parts) {
  const seen = parts.filter(({ kind, text }) => kind === 'equal' || withoutEnd(text));
  return { kind: seen.every(({ kind }) => kind === 'equal') ? 'equal' : 'changed', parts: seen };
}

const withoutEnd = (text) => text.replace(/[\r\n]+$/, '');

const part = (edit, before, after) => ({
  kind: edit.kind,
  text: edit.kind === 'delete' ? before.slice(edit.old_start, edit.old_end) : after.slice(edit.new_start, edit.new_end),
});

const paragraphs = (text) => text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/).filter((line) => line.trim());

/** Fills `container` with the rows. `names`: of the older and the newer version. */
export function showRows(container, rows, layout, names) {
  const blocks = folded(rows);
  if (layout === 'inline') {
    container.replaceChildren(h('div', { class: 'in-text' }, blocks.map((block) => unfoldable(block, inText, (button) => button))));
    return;
  }
  const row = (button) => h('tr', {}, h('td', { colspan: '2' }, button));
  container.replaceChildren(h('table', { class: 'beside' },
    h('thead', {}, h('tr', {}, names.map((name) => h('th', { scope: 'col', lang: document.documentElement.lang }, name)))),
    h('tbody', {}, blocks.map((block) => unfoldable(block, beside, row)))));
}

/** Long unchanged stretches as lists of rows, everything else row by row. */
function folded(rows) {
  const near = new Set();
  rows.forEach((row, at) => {
    if (row.kind === 'equal') return;
    for (let by = -AROUND; by <= AROUND; by += 1) near.add(at + by);
  });
  const blocks = [];
  rows.forEach((row, at) => {
    if (near.has(at)) blocks.push(row);
    else if (Array.isArray(blocks.at(-1))) blocks.at(-1).push(row);
    else blocks.push([row]);
  });
  return blocks.flatMap((block) => (Array.isArray(block) && block.length < FEWEST_FOLDED ? block : [block]));
}

/** A row as it is drawn; of a stretch only a button in its place until it is pressed. */
function unfoldable(block, draw, wrap) {
  if (!Array.isArray(block)) return draw(block);
  const button = h('button', { type: 'button', class: 'unchanged', lang: document.documentElement.lang }, tn('unchanged', block.length));
  const place = wrap(button);
  button.addEventListener('click', () => {
    const drawn = block.map(draw);
    place.replaceWith(...drawn);
    drawn[0].tabIndex = -1;
    drawn[0].focus({ preventScroll: true });
  });
  return place;
}

const marking = (kind, more = '') => (kind === 'equal' ? { class: more || null } : { class: `change ${more}`, tabindex: '-1', data: { kind } });
const ofOld = ({ kind }) => kind !== 'insert';
const ofNew = ({ kind }) => kind !== 'delete';

/** The first line is indented by the style, unless the writer did so. */
const inText = ({ kind, parts }) => h('p', marking(kind, /^\s/.test(parts[0].text) ? '' : 'indent'), parts.map(marked));

function beside({ kind, parts }) {
  const side = (isShown) => {
    const shown = parts.filter(isShown);
    return h('td', {}, shown.length ? h('p', {}, shown.map(marked)) : null);
  };
  return h('tr', marking(kind), side(ofOld), side(ofNew));
}

function marked({ kind, text }) {
  const shown = withoutEnd(text);
  if (kind === 'equal') return shown;
  const words = { begins: t(`${kind}_begins`), ends: t(`${kind}_ends`) };
  return h(kind === 'insert' ? 'ins' : 'del', { data: words }, shown);
}
