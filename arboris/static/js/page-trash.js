/** `/trash`: deleted chapters and novels, and the way back. */

import './bell.js';
import { get, post } from './api.js';
import { $, busyWhile, h } from './dom.js';
import { chapterName, t, when } from './i18n.js';
import { failure } from './load.js';
import { mountPalette } from './palette.js';
import { fillWindowed } from './windowed.js';

const list = $('#trash');

async function load() {
  try {
    const items = await get('/api/trash');
    fillWindowed(list, items, entry);
    $('#trash-empty').hidden = items.length > 0;
  } catch (error) {
    list.replaceChildren(h('li', {}, failure(error, load)));
  } finally {
    list.removeAttribute('aria-busy');
  }
}

function entry(item) {
  const title = chapterName(item);
  const dates = [t('trash_deleted', { when: when(item.deleted_at) }), item.expires_at && t('trash_expires', { when: when(item.expires_at) })];
  const button = h('button', { type: 'button', data: { testid: 'trash-restore' }, on: { click: () => busyWhile(button, () => restore(item, title)) } }, t('trash_restore'));
  return h('li', {}, h('div', {},
    h('h2', {}, title),
    h('p', { class: 'meta' }, h('span', {}, t(`trash_${item.kind}`, { novel: item.project_title })), dates.filter(Boolean).map((date) => h('span', {}, date)))), button);
}

async function restore(item, title) {
  try {
    const { kind, id } = await post(`/api/trash/${item.kind}/${item.id}/restore`);
    await load();
    $('#trash-status').replaceChildren(h('a', { href: `/${kind}s/${id}` }, t('trash_restored', { title })));
    $('#trash-status a').focus();
  } catch (error) {
    $('#trash-status').replaceChildren(error.message);
  }
}

mountPalette();
void load();
