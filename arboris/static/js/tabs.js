/** What the tabs of one browser agree on: which of them tells of an event, and whether it may ask the browser to. */

import { t } from './i18n.js';
import { storage } from './storage.js';

const KEPT = 200; // ids of events that were told
const LATER = 400; // ms that a tab which nobody looks at leaves to the others
const user = document.body.dataset.userId ?? '';
const TOLD = `arboris.told.${user}`;
const BROWSER = `arboris.browser.${user}`;

/** True in one tab alone, for each id: that one tells of it. */
export async function claim(id) {
  if (document.hidden) await new Promise((resolve) => setTimeout(resolve, LATER));
  // Locks need a secure context; without them two tabs may tell the same, which is a lesser evil.
  return navigator.locks ? navigator.locks.request(TOLD, () => take(id)) : take(id);
}

function take(id) {
  const told = JSON.parse(storage?.getItem(TOLD) ?? '[]');
  if (told.includes(id)) return false;
  storage?.setItem(TOLD, JSON.stringify([...told, id].slice(-KEPT)));
  return true;
}

const canTell = 'Notification' in window;

export const wantsBrowser = () => canTell && Notification.permission === 'granted' && storage?.getItem(BROWSER) === 'yes';

/** Lets `box` (a checkbox) choose whether the browser tells; `say` gets why it can't. */
export function chooseBrowser(box, say) {
  box.checked = wantsBrowser();
  box.disabled = !canTell || !storage;
  box.addEventListener('change', async () => {
    say('');
    if (box.checked && (await Notification.requestPermission()) !== 'granted') {
      box.checked = false;
      say(t('browser_refused'));
    }
    storage.setItem(BROWSER, box.checked ? 'yes' : 'no');
  });
}
