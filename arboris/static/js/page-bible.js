/** `/projects/<id>/bible`: what the analyses know, every fact with its chapter and its quote. */

import './bell.js';
import { get, post } from './api.js';
import { $, $$, busyWhile, focusedIn, h, setText, spaced } from './dom.js';
import { questionCards, send } from './decisions.js';
import { characterCard, foreshadowingCard, relationshipCard, worldCard } from './facts.js';
import { t, tn } from './i18n.js';
import { kindOf } from './kinds.js';
import { live } from './live.js';
import { failure } from './load.js';
import { mountPalette } from './palette.js';
import { fillWindowed } from './windowed.js';

const projectId = $('#main').dataset.projectId;
const tabs = $$('[role="tab"]');
const CARDS = { characters: characterCard, foreshadowings: foreshadowingCard, relationships: relationshipCard };
const parts = $$('[data-section]').map(({ dataset }) => dataset);
const SEEDS = ['open', 'advanced', 'paid_off', 'abandoned'];
let bible = null;
let questions = null;
let takeBack = null;
const settled = new Set(); // questions that were answered, and are shown until the bible is folded

function show() {
  const focused = focusedIn('[data-key]');
  const spot = focused && { key: focused.dataset.key, link: $$('a, button', focused).indexOf(document.activeElement) };
  bible.foreshadowings.sort((a, b) => SEEDS.indexOf(a.status) - SEEDS.indexOf(b.status) || a.chapter_number - b.chapter_number);
  for (const { section, part } of parts) fill(part, entries(section, part), CARDS[part] ?? worldCard);
  const asked = questionCards(questions, (name) => bible.characters.find((one) => one.name === name), decide);
  if (asked.length) fillWindowed($('[data-part="questions"]'), asked, (card) => card);
  else $('[data-part="questions"]').replaceChildren(h('p', { class: 'nothing', lang: document.documentElement.lang }, t('empty_questions')));
  const counts = { questions: asked.length };
  for (const { section, part } of parts) counts[section] = (counts[section] ?? 0) + entries(section, part).length;
  for (const [part, count] of Object.entries(counts)) setText($(`[data-count="${part}"]`), count ? String(count) : '');
  if (spot) $$('a, button', $(`[data-key="${CSS.escape(spot.key)}"]`) ?? $('#main'))[Math.max(0, spot.link)]?.focus({ preventScroll: true });
}

/** A section is a list of entries, or has a list for each of its parts. */
const entries = (section, part) => (section === part ? bible[section] : bible[section][part]);

function fill(part, facts, card) {
  const words = $('#search').value.trim();
  const found = words ? facts.filter((fact) => matches(fact, words.toLocaleLowerCase())) : facts;
  const list = $(`[data-part="${part}"]`);
  if (found.length) {
    fillWindowed(list, found, (fact) => {
      const element = card(fact);
      element.dataset.key = `${part}-${fact.id}`;
      return element;
    });
    return;
  }
  const none = words && facts.length ? t('nothing_matches', { words }) : t(`empty_${part}`, {}, t('empty_part'));
  list.replaceChildren(h('p', { class: 'nothing', lang: document.documentElement.lang }, none));
}

/** Whether any text of an entry, or of what belongs to it, has the words. */
function matches(value, words) {
  if (typeof value === 'string') return value.toLocaleLowerCase().includes(words);
  return value !== null && typeof value === 'object' && Object.values(value).some((inner) => matches(inner, words));
}

async function load() {
  try {
    [bible, questions] = await Promise.all(['bible', 'bible/inbox'].map((part) => get(`/api/projects/${projectId}/${part}`)));
    if (!bible.folding) settled.clear();
    questions.questions = questions.questions.filter(({ ref }) => !settled.has(ref));
    showReadAgain(questions.to_read_again?.length ?? 0);
    setText($('#bible-folding'), bible.folding ? t('bible_folding') : '');
    $('#bible-folding').hidden = !bible.folding;
    show();
  } catch (error) {
    if (bible === null) for (const part of ['characters', 'questions']) $(`[data-part="${part}"]`).replaceChildren(failure(error, load));
    else console.info('The bible could not be loaded anew:', error.message);
  } finally {
    $('#bible').removeAttribute('aria-busy');
  }
}

