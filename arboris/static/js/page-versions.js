/** `/chapters/<id>/versions`: the history of a chapter, two versions compared, and restoring one. */

import { get, post } from './api.js';
import './bell.js';
import { $, $$, busyWhile, h, setText } from './dom.js';
import { label, lengthOf, t, tn, when } from './i18n.js';
import { impactOfVersion, showImpact } from './impact.js';
import { failure } from './load.js';
import { mountPalette } from './palette.js';
import { rowsOf, showRows } from './version-diff.js';

const { projectId, chapterId, language } = $('#main').dataset;
const API = `/api/chapters/${chapterId}/versions`;
const PAGE = 50;
const ROWS = 1_500; // paragraphs that are drawn at once
const dialog = $('#restore-dialog');
const contents = new Map();
let versions = [];
let chosen = { from: 0, to: 0 };
let compared = null;
let shown = ROWS;
let asked = null; // the version that is to be restored

const nameOf = ({ number, name }) => name || t('version', { n: number });
const versionOf = (number) => versions.find((one) => one.number === number) ?? { number, name: '' };

// --- the history ------------------------------------------------------------------------------
async function loadVersions() {
  try {
    versions = await get(API, { limit: PAGE });
    const [newest, before] = versions;
    chosen = { from: inAddress('from') ?? before?.number ?? newest.number, to: inAddress('to') ?? newest.number };
    $('#versions-problem').replaceChildren();
    showVersions();
    await compare();
  } catch (error) {
    $('#versions-problem').replaceChildren(failure(error, loadVersions));
  } finally {
    $('#version-table').removeAttribute('aria-busy');
  }
}

/** The version that the address names for a side; undefined where there is no such one. */
function inAddress(side) {
  const number = Number(new URLSearchParams(location.search).get(side));
  return Number.isInteger(number) && number >= 1 && number <= versions[0].number ? number : undefined;
}

async function loadOlder() {
  const older = await get(API, { limit: PAGE, before: versions.at(-1).number });
  versions.push(...older);
  showVersions();
  if (older.length) $(`[name="from"][value="${older[0].number}"]`).focus();
}

function showVersions() {
  $('#version-rows').replaceChildren(...versions.map(versionRow));
  $('#older').hidden = versions.at(-1).number <= 1;
}

function versionRow(version, at) {
  const before = versions[at + 1];
  const grown = before ? version.word_count - before.word_count : 0;
  return h('tr', { data: { number: version.number } },
    h('td', {}, picker('from', version)), h('td', {}, picker('to', version)),
    h('td', {}, h('div', { class: 'version' },
      h('p', { class: 'version-head' },
        h('strong', { lang: version.name ? language : null }, nameOf(version)),
        at === 0 ? h('span', { class: 'badge' }, t('newest')) : null,
        version.source === 'written' ? null : h('span', { class: 'badge' }, label('source', version.source))),
      h('p', { class: 'meta' },
        version.name ? h('span', {}, t('version', { n: version.number })) : null,
        h('time', { datetime: version.created_at }, when(version.created_at))),
      h('p', { class: 'meta' },
        h('span', {}, lengthOf(version.word_count, language)),
        grown ? h('span', {}, t(grown > 0 ? 'grown' : 'shrunk', { n: Math.abs(grown) })) : null),
      at === 0 ? null : h('button', { type: 'button', class: 'small', data: { testid: 'restore' }, 'aria-label': t('restore_this', { name: nameOf(version) }), on: { click: () => askToRestore(version) } }, t('restore')))));
}

function picker(side, version) {
  const input = /** @type {HTMLInputElement} */ (h('input', { type: 'radio', name: side, value: version.number, 'aria-label': t(`compare_${side}`, { name: nameOf(version) }) }));
  input.checked = chosen[side] === version.number;
  input.addEventListener('change', () => {
    chosen = { ...chosen, [side]: version.number };
    history.replaceState(null, '', `?${new URLSearchParams({ from: String(chosen.from), to: String(chosen.to) })}`);
    void compare();
  });
  return input;
}

// --- the comparison ---------------------------------------------------------------------------
async function contentOf(number) {
  if (!contents.has(number)) contents.set(number, (await get(`${API}/${number}`)).content);
  return contents.get(number);
}

