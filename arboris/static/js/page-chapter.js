/** `/chapters/<id>`: the desk, with what is mounted on it. */

import './bell.js';
import { mountChapterInfo } from './chapter-info.js';
import { mountChapterList } from './chapter-list.js';
import { $ } from './dom.js';
import { desk } from './desk.js';
import { mountKeys } from './desk-keys.js';
import { mountVersions } from './desk-versions.js';
import { mountSearch } from './desk-search.js';
import { FindingsPanel } from './findings.js';
import { failure } from './load.js';
import { places } from './passages.js';
import { mountSaving } from './save-version.js';

mountSaving(desk);
mountKeys(desk);
mountChapterList(desk);
mountVersions(desk);
mountSearch(desk);
const info = mountChapterInfo(desk);

const panel = new FindingsPanel(desk.language, {
  onFilter() {},
  onJump(findings, jump) {
    const [place] = places(desk.chapter.content, findings);
    if (jump && place) desk.select(place.from, place.to);
  },
});

desk.onOpen(() => panel.set(desk.findings, info.isLive));

/** A fact of the bible links here with its quote: #quote=…; the passage is shown. */
function jumpToQuote() {
  const quote = new URLSearchParams(location.hash.slice(1)).get('quote');
  if (quote) desk.findQuote(quote);
}

addEventListener('hashchange', jumpToQuote);

async function start() {
  try {
    await desk.reload();
    jumpToQuote();
  } catch (error) {
    $('#text').after(failure(error, () => location.reload()));
  } finally {
    $('#desk').removeAttribute('aria-busy');
  }
}

void start();
