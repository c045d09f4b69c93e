/** Files in and out of a novel: the form of an import, a look at what it holds, and the export. */

import { LONG_PATIENCE, fetchFile, post } from './api.js';
import { $, ask, h } from './dom.js';
import { creating, madeBefore } from './form-drafts.js';
import { onSubmit, settle, valuesOf } from './forms.js';
import { chapterName, t, tn } from './i18n.js';
import { fillWindowed } from './windowed.js';

const numbers = new Intl.NumberFormat(document.documentElement.lang || 'zh-hans');

/** `api`: the novel's path; `reload`: what to do once it has new chapters. */
export function mountFiles(api, reload) {
  mountImport(api, reload);
  mountExport(api);
}

function mountImport(api, reload) {
  const form = $('#import');
  const dialog = $('#import-dialog');
  onSubmit(form, async (data) => {
    const sent = valuesOf(form);
    const { name, size, lastModified } = /** @type {File} */ (data.get('file'));
    const key = `import:${api}:${name}:${size}:${lastModified}`;
    let answer = await madeBefore(key, LONG_PATIENCE);
    let restores = answer !== null && name.endsWith('.zip'); // it may have been a whole novel
    if (!answer) {
      const found = await post(`${api}/import?preview=1`, data);
      show(dialog, found);
      if (!(await ask(dialog))) return '';
      const mode = $('[name="mode"]:checked', dialog).value;
      answer = await creating(key, `${api}/import`, { upload: found.upload, mode }, null, LONG_PATIENCE);
      restores = found.restores;
    }
    settle(form, sent);
    if (restores) {
      location.reload(); // the novel's own title and synopsis have changed too
      return '';
    }
    await reload();
    return answer.chapters.length ? tn('imported', answer.chapters.length) : t('imported_nothing');
  });
}

function show(dialog, found) {
  const matching = found.chapters.filter(({ matches }) => matches).length;
  const count = found.chapters.length;
  const lines = [
    t(count === 1 ? 'found_chapters_one' : 'found_chapters', { n: count, title: found.title }),
    matching ? tn('found_matches', matching) : '',
    found.encoding ? t('found_encoding', { encoding: found.encoding.toUpperCase() }) : '',
    found.restores ? t('found_restores') : '',
  ];
  $('#import-found', dialog).replaceChildren(...lines.filter(Boolean).map((line) => h('span', {}, line)));
  fillWindowed($('tbody', dialog), found.chapters, rowOf);
  $('#import-aside', dialog).hidden = found.set_aside.length === 0;
  fillWindowed($('.import-aside', dialog), found.set_aside, (text) => h('li', {}, text));
  $('#import-modes', dialog).hidden = matching === 0 || found.restores;
  $(`[name="mode"][value="${matching ? 'skip' : 'add'}"]`, dialog).checked = true;
}

function rowOf({ title, length, matches }) {
  const there = matches
    ? h('td', {}, chapterName(matches))
    : h('td', { class: 'new' }, t('found_nothing_here'));
  return h('tr', {}, h('td', {}, title || t('untitled')), h('td', {}, numbers.format(length)), there);
}

function mountExport(api) {
  const form = $('#export');
  const manuscript = $('#export-manuscript', form);
  const format = $('#export-format', form);
  const showParts = () => {
    const whole = format.value === 'archive';
    manuscript.hidden = whole;
    manuscript.disabled = whole;
    $('#export-archive-hint', form).hidden = !whole;
  };
  format.addEventListener('change', showParts);
  addEventListener('pageshow', showParts); // a browser may bring an earlier choice back
  onSubmit(form, async (data) => {
    const { file, name } = await fetchFile(`${api}/export`, queryOf(data));
    const link = h('a', { href: URL.createObjectURL(file), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser has begun to save it
    return t('exported', { name });
  });
}

function queryOf(data) {
  const query = { format: data.get('format') };
  if (query.format === 'archive') return query;
  const front = data.get('title') ? ['title', 'writer'] : [];
  if (data.get('synopsis')) front.push('synopsis');
  query.front = front.join(',') || 'none';
  for (const name of ['volume', 'chapters', 'writer']) {
    const value = String(data.get(name) ?? '').trim();
    if (value) query[name] = value;
  }
  return query;
}
