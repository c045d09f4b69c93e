/** What stands in the place of data that could not be loaded. */

import { h } from './dom.js';
import { t } from './i18n.js';

export function failure(error, again) {
  return h('div', { class: 'alert', role: 'alert' },
    h('p', {}, t('load_failed', { reason: error.message })),
    h('button', { type: 'button', class: 'small', on: { click: again } }, t('try_again')));
}
