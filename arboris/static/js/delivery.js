/**
 * Brings a chapter's text to the server. A copy is `{id, chapterId, client, seq, content, title,
 * base: {version, content, title}, seen}`: `base` is what the change was made from, `title` null where
 * it was not changed. docs/working-copy.md is the protocol.
 */

import { ApiError, post, put } from './api.js';
import { t } from './i18n.js';
import { asTyped } from './passages.js';

const TRIES = 5; // others may write meanwhile

/** Resolves to the copy as the server has it, with the newest `savedSeq` of its client. An ApiError with `current` is for the writer to resolve. */
export async function deliver(copy, { leaving = false } = {}) {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { chapterId, content, title, base, client, seq, seen } = copy;
    try {
      const body = { content, base_version: base.version, client, seq, ...(title === null ? {} : { title }), ...(seen ? { seen } : {}) };
      const { saved_at: savedAt, seq: savedSeq } = await put(`/api/chapters/${chapterId}/working`, body, leaving);
      return { ...copy, savedSeq, title: null, seen: savedAt, base: { version: base.version, content, title: title ?? base.title } };
    } catch (error) {
      const next = error.current ? reconciled(copy, error) : null;
      if (!next) throw error;
      copy = next;
      if (copy.title === null && copy.content === copy.base.content && !error.working) return copy; // all of it is in the version
    }
  }
  throw new ApiError(t('conflict_again'));
}

/** The copy on top of what the server has now, where no sentence of either side is in doubt; else null. */
export function reconciled(copy, { current, working }) {
  const theirs = working ?? current;
  const text = asTyped(theirs.content);
  const title = copy.title === theirs.title ? null : copy.title;
  if (title !== null && theirs.title !== copy.base.title) return null;
  const base = { version: current.version, content: text, title: theirs.title };
  const next = { ...copy, base, title, seen: working?.saved_at ?? null, seq: copy.seq + 1 };
  if (copy.content === text || copy.base.content === text) return next;
  if (copy.content === copy.base.content) return { ...next, content: text };
  return null;
}

/** Makes a version of what was delivered; the chapter as the server has it then. */
export const cutVersion = (chapterId, name = '', leaving = false) =>
  post(`/api/chapters/${chapterId}/versions`, name ? { name } : {}, { keepalive: leaving });
