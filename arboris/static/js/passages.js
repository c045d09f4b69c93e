/** Where findings lie in the text that the writer sees. No DOM in here. */

/**
 * Maps code-point offsets, in which the API counts, to the UTF-16 offsets of a JS string.
 * Offsets beyond the text have no entry.
 */
export function toUtf16(text, offsets) {
  const wanted = [...new Set(offsets)].sort((a, b) => a - b);
  const units = new Map();
  let point = 0;
  let unit = 0;
  for (const offset of wanted) {
    while (point < offset && unit < text.length) {
      unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
      point += 1;
    }
    if (point === offset) units.set(offset, unit);
  }
  return units;
}

/**
 * `[{finding, from, to}]` of the findings that lie in a saved text, in offsets of that text as the
 * page shows it: each line end is one unit there.
 */
export function places(content, findings) {
  const units = toUtf16(content, findings.flatMap(({ start, end }) => [start, end]));
  const breaks = [...content.matchAll(/\r\n/g)].map(({ index }) => index);
  const shown = (unit) => unit - breaks.filter((at) => at < unit).length;
  return findings
    .map((finding) => ({ finding, from: units.get(finding.start), to: units.get(finding.end) }))
    .filter(({ finding, from, to }) => finding.verified !== false && from !== undefined && to !== undefined && from < to)
    .map(({ finding, from, to }) => ({ finding, from: shown(from), to: shown(to) }));
}

/**
 * The same for findings of an older text: each at the quote's nearest place in the text as it is now.
 * What is not there any more has no place.
 */
export function nearest(text, findings) {
  return findings.flatMap((finding) => {
    const quote = finding.quote.replace(/\r\n?/g, '\n');
    const before = text.lastIndexOf(quote, finding.start);
    const after = text.indexOf(quote, finding.start);
    if (!quote || (before < 0 && after < 0) || finding.verified === false) return [];
    const from = before < 0 || (after >= 0 && after - finding.start < finding.start - before) ? after : before;
    return [{ finding, from, to: from + quote.length }];
  });
}

/** Fields of the pages hold line feeds alone, whatever line ends the saved text has. */
export const asTyped = (content) => content.replace(/\r\n?/g, '\n');

/** The paragraphs of `text` that are not as they were in `before`: `{from, to}`. */
export function changedPart(before, text) {
  const most = Math.min(before.length, text.length);
  let start = 0;
  while (start < most && before[start] === text[start]) start += 1;
  let tail = 0;
  while (tail < most - start && before.at(-1 - tail) === text.at(-1 - tail)) tail += 1;
  const end = text.indexOf('\n', text.length - tail);
  return { from: text.lastIndexOf('\n', start - 1) + 1, to: end < 0 ? text.length : end };
}
