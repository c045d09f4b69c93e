/** The desk's buttons and keys: saving, panes, and the way from one pane to the next. */

import { $, $$ } from './dom.js';

const PANES = ['#binder', '#page', '#context'];
const NARROW = matchMedia('(max-width: 62rem)'); // as in desk.css: the panes lie over the page

export function mountKeys(desk) {
  for (const name of ['binder', 'context']) {
    desk.showPane(name, !NARROW.matches);
    $(`#toggle-${name}`).addEventListener('click', () => {
      const on = $('#desk').dataset[name] !== 'shown';
      if (on && NARROW.matches) desk.showPane(name === 'binder' ? 'context' : 'binder', false);
      desk.showPane(name, on);
      if (on) $(`#${name}`).focus();
    });
  }
  NARROW.addEventListener('change', () => ['binder', 'context'].forEach((name) => desk.showPane(name, !NARROW.matches)));
  desk.onOpen(() => NARROW.matches && desk.showPane('binder', false));
  $('#save').addEventListener('click', () => desk.saver.save());
  addEventListener('keydown', (event) => onKey(event, desk));
}

function onKey(event, desk) {
  if (event.key === 'Escape' && NARROW.matches) for (const name of ['binder', 'context']) leave(name, desk);
  if (event.key === 'F6' && !$('dialog[open]')) {
    event.preventDefault();
    nextPane(event.shiftKey ? -1 : 1, desk);
  }
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 's') {
    event.preventDefault();
    if (!event.repeat && !event.isComposing && !$('dialog[open]')) void desk.saver.save();
  }
}

/** A pane that lies over the page goes, and the focus back to the button that shows it. */
function leave(name, desk) {
  const pane = $(`#${name}`);
  if (!pane.contains(document.activeElement)) return;
  desk.showPane(name, false);
  $(`#toggle-${name}`).focus();
}

function nextPane(step, desk) {
  const shown = PANES.filter((pane) => pane === '#page' || $('#desk').dataset[pane.slice(1)] === 'shown');
  const at = shown.findIndex((pane) => $(pane).contains(document.activeElement));
  const goal = shown[(Math.max(0, at) + step + shown.length) % shown.length];
  const pane = $(goal);
  if (goal === '#page') desk.view.focus();
  else ($('[aria-current="page"]', pane) ?? $$('a, button, input', pane).find((element) => element.checkVisibility()) ?? pane).focus();
}
