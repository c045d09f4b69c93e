/** The panel beside a chapter's text: kinds to choose from, the list of findings, one in detail. */

import { $, $$, focusedIn, h, setText } from './dom.js';
import { label, t, tn } from './i18n.js';

// In the order in which they are shown (analysis/features.py), rendered by the server.
const ORDER = JSON.parse($('#finding-types')?.textContent ?? '[]');

/** What a finding is called: a name where it has one, else its kind, else the passage itself. */
function nameOf({ type, label: name, payload, quote }) {
  if (type === 'foreshadowing') return label('kind', name);
  if (type === 'payoff') return name || label('seed', payload?.outcome) || quote;
  return name || quote;
}

const rank = (type) => (ORDER.includes(type) ? ORDER.indexOf(type) : ORDER.length);

export class FindingsPanel {
  #all = [];
  #off = new Set(); // types that are not shown
  #opener = null;
  states = new Map();
  #open = new Set(); // ids of the findings shown in detail

  /** `onFilter(findings)`: these are to be marked. `onJump(findings)`: show them in the text. */
  constructor(language, { onFilter, onJump }) {
    this.language = language;
    this.onFilter = onFilter;
    this.onJump = onJump;
    $('#detail').addEventListener('keydown', ({ key }) => key === 'Escape' && this.close());
  }

  /** `states`: id → 'stale' (its passage was changed) or 'gone'; such a finding fades until it is read again. */
  setPlaces(states) {
    this.states = states;
    for (const button of $$('#finding-list button')) this.#fade(button, Number(button.dataset.findingId));
  }

  #fade(button, id) {
    const state = this.states.get(id);
    button.classList.toggle('faded', Boolean(state));
    setText($('.changed', button), state ? t(`finding_${state}`) : '');
  }

  get shown() {
    return this.#all.filter(({ type }) => !this.#off.has(type));
  }

  /** `pending`: an analysis is under way, so that "nothing" is not the last word. */
  set(findings, pending) {
    this.#all = findings.toSorted((a, b) => rank(a.type) - rank(b.type) || (a.start ?? 0) - (b.start ?? 0));
    this.pending = pending;
    this.#drawFilters();
    this.#draw();
    const stillOpen = this.shown.filter(({ id }) => this.#open.has(id));
    if (stillOpen.length) this.open(stillOpen);
    else if (this.#open.size) this.close();
    this.onJump(stillOpen);
  }

  /** Findings as cards; the focus stays where it is, the region is read out by itself. */
  open(findings) {
    this.#opener = document.activeElement;
    this.#open = new Set(findings.map(({ id }) => id));
    const close = h('button', { type: 'button', class: 'quiet small', on: { click: () => this.close() } }, t('close'));
    $('#detail').replaceChildren(h('div', { class: 'detail-head' }, h('strong', {}, tn('findings', findings.length)), close), ...findings.map((finding) => this.#card(finding)));
    $('#detail').hidden = false;
    this.#markOpen();
  }

  close() {
    const hadFocus = $('#detail').contains(document.activeElement);
    $('#detail').hidden = true;
    this.#open.clear();
    this.#markOpen();
    if (hadFocus && this.#opener?.isConnected) this.#opener.focus();
    this.onJump([]);
  }

  #markOpen() {
    for (const button of $$('#finding-list button')) button.setAttribute('aria-current', String(this.#open.has(Number(button.dataset.findingId))));
  }

  #drawFilters() {
    const box = $('#filters');
    const types = [...new Set(this.#all.map(({ type }) => type))];
    const focused = focusedIn('.chip')?.dataset.type;
    const chips = types.map((type) => {
      const count = this.#all.filter((finding) => finding.type === type).length;
      const check = h('input', { type: 'checkbox', checked: !this.#off.has(type), on: { change: ({ target }) => this.#toggle(type, target.checked) } });
      return h('label', { class: 'chip', data: { type } }, check, `${label('type', type)} ${count}`);
    });
    box.replaceChildren($('legend', box), ...chips);
    box.hidden = types.length < 2;
    if (focused) $(`[data-type="${focused}"] input`, box)?.focus();
  }

  #toggle(type, on) {
    if (on) this.#off.delete(type);
    else this.#off.add(type);
    this.#draw();
  }

  #draw() {
    const shown = this.shown;
    setText($('#findings-count'), this.#all.length ? tn('findings', shown.length) : '');
    const none = this.#all.length ? t('no_match') : t(this.pending ? 'findings_later' : 'no_findings');
    $('#finding-list').replaceChildren(...(shown.length ? shown.map((finding) => this.#entry(finding)) : [h('li', { class: 'hint' }, none)]));
    this.onFilter(shown);
  }

  #entry(finding) {
    const open = ({ currentTarget }) => {
      this.onJump([finding], true);
      this.open([finding]);
      this.#opener = currentTarget;
    };
    const button = h('button', { type: 'button', data: { type: finding.type, findingId: finding.id }, on: { click: open } },
      h('span', { class: 'kind' }, label('type', finding.type)),
      h('span', { lang: this.language }, nameOf(finding)),
      finding.description && finding.description !== finding.label ? h('span', { class: 'brief', lang: this.language }, finding.description) : null,
      h('span', { class: 'changed' }));
    this.#fade(button, finding.id);
    return h('li', {}, button);
  }

  #card(finding) {
    const { type, description, quote, confidence, basic, verified, applied } = finding;
    const name = nameOf(finding);
    return h('article', { class: 'card', data: { type, findingId: finding.id } },
      h('p', { class: 'kind' }, label('type', type)),
      h('h3', { lang: this.language }, name),
      description && description !== name && description !== quote ? h('p', { lang: this.language }, description) : null,
      quote ? h('blockquote', { lang: this.language }, quote) : null,
      h('p', { class: 'facts-line' },
        h('span', {}, t('confidence', { n: Math.round(confidence * 100) })),
        basic ? h('span', { title: t('basic_hint') }, `${t('basic')}: ${t('basic_hint')}`) : null),
      verified === false ? h('p', { class: 'hint' }, t('unverified')) : null,
      applied === false ? h('p', { class: 'hint' }, t('not_applied')) : null);
  }
}
