/** How the page looks to this writer, focus mode, and the word goal; remembered in this browser. */

import { $, $$, setText } from './dom.js';
import { lengthOf, t } from './i18n.js';

const KEY = `arboris.desk.${document.body.dataset.userId}`;
const GOAL_MOST = 1_000_000;
const DEFAULTS = { width: 'middle', font: 'serif', size: 'middle', indent: true, goal: 0 };

export function mountComfort(desk) {
  const form = $('#comfort-form');
  const settings = { ...DEFAULTS, ...read() };

  function show() {
    for (const name of ['width', 'font', 'size', 'indent']) $('#desk').dataset[name] = String(settings[name]);
    for (const field of $$('[name]', form)) {
      if (field.type === 'checkbox') field.checked = settings[field.name];
      else field.value = settings[field.name] || (field.type === 'number' ? '' : DEFAULTS[field.name]);
    }
    count();
  }

  function count() {
    const { goal } = settings;
    const { words } = desk.editor;
    setText($('#word-count'), goal ? t('words_of_goal', { n: words, goal: lengthOf(goal, desk.language) }) : lengthOf(words, desk.language));
    const bar = $('#goal');
    bar.hidden = !goal;
    bar.value = goal ? Math.min(1, words / goal) : 0;
    bar.dataset.reached = String(goal > 0 && words >= goal);
  }

  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', ({ target }) => {
    if (!target.name) return;
    if (target.type === 'number') settings.goal = Math.min(GOAL_MOST, Math.max(0, Math.trunc(Number(target.value)) || 0));
    else settings[target.name] = target.type === 'checkbox' ? target.checked : target.value;
    keep(settings);
    if (target.type !== 'number') show();
    else count();
  });
  $('#focus-mode').addEventListener('click', () => setFocusMode(!isFocused(), desk));
  addEventListener('keydown', (event) => {
    if (event.ctrlKey && event.altKey && event.code === 'KeyF') {
      event.preventDefault();
      setFocusMode(!isFocused(), desk);
    }
  });
  desk.onChange(count);
  show();
}

const isFocused = () => document.body.dataset.focus === 'on';

/** The text alone, with the paragraph that is written in brought out. */
function setFocusMode(on, desk) {
  document.body.dataset.focus = on ? 'on' : 'off';
  $('#focus-mode').setAttribute('aria-pressed', String(on));
  if (on) desk.view.focus();
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}');
  } catch (error) {
    console.info('The settings of the page could not be read:', error.name);
    return {};
  }
}

function keep(settings) {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch (error) {
    console.info('The settings of the page could not be kept:', error.name);
  }
}
