/** The binder of the desk: the chapter that is open is kept before anything is done with it. */

import { get } from './api.js';
import { mountBinder } from './binder.js';
import { $ } from './dom.js';
import { asTyped } from './passages.js';

export function mountDeskBinder(desk) {
  const binder = mountBinder($('#binder-list'), {
    projectId: desk.projectId,
    chapterId: desk.chapterId,
    language: desk.language,
    onOpen: (id) => desk.openChapter(id),
    settle: async (id) => id !== desk.chapterId || isSaved(desk),
    caret: () => caretOf(desk),
    onChange: ({ id, gone }) => follow(desk, id, gone),
  });
  desk.onOpen(({ id, title }) => binder.mark(id, title));
}

/** Makes a version of what is typed in the open chapter, and answers whether that is all of it. */
async function isSaved(desk) {
  await desk.saver.save();
  return !desk.isChanged;
}

/** Where the open chapter is split, in the API's characters; null where its text is not what is saved. */
async function caretOf(desk) {
  const at = desk.selection.from;
  const { id, version, content } = await get(`/api/chapters/${desk.chapterId}`);
  if (asTyped(content) !== desk.text) return null;
  return { id, version, at: lengthUpTo(content, at) };
}

/** Code points of a saved text up to a place in it as it is shown, where each line end is one unit. */
function lengthUpTo(content, place) {
  let points = 0;
  let shown = 0;
  let read = 0;
  for (const letter of content) {
    if (shown >= place) break;
    points += 1;
    read += letter.length;
    if (letter !== '\r' || content[read] !== '\n') shown += letter.length;
  }
  return points;
}

async function follow(desk, id, gone) {
  if (gone === desk.chapterId) {
    if (id) await desk.openChapter(id);
    else location.assign(`/projects/${desk.projectId}`);
  } else if (id === desk.chapterId) await desk.reload();
}
