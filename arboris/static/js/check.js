/**
 * On the desk: what the passage that was just written contradicts in the story bible. Asked after a
 * pause, and shown beside the text, never over it.
 */

import { post } from './api.js';
import { $, h, setText } from './dom.js';
import { t, tn } from './i18n.js';
import { follow, lookAt, showImpact } from './impact.js';
import { asTyped, changedPart } from './passages.js';

const PAUSE = 1_200; // ms without a keystroke before the server is asked

export function mountCheck(desk) {
  const box = $('#checks');
  const shown = h('div', {});
  box.replaceChildren(h('h2', { id: 'checks-title', tabindex: '-1' }, t('check_title')), shown);
  box.addEventListener('click', (event) => follow(event, desk));
  const show = () => lookAt(desk, $('#checks-title'));
  const hint = h('button', { type: 'button', class: 'small impact-hint', hidden: true, 'aria-controls': 'checks', data: { testid: 'check-hint' }, on: { click: show } });
  $('#desk-tools').prepend(h('span', { role: 'status' }, hint));

  let checked = ''; // the text as it was when it was asked about last
  let of = 0; // the chapter whose text that is
  let found = [];
  let turn = 0; // of the question whose answer counts: none waits for one that does not come
  let timer = 0;

  function draw() {
    box.hidden = hint.hidden = found.length === 0;
    setText(hint, found.length ? tn('check_hint', found.length) : '');
    showImpact(shown, { vanishing: [], orphaned_threads: [], contradictions: found }, desk.language);
  }

  async function ask() {
    const [id, text, mine] = [desk.chapterId, desk.text, ++turn];
    if (desk.chapter === null || text === checked) return;
    const { from, to } = changedPart(checked, text);
    const fresh = await answer(id, text, from, to);
    if (fresh === null || mine !== turn || id !== desk.chapterId) return;
    checked = text;
    const asked = text.slice(from, to);
    const kept = found.filter(({ quote }) => text.includes(quote) && !asked.includes(quote));
    found = [...kept, ...fresh];
    draw();
  }

  desk.onChange(() => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  desk.onOpen((chapter) => {
    if (chapter.id !== of) [of, checked, found] = [chapter.id, asTyped(chapter.content), []];
    found = found.filter(({ quote }) => desk.text.includes(quote));
    draw();
  });
}

/** The contradictions, or null where they could not be had: whoever writes is not disturbed. */
async function answer(id, content, from, to) {
  const points = (units) => [...content.slice(0, units)].length;
  try {
    const { contradictions } = await post(`/api/chapters/${id}/check`, { content, start: points(from), end: points(to) });
    return contradictions;
  } catch (error) {
    console.info('Whether this contradicts anything is not known:', error.message);
    return null;
  }
}
