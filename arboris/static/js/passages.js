/** A text cut at its findings. No DOM in here. */

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
 * The pieces of `text` in order, each with the findings that lie on all of it:
 * [{start, end, findings}], in UTF-16 offsets, covering the text without gaps.
 */
export function cut(text, findings) {
  const units = toUtf16(text, findings.flatMap(({ start, end }) => [start, end]));
  const opens = new Map();
  const closes = new Map();
  for (const finding of findings) {
    const [start, end] = [units.get(finding.start), units.get(finding.end)];
    if (start === undefined || end === undefined || start >= end) continue;
    opens.set(start, [...(opens.get(start) ?? []), finding]);
    closes.set(end, [...(closes.get(end) ?? []), finding]);
  }
  const edges = [...new Set([0, ...opens.keys(), ...closes.keys(), text.length])].sort((a, b) => a - b);
  const here = new Set();
  const pieces = [];
  edges.forEach((start, index) => {
    for (const finding of closes.get(start) ?? []) here.delete(finding);
    for (const finding of opens.get(start) ?? []) here.add(finding);
    const end = edges[index + 1];
    if (end !== undefined) pieces.push({ start, end, findings: [...here] });
  });
  return pieces;
}

/** Cuts pieces further at line ends: a list of lines, each a list of {text, findings}; empty lines are left out. */
export function lines(text, pieces) {
  const found = [];
  let line = [];
  for (const { start, end, findings } of pieces) {
    text.slice(start, end).split('\n').forEach((part, index) => {
      if (index > 0) {
        found.push(line);
        line = [];
      }
      const shown = part.replace(/\r$/, '');
      if (shown) line.push({ text: shown, findings });
    });
  }
  found.push(line);
  return found.filter((parts) => parts.some((part) => part.text.trim()));
}
