/** The admin's page of a bulk operation: shows how far it is, and loads anew once it has ended. */

const page = /** @type {HTMLElement} */ (document.getElementById('operation'));
const bar = /** @type {HTMLProgressElement} */ (page.querySelector('progress'));
// Looked at every second at first, and ever more rarely, as long as somebody may be looking.
const SOON = 1000;
const LATE = 10000;
const SLOWER = 1.02;
let wait = SOON;

/** @param {string} name @param {string} text */
function show(name, text) {
  const element = /** @type {HTMLElement} */ (page.querySelector(`[data-show="${name}"]`));
  if (element.textContent !== text) element.textContent = text;
}

/** @param {string[]} lines */
function list(lines) {
  const items = lines.map((line) => Object.assign(document.createElement('li'), { textContent: line }));
  /** @type {HTMLElement} */ (page.querySelector('[data-show="left"]')).replaceChildren(...items);
}

async function look() {
  try {
    const answer = await fetch(page.dataset.url ?? '', { headers: { Accept: 'application/json' } });
    if (answer.redirected || answer.status === 403 || answer.status === 404) return location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    const seen = await answer.json();
    if (seen.ended) return location.reload();
    show('label', seen.label);
    show('line', seen.line);
    show('note', seen.note);
    list(seen.left);
    bar.value = seen.percent;
  } catch {
    wait = LATE; // the site is away: it is asked again
  }
  wait = Math.min(LATE, wait * SLOWER);
  return next();
}

function next() {
  if (document.hidden) document.addEventListener('visibilitychange', look, { once: true });
  else setTimeout(look, wait);
}

next();
