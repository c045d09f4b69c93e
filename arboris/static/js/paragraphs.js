/** Two texts that were made from one, paragraph by paragraph. */

const MOST = 4_000_000; // pairs of paragraphs that are compared

/** Index in `there` of each paragraph of `here` that is there too, in order; -1 for the others. */
export function matches(here, there) {
  const found = new Array(here.length).fill(-1);
  let start = 0;
  while (start < here.length && start < there.length && here[start] === there[start]) found[start] = start++;
  let [endHere, endThere] = [here.length, there.length];
  while (endHere > start && endThere > start && here[endHere - 1] === there[endThere - 1]) found[--endHere] = --endThere;
  const [rows, columns] = [endHere - start, endThere - start];
  if (rows * columns > MOST) return found; // the middle is shown as one piece
  const lengths = Array.from({ length: rows + 1 }, () => new Uint32Array(columns + 1));
  for (let i = rows - 1; i >= 0; i -= 1) {
    for (let j = columns - 1; j >= 0; j -= 1) {
      lengths[i][j] = here[start + i] === there[start + j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  for (let i = 0, j = 0; i < rows && j < columns;) {
    if (here[start + i] === there[start + j]) found[start + i++] = start + j++;
    else if (lengths[i + 1][j] >= lengths[i][j + 1]) i += 1;
    else j += 1;
  }
  return found;
}

/**
 * The pieces of both texts in order: `{base, mine, theirs, choice}` as texts. `choice`: 'same', 'mine'
 * or 'theirs' where that side alone has changed it, null where both have: the writer has to say.
 */
export function pieces(base, mine, theirs) {
  const [old, own, other] = [base, mine, theirs].map((text) => text.split('\n'));
  const [toOwn, toOther] = [matches(old, own), matches(old, other)];
  const found = [];
  let [i, j, k] = [0, 0, 0];
  const take = (toI, toJ, toK) => {
    if (i < toI || j < toJ || k < toK) found.push(piece(old.slice(i, toI), own.slice(j, toJ), other.slice(k, toK)));
    [i, j, k] = [toI, toJ, toK];
  };
  for (let at = 0; at < old.length; at += 1) {
    if (toOwn[at] < 0 || toOther[at] < 0) continue;
    take(at, toOwn[at], toOther[at]);
    const last = found.at(-1);
    if (last?.choice === 'same') last.base.push(old[at]);
    else found.push({ base: [old[at]], mine: null, theirs: null, choice: 'same' });
    [i, j, k] = [at + 1, toOwn[at] + 1, toOther[at] + 1];
  }
  take(old.length, own.length, other.length);
  return found;
}

function piece(base, mine, theirs) {
  const [old, own, other] = [base, mine, theirs].map((lines) => JSON.stringify(lines));
  if (own === other) return { base: mine, mine: null, theirs: null, choice: 'same' };
  const choice = other === old ? 'mine' : own === old ? 'theirs' : null;
  return { base, mine, theirs, choice };
}
