/**
 * What a text would do to the story bible, asked of the server and shown before it is saved.
 * Needs `css/impact.css`.
 */

import { post } from './api.js';
import { $, h } from './dom.js';
import { chapterName, label, t, tn } from './i18n.js';

const PARTS = { vanishing: lostFact, orphaned_threads: orphanedThread, contradictions: contradiction };
const ORDER = ['contradictions', 'orphaned_threads', 'vanishing']; // from the worst
const AT_ONCE = 8; // entries of a part; the rest is folded
const ABOVE = 12; // px that are left free above what is scrolled to
const QUOTE_IN_LINK = 60; // characters of a quote that name its passage

/** What saving `content` as the chapter's text would do: {vanishing, orphaned_threads, contradictions}. */
export const impactOf = (chapterId, content) => post(`/api/chapters/${chapterId}/impact`, { content });
/** What restoring a version would do. */
export const impactOfVersion = (chapterId, version) => post(`/api/chapters/${chapterId}/impact`, { version });

export const countOf = (impact) => ORDER.reduce((sum, part) => sum + impact[part].length, 0);

/** Fills `container` with the impact. `language` is the novel's: what is quoted is in it. */
export function showImpact(container, impact, language = '') {
  const parts = ORDER.filter((part) => impact[part].length).map((part) => shownPart(part, impact[part], language));
  container.replaceChildren(h('div', { class: 'impact' },
    parts.length ? parts : h('p', { class: 'quiet-impact' }, t('impact_none'))));
}

function shownPart(part, entries, language) {
  const items = entries.map((entry) => PARTS[part](entry, language || null));
  const rest = items.splice(AT_ONCE);
  return h('section', { data: { part } },
    h('h3', {}, t(`impact_${part}`), h('span', { class: 'count' }, String(entries.length))),
    h('ul', {}, items),
    rest.length ? h('details', {}, h('summary', {}, tn('impact_more', rest.length)), h('ul', {}, rest)) : null);
}

function lostFact(fact, lang) {
  const said = [fact.name, fact.description === fact.quote ? '' : fact.description].filter(Boolean).join(t('colon'));
  return h('li', {}, h('p', {}, kind(label('type', fact.type)), h('span', { lang }, said)), place(fact, lang));
}

function orphanedThread(thread, lang) {
  return h('li', {},
    h('p', {}, kind(label('kind', thread.kind)), h('span', { lang }, thread.description)),
    thread.description === thread.quote ? place({ ...thread, quote: '' }, lang) : place(thread, lang),
    h('p', { class: 'meta' }, tn('impact_rest_on_it', thread.payoffs.length)),
    h('ul', {}, thread.payoffs.map((payoff) => h('li', {}, place(payoff, lang)))));
}

function contradiction(notice, lang) {
  const names = (notice.people ?? []).join(t('name_separator'));
  return h('li', {},
    h('p', {}, t(`notice_${notice.kind}`, { subject: notice.subject, names })),
    h('ul', {}, [notice.earlier, notice.later].map((side) => h('li', {}, place(side, lang)))));
}

const kind = (words) => h('span', { class: 'kind' }, words);

/** The quote, and a link to its passage; nothing of what the writer said without one. */
function place({ chapter_id: chapter, chapter_number, chapter_title: title, quote }, lang) {
  const start = [...quote].slice(0, QUOTE_IN_LINK).join('');
  const link = quote ? `#quote=${encodeURIComponent(start)}` : '';
  return [
    quote ? h('blockquote', { lang }, quote) : null,
    chapter ? h('p', { class: 'meta' }, h('a', { href: `/chapters/${chapter}${link}`, lang: title ? lang : null }, chapterName({ title, chapter_number }))) : null,
  ];
}

/** Shows a heading of the desk's pane, and gives it the focus. */
export function lookAt(desk, title) {
  desk.showPane('context', true);
  const pane = $('#context');
  title.focus({ preventScroll: true });
  // Not scrollIntoView, which moves the page beneath the panes too.
  pane.scrollTop += title.getBoundingClientRect().top - pane.getBoundingClientRect().top - ABOVE;
}

/** A link to a passage opens it in the desk's page, also where it stands in another chapter. */
export function follow(event, desk) {
  const link = event.target.closest('a');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { pathname, hash } = new URL(link.href);
  const quote = new URLSearchParams(hash.slice(1)).get('quote') ?? undefined;
  desk.openChapter(Number(pathname.split('/').pop()), { quote });
}