/** The button stays where it is until the answer is there; then the next card has the focus. */
const decide = (asked, button) => busyWhile(button, () => decideOn(asked, button));

async function decideOn(asked, button) {
  const at = $$('[data-part="questions"] article').indexOf(button.closest('article'));
  try {
    takeBack = await send(projectId, asked);
    settled.add(button.closest('article').dataset.key.replace('questions-', ''));
    say(t('decided'));
    $('#undo').hidden = false;
    await load();
    const cards = $$('[data-part="questions"] article');
    ($('button', cards[Math.min(at, cards.length - 1)] ?? document.createElement('div')) ?? $('#undo')).focus();
  } catch (error) {
    say(error.message);
  }
}

/** Also what is said twice in a row is read out. */
function say(text) {
  $('#decided-text').textContent = '';
  setText($('#decided-text'), text);
}

async function undo() {
  const back = takeBack;
  takeBack = null;
  if (!back) return;
  try {
    await back();
    settled.clear();
    say(t('undone'));
    $('#undo').hidden = true;
    await load();
    $('#tab-questions').focus();
  } catch (error) {
    say(error.message);
    takeBack = back;
  }
}

/** Chapters that were analysed without what stands before them by now. */
function showReadAgain(number) {
  setText($('#read-again-text'), number ? tn('to_read_again', number) : '');
  $('#read-again-box').hidden = !number;
}

async function readAgain() {
  try {
    const { queued } = await post(`/api/projects/${projectId}/bible/read-again`);
    say(tn('running', queued));
    await load();
    if ($('#read-again-box').hidden) $('#tab-questions').focus();
  } catch (error) {
    say(error.message);
  }
}

function showRunning(number) {
  setText($('#running'), number ? tn('running', number) : '');
  $('#running').hidden = !number;
}

function choose(tab, focus = false) {
  for (const other of tabs) {
    const chosen = other === tab;
    other.setAttribute('aria-selected', String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    $(`#${other.getAttribute('aria-controls')}`).hidden = !chosen;
  }
  history.replaceState(null, '', `#${tab.getAttribute('aria-controls')}`);
  if (focus) tab.focus();
}

function onTabKey(event) {
  const at = tabs.indexOf(event.target);
  const goals = { ArrowRight: at + 1, ArrowLeft: at - 1 + tabs.length, Home: 0, End: tabs.length - 1 };
  if (at < 0 || !(event.key in goals)) return;
  event.preventDefault();
  choose(tabs[goals[event.key] % tabs.length], true);
}

for (const tab of tabs) tab.addEventListener('click', () => choose(tab));
$('#tabs').addEventListener('keydown', onTabKey);
$('#undo').addEventListener('click', undo);
$('#read-again').addEventListener('click', ({ currentTarget }) => busyWhile(currentTarget, readAgain));
$('#search').addEventListener('input', () => bible && show());
$('#search').value = new URLSearchParams(location.search).get('find') ?? ''; // the palette leads to a name
mountPalette(projectId);

const wanted = tabs.find((tab) => `#${tab.getAttribute('aria-controls')}` === location.hash);
if (wanted) choose(wanted);

const reload = spaced(load);
live.addEventListener('notification', ({ detail }) => {
  if (detail.project_id !== projectId) return;
  reload();
  if (kindOf(detail.notification_type).status === 'completed') setText($('#bible-status'), t('bible_updated'));
});
live.addEventListener('refresh', reload);
live.addEventListener('bible', ({ detail }) => detail.project_id === projectId && !detail.folding && reload());
live.addEventListener('state', () => (bible === null || bible.folding) && reload()); // its end was not heard
live.addEventListener('queue', ({ detail }) => {
  const number = detail.projects[projectId] ?? 0;
  showRunning(number);
  if (!number) reload.now();
});
void load();
