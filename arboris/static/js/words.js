/** The size of a text as the server counts it (arboris/novels/text.py). No DOM in here. */

// Han with extensions and compatibility forms, 々 and 〇, kana; one character, one word.
const CJK = '\\u3005\\u3007\\u3041-\\u3096\\u30a1-\\u30fa\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}';
const LETTER = `[[[\\p{L}\\p{N}]--[${CJK}]]\\u0300-\\u036f]`;
const WORD = new RegExp(`[${CJK}]|${LETTER}+(?:(?:['’‑\\-]|(?<=\\p{Nd})[.,](?=\\p{Nd}))${LETTER}+)*`, 'gv');

/** Each CJK character and each Latin word or number is one; punctuation and spaces are none. */
export function wordCount(text) {
  let count = 0;
  WORD.lastIndex = 0;
  while (WORD.test(text)) count += 1;
  return count;
}
