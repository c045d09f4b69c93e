/** The chapters of the novel in the binder: each opens in this page. */

import { get } from './api.js';
import { $, h } from './dom.js';
import { t } from './i18n.js';
import { failure } from './load.js';

const PAGE = 1000; // chapters in one call

export function mountChapterList(desk) {
  const list = $('#binder-list');

  async function load() {
    try {
      const chapters = [];
      let page;
      do {
        page = await get(`/api/projects/${desk.projectId}/chapters`, { limit: PAGE, offset: chapters.length });
        chapters.push(...page);
      } while (page.length === PAGE);
      list.replaceChildren(h('ol', { lang: desk.language }, chapters.map(entry)));
      mark();
    } catch (error) {
      list.replaceChildren(failure(error, load));
    }
  }

  function entry({ id, title, chapter_number: number }) {
    return h('li', {}, h('a', { href: `/chapters/${id}`, data: { chapterId: id }, on: { click: open } }, title || t('chapter_n', { n: number })));
  }

  function open(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void desk.openChapter(Number(event.currentTarget.dataset.chapterId));
  }

  function mark() {
    for (const link of list.querySelectorAll('a')) {
      if (Number(link.dataset.chapterId) === desk.chapterId) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  }

  desk.onOpen(mark);
  void load();
}
