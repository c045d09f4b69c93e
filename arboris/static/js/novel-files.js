/** Files in and out of a novel: the form of an import, a look at what it holds, and the export. */

import { ApiError, LONG_PATIENCE, fetchFile, get, post } from './api.js';
import { $, ask, h } from './dom.js';
import { creating, madeBefore } from './form-drafts.js';
import { onSubmit, say, settle, valuesOf } from './forms.js';
import { chapterName, t, tn } from './i18n.js';
import { fillWindowed } from './windowed.js';

const LONG = 100; // chapters: more are imported by the workers, and hold no request
const SENT = { patience: LONG_PATIENCE };
const LOOKED_AT_EVERY = 1000; // ms
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
    let answer = await madeBefore(key, SENT);
    let restores = answer !== null && name.endsWith('.zip'); // it may have been a whole novel
    if (!answer) {
      const found = await post(`${api}/import?preview=1`, data);
      show(dialog, found);
      if (!(await ask(dialog))) return '';
      const mode = $('[name="mode"]:checked', dialog).value;
      answer = await creating(key, `${api}/import`, { upload: found.upload, mode }, null, {
        ...SENT,
        behind: found.restores || found.chapters.length > LONG,
      });
      restores = found.restores;
    }
    settle(form, sent);
    const count = answer.state ? await followed(form, api, answer) : answer.chapters.length;
    if (restores) {
      location.reload(); // the novel's own title and synopsis have changed too
      return '';
    }
    await reload();
    return count ? tn('imported', count) : t('imported_nothing');
  });
}

/** Follows an import to its end, which workers bring about; returns how many chapters it brought. */
async function followed(form, api, job) {
  const bar = $('#import-progress', form);
  try {
    let { state, done, total, error } = job;
    while (state === 'waiting' || state === 'running') {
      bar.hidden = false;
      if (state === 'running') bar.value = total ? done / total : 0;
      else bar.removeAttribute('value'); // no telling yet
      const words = t(state === 'running' ? 'import_running' : 'import_waiting', { done, total });
      if ($('.form-status', form).textContent !== words) say(form, words); // it is read out
      await new Promise((resolve) => setTimeout(resolve, LOOKED_AT_EVERY));
      job = await lookedAt(api, job);
      ({ state, done, total, error } = job);
    }
    if (error) throw new ApiError(error.detail, 400, error.code);
    return done;
  } finally {
    bar.hidden = true;
  }
}

/** The import as it is now; as it was, while there is no telling: the workers go on without us. */
async function lookedAt(api, job) {
  try {
    return await get(`${api}/imports/${job.id}`);
  } catch (error) {
    if (error.status === 0 || error.status === 429 || error.status >= 500) return job;
    throw error;
  }
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
