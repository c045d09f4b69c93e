/** Cards of the story bible. The panel's language is the novel's; our own labels carry the page's. */

import { h } from './dom.js';
import { chapterName, label, t, tn } from './i18n.js';

const page = document.documentElement.lang;
export const own = (tag, attributes, ...children) => h(tag, { lang: page, ...attributes }, ...children);
const QUOTE_IN_LINK = 60; // characters of a quote that name its passage

export function characterCard(character) {
  const { name, role, aliases, description, states, first_chapter: first, last_chapter: last, mentions } = character;
  const traits = ['personality', 'goals', 'abilities'].filter((trait) => character[trait]);
  return fact(character, name, role ? own('span', { class: 'badge' }, label('role', role)) : null,
    alsoCalled(aliases),
    description ? h('p', {}, description) : null,
    traits.length ? h('dl', {}, traits.flatMap((trait) => [own('dt', {}, t(trait)), h('dd', {}, character[trait])])) : null,
    own('p', { class: 'meta' },
      mentions ? h('span', {}, tn('mentions', mentions)) : null,
      first && last && first !== last ? h('span', {}, spanOf(character)) : null),
    evidence(character),
    states?.length ? h('div', {}, own('h4', {}, t('states')), h('ol', { class: 'timeline' }, states.map(stateEntry))) : null);
}

/** From which chapter on somebody is there, and up to which. */
function spanOf({ first_chapter, chapter_title, last_chapter, last_chapter_title }) {
  const first = chapterName({ title: chapter_title, chapter_number: first_chapter });
  return t('span', { first, last: chapterName({ title: last_chapter_title, chapter_number: last_chapter }) });
}

export function worldCard(entry) {
  return fact(entry, entry.name, null,
    alsoCalled(entry.aliases),
    entry.description ? h('p', {}, entry.description) : null,
    entry.mentions ? own('p', { class: 'meta' }, h('span', {}, tn('mentions', entry.mentions))) : null,
    evidence(entry));
}

export function foreshadowingCard(thread) {
  const { kind, description, status, events, age, stale } = thread;
  const badge = own('span', { class: 'badge', data: { seed: status } }, label('seed', status));
  return fact(thread, description, badge,
    own('p', { class: 'meta' }, h('span', {}, label('kind', kind)),
      age ? h('span', {}, tn('age', age)) : null,
      stale ? h('span', {}, t('stale')) : null),
    evidence(thread),
    events?.length ? h('ol', { class: 'timeline' }, events.map(eventEntry)) : null);
}

export function relationshipCard(relationship) {
  const { source, target, relation } = relationship;
  const pair = h('span', { class: 'pair' }, nameOf(source), h('span', { class: 'relation' }, `— ${relation} →`), nameOf(target));
  return fact(relationship, pair, null, evidence(relationship));
}

const SHOWN_TIERS = ['marked', 'accepted', 'writer'];

function fact({ basic, tier }, heading, badge, ...rest) {
  return h('article', { class: 'card fact' },
    h('div', { class: 'fact-head' }, h('h3', {}, heading), badge,
      SHOWN_TIERS.includes(tier) ? own('span', { class: 'badge', title: t(`tier_${tier}_hint`) }, t(`tier_${tier}`)) : null,
      basic ? own('span', { class: 'badge', title: t('basic_hint') }, t('basic')) : null),
    ...rest);
}

function stateEntry(state) {
  return h('li', {}, h('p', {}, own('span', { class: 'kind' }, label('kind', state.kind)), state.description), evidence(state));
}

function eventEntry(event) {
  return h('li', {}, h('p', {}, own('span', { class: 'kind' }, event.certain === false ? t('suspected') : label('seed', event.outcome)), event.description), evidence(event));
}

export function evidence({ chapter_id: chapter, chapter_number: number, chapter_title: title, quote, confidence }) {
  const link = quote ? `#quote=${encodeURIComponent([...quote].slice(0, QUOTE_IN_LINK).join(''))}` : '';
  return h('div', { class: 'evidence' },
    quote ? h('blockquote', {}, quote) : null,
    own('p', { class: 'source' },
      chapter ? h('a', { href: `/chapters/${chapter}${link}` }, chapterName({ title, chapter_number: number })) : null,
      typeof confidence === 'number' ? h('span', {}, t('confidence', { n: Math.round(confidence * 100) })) : null));
}

function alsoCalled(aliases) {
  return aliases?.length ? h('p', { class: 'meta' }, own('span', {}, t('aliases', { names: aliases.join(t('name_separator')) }))) : null;
}

/** A character by name, whether the API gives the name or the character. */
const nameOf = (character) => (typeof character === 'object' && character ? character.name : String(character));