async function compare() {
  const { from, to } = chosen;
  const box = $('#compared');
  box.setAttribute('aria-busy', 'true');
  try {
    const [diff, before, after] = await Promise.all([get(`${API}/${to}/diff`, { against: from }), contentOf(from), contentOf(to)]);
    if (chosen.from !== from || chosen.to !== to) return; // another pair was chosen meanwhile
    compared = { diff, rows: rowsOf(diff, before, after) };
    shown = ROWS;
    showComparison();
  } catch (error) {
    compared = null;
    box.replaceChildren(failure(error, compare));
  } finally {
    box.removeAttribute('aria-busy');
  }
}

function showComparison() {
  const { diff, rows } = compared;
  const names = [versionOf(diff.against), versionOf(diff.number)].map(nameOf);
  const changes = rows.filter(({ kind }) => kind !== 'equal').length;
  setText($('#comparison-title'), t('from_to', { from: names[0], to: names[1] }));
  setText($('#comparison-sums'), changes ? `${tn('changed_places', changes)} · ${t('letters_changed', { added: diff.added, removed: diff.removed })}` : t('no_difference'));
  $('#comparison-coarse').hidden = !diff.coarse;
  showRows($('#compared'), rows.slice(0, shown), $('[name="layout"]:checked').value, names);
  $('#more-changes').hidden = rows.length <= shown;
  $('#next-change').disabled = !changes;
}

/** Goes to the change after the focused one, from the last to the first. */
function nextChange() {
  const changes = $$('.change');
  const next = changes[(changes.indexOf(document.activeElement?.closest('.change')) + 1) % changes.length];
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: 'center', behavior: calm ? 'auto' : 'smooth' });
}

// --- restoring --------------------------------------------------------------------------------
async function askToRestore(version) {
  asked = version;
  setText($('#restore-title'), t('restore_question', { name: nameOf(version) }));
  $('#restore-typed').hidden = $('#restore-problem').hidden = true;
  dialog.showModal();
  await lookAhead();
}

/** Shows what restoring would do; until then it cannot be done, unless looking fails. */
async function lookAhead() {
  const version = asked;
  const box = $('#restore-impact');
  box.replaceChildren(h('p', { class: 'meta' }, t('impact_loading')));
  $('#restore-yes').ariaDisabled = 'true';
  try {
    const [impact, working] = await Promise.all([impactOfVersion(chapterId, version.number), get(`/api/chapters/${chapterId}/working`)]);
    if (asked !== version) return;
    $('#restore-typed').hidden = !working.saved_at;
    showImpact(box, impact, language);
  } catch (error) {
    if (asked === version) box.replaceChildren(failure(error, lookAhead));
  } finally {
    if (asked === version) $('#restore-yes').ariaDisabled = 'false';
  }
}

async function restore() {
  const version = asked;
  try {
    const saved = await post(`${API}/${version.number}/restore`, { base_version: versions[0].number });
    dialog.close();
    setText($('#versions-status'), t('restored', { name: nameOf(version), n: saved.version }));
    history.replaceState(null, '', location.pathname);
    await loadVersions();
    $('#comparison-title').focus({ preventScroll: true });
  } catch (error) {
    if (error.status === 409) versions = await get(API, { limit: PAGE }).then((rows) => rows, () => versions);
    showVersions();
    setText($('#restore-problem'), error.status === 409 ? t('restore_conflict') : error.message);
    $('#restore-problem').hidden = false;
  }
}

$('#older').addEventListener('click', () => loadOlder().catch((error) => $('#versions-problem').replaceChildren(failure(error, loadOlder))));
$('#next-change').addEventListener('click', nextChange);
$('#more-changes').addEventListener('click', () => {
  shown += ROWS;
  showComparison();
});
for (const input of $$('[name="layout"]')) input.addEventListener('change', () => compared && showComparison());
$('#restore-yes').addEventListener('click', ({ currentTarget: button }) => busyWhile(button, restore));
dialog.addEventListener('close', () => {
  asked = null;
});

mountPalette(projectId);
void loadVersions();
