/** A chapter that the language model writes: its text as it arrives, and a way to stop it. */

import { ApiError, stream } from './api.js';
import { $, h } from './dom.js';
import { keepText, keptText, keyed } from './form-drafts.js';
import { onSubmit } from './forms.js';
import { chapterName, t } from './i18n.js';

const KEEP_EVERY = 1000; // ms

/**
 * `changed(chapter)` is called once a chapter was saved: written whole, or the draft of what there is.
 * `take(text)` gets a text of which the server may lack the end, as its connection broke off.
 */
export function writeChapters(form, path, { changed, take }) {
  const text = $('.written', form);
  const stop = $('[data-testid="generate-stop"]', form);

  onSubmit(form, async (data) => {
    const { title, instructions } = Object.fromEntries(data);
    const body = { instructions, ...(title.trim() ? { title } : {}) };
    const abort = new AbortController();
    const onStop = () => abort.abort();
    stop.addEventListener('click', onStop);
    text.replaceChildren();
    text.hidden = stop.hidden = false;
    try {
      const { signal } = abort;
      const words = await keyed(`text:${path}`, path, body, (key) => write(path, body, text, { signal, key }, changed));
      await keepText(path, '');
      return words;
    } catch (error) {
      if (error.code === 'draft_kept') await keepText(path, '');
      else if (text.textContent) await keepText(path, text.textContent);
      throw error;
    } finally {
      stop.removeEventListener('click', onStop);
      stop.hidden = true;
    }
  });
  void offerKept(path, text, take);
}

/** What had arrived on this device when the page or its connection broke off. */
async function offerKept(path, text, take) {
  const kept = await keptText(path);
  if (!kept) return;
  text.textContent = kept;
  text.hidden = false;
  const note = h('div', { class: 'note', data: { testid: 'generated-kept' } }, h('p', {}, t('generated_kept')),
    h('button', { type: 'button', class: 'small', on: { click: async () => {
      note.remove();
      text.hidden = true;
      take(kept);
      await keepText(path, '');
    } } }, t('generated_take')));
  text.before(note);
}

async function write(path, body, text, sending, changed) {
  /** @type {[string, any] | null} */
  let end = null;
  let keptAt = 0;
  try {
    await stream(path, body, (name, data) => {
      if (name === 'delta') {
        append(text, data.text);
        if (Date.now() - keptAt < KEEP_EVERY) return;
        keptAt = Date.now();
        void keepText(path, text.textContent);
      }
      else if (name === 'restart') text.replaceChildren(); // what came so far were the model's thoughts
      else end = [name, data];
    }, sending);
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
    await changed(null); // the server keeps what had arrived
    return t('writing_stopped');
  }
  if (!end) throw new ApiError(t('offline'));
  const [name, data] = end;
  const chapter = name === 'error' ? data.chapter : data;
  if (chapter) await changed(chapter);
  // An answer that says what went wrong: another try is a new one.
  if (name === 'error') throw new ApiError([data.detail, chapter ? t('draft_kept', { chapter: chapterName(chapter) }) : ''].join(' ').trim(), 200, chapter ? 'draft_kept' : data.code);
  if (!text.firstChild) append(text, data.content); // written at an earlier try, whose answer was lost
  return t(data.source === 'draft' ? 'draft_kept' : 'chapter_written', { chapter: chapterName(chapter) });
}

/** At the end of the text; the view follows it unless the reader has scrolled up. */
function append(text, piece) {
  const follows = text.scrollHeight - text.scrollTop - text.clientHeight < 40;
  if (text.lastChild) text.lastChild.data += piece;
  else text.append(piece);
  if (follows) text.scrollTop = text.scrollHeight;
}
