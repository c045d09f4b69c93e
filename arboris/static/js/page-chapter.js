/** `/chapters/<id>`: the desk, with what is mounted on it. */

import './bell.js';
import { mountChapterInfo } from './chapter-info.js';
import { mountCheck } from './check.js';
import { mountComfort } from './comfort.js';
import { $ } from './dom.js';
import { desk } from './desk.js';
import { mountDeskBinder } from './desk-binder.js';
import { mountKeys } from './desk-keys.js';
import { mountVersions } from './desk-versions.js';
import { mountSearch } from './desk-search.js';
import { FindingsPanel } from './findings.js';
import { failure } from './load.js';
import { Marks } from './marks.js';
import { mountWorkingCopy } from './working-copy.js';

mountWorkingCopy(desk);
mountKeys(desk);
mountComfort(desk);
mountDeskBinder(desk);
mountVersions(desk);
mountCheck(desk);
mountSearch(desk);
const info = mountChapterInfo(desk);

const marks = new Marks(desk, (places) => panel.setPlaces(places));
const panel = new FindingsPanel(desk.language, {
  onFilter: (findings) => marks.show(findings),
  onJump: (findings, jump) => marks.choose(findings, jump),
});

desk.onOpen(() => {
  marks.set(desk.findings);
  panel.set(desk.findings, info.isLive);
});

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
