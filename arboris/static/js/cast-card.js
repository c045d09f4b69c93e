/** Who a name is: state as of this chapter, last seen, what is open. */

import { get } from './api.js';
import { $, h } from './dom.js';
import { chapterName, label, t } from './i18n.js';

export class CastCards {
  #known = new Map(); // path → the promise of a card

  constructor(desk) {
    this.desk = desk;
  }

  /** What is known may have changed: it is asked for anew. */
  forget() {
    this.#known.clear();
  }

  /** The card of `{type, id}`, or null where it can't be had. */
  async of({ type, id }) {
    const path = `/api/chapters/${this.desk.chapterId}/cast/${type}/${id}`;
    if (!this.#known.has(path)) this.#known.set(path, get(path));
    try {
      return await this.#known.get(path);
    } catch (error) {
      console.info('The card could not be loaded:', error.message);
      this.#known.delete(path);
      return null;
    }
  }

  /** Shows it in the context pane. */
  show(card) {
    if (!card) return;
    const key = JSON.stringify(card);
    if ($('#who').dataset.shown === key) return;
    $('#who').dataset.shown = key;
    $('#who').hidden = false;
    $('#who').replaceChildren(this.draw(card));
  }

  draw({ type, names, role, description, states, last_seen: seen, open }) {
    const { language } = this.desk;
    const [name, ...others] = names;
    const text = (tag, words) => h(tag, { lang: language }, words);
    return h('article', { class: 'card cast-card', data: { type, testid: 'cast-card' } },
      h('p', { class: 'kind' }, [label('cast', type), label('role', role)].filter(Boolean).join(' · ')),
      h('h2', { lang: language }, name),
      others.length ? h('p', { class: 'meta' }, t('aliases', { names: others.join(t('name_separator')) })) : null,
      description ? text('p', description) : null,
      states.length ? h('dl', {}, states.flatMap((state) => [h('dt', {}, label('kind', state.kind)), h('dd', { lang: language }, state.description, ' ', this.#link(state))])) : null,
      h('p', { class: 'meta' }, seen ? [t('last_seen'), ' ', this.#link(seen)] : t('not_seen_before')),
      open.length ? [h('p', { class: 'kind' }, t('still_open')), h('ul', {}, open.map((thread) => h('li', {}, text('span', thread.description), ' ', this.#link(thread))))] : null);
  }

  #link({ chapter_id: id, chapter_number, chapter_title: title }) {
    if (!id || id === this.desk.chapterId) return null;
    const open = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      void this.desk.openChapter(id);
    };
    return h('a', { href: `/chapters/${id}`, on: { click: open } }, chapterName({ title, chapter_number }));
  }
}
