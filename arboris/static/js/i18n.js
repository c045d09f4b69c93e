/** Texts in the reader's language (rendered by the server into #i18n), numbers and times. */

import { $ } from './dom.js';

const texts = JSON.parse($('#i18n')?.textContent ?? '{}');
const language = document.documentElement.lang || 'zh-hans';
const numbers = new Intl.NumberFormat(language);
const plurals = new Intl.PluralRules(language);
const moments = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });

/** The text of a key with its {…} filled; `fallback` (or the key) where there is none. */
export function t(key, values = {}, fallback = key) {
  const text = texts[key] ?? fallback;
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? numbers.format(value) : String(value);
  });
}

/** As `t` with a count: takes the singular where the language has one for it. */
export function tn(key, n) {
  const singular = `${key}_one`;
  return t(plurals.select(n) === 'one' && singular in texts ? singular : key, { n });
}

/** What a chapter is called: its title says its number itself; by its place only without one. */
export const chapterName = ({ title = '', chapter_number: n }) => title || t('chapter_n', { n });

/** A label for a value of a known set, as in `label('role', 'main')`; the value itself where unknown. */
export const label = (set, value) => (value ? t(`${set}_${value}`, {}, String(value)) : '');

export const when = (iso) => (iso ? moments.format(new Date(iso)) : '');

export const timeLeft = (seconds) =>
  seconds < 90
    ? t('eta_seconds', { n: Math.max(1, Math.round(seconds)) })
    : t('eta_minutes', { n: Math.round(seconds / 60) });

/** How long a text is, in its own measure: characters for Chinese, words for the rest. */
export function lengthOf(count, textLanguage) {
  return (textLanguage ?? '').startsWith('zh') ? tn('letters', count) : tn('words', count);
}
