/** On the desk: the way to the chapter's versions, and what saving the text would do to the bible. */

import { $, debounced, h, setText } from './dom.js';
import { t, tn } from './i18n.js';
import { countOf, follow, impactOf, lookAt, showImpact } from './impact.js';
import { asTyped } from './passages.js';

const PAUSE = 1_500; // ms without a keystroke before the server is asked

export function mountVersions(desk) {
  const link = h('a', { data: { testid: 'versions-link' } }, t('versions'));
  $('#desk-tools').append(link);
  desk.onOpen((chapter) => link.setAttribute('href', `/chapters/${chapter.id}/versions`));
  mountImpact(desk);
}

/**
 * Only a passage that a finding rests on can take something from the bible: the server is asked
 * when one of them is gone from the text, and again when others are.
 */
function mountImpact(desk) {
  const box = $('#impact');
  const shown = h('div', {});
  box.replaceChildren(h('h2', { id: 'impact-title', tabindex: '-1' }, t('impact_title')), shown);
  const hint = h('button', { type: 'button', class: 'small impact-hint', hidden: true, 'aria-controls': 'impact', data: { testid: 'impact-hint' }, on: { click: () => lookAt(desk, $('#impact-title')) } });
  $('#desk-tools').prepend(h('span', { role: 'status' }, hint));
  box.addEventListener('click', (event) => follow(event, desk));
  let asked = '';

  async function ask() {
    const gone = desk.isChanged ? missing(desk) : [];
    const question = gone.length ? `${desk.chapterId}.${desk.chapter.version}: ${gone.join()}` : '';
    if (question === asked) return;
    asked = question;
    const impact = question ? await answer(desk) : null;
    if (question !== asked) return;
    if (!impact) asked = ''; // it is asked again after the next pause
    const count = impact ? countOf(impact) : 0;
    box.hidden = hint.hidden = count === 0;
    setText(hint, count ? tn('impact_hint', count) : '');
    if (impact) showImpact(shown, impact, desk.language);
  }

  const soon = debounced(ask, PAUSE);
  desk.onChange(soon);
}

const missing = (desk) => desk.findings.filter(({ verified, quote }) => verified && !desk.text.includes(asTyped(quote))).map(({ id }) => id);

/** The impact, or null where it could not be had: whoever writes is not disturbed. */
async function answer(desk) {
  try {
    return await impactOf(desk.chapterId, desk.text);
  } catch (error) {
    console.info('What saving would do is not known:', error.message);
    return null;
  }
}
