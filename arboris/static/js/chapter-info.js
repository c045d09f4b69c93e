/** The open chapter's analysis and summary, in the context pane; kept fresh by notifications. */

import { $, debounced, setText } from './dom.js';
import { live } from './live.js';
import { StatusBox } from './status.js';

export function mountChapterInfo(desk) {
  const reload = async () => {
    try {
      await desk.reload();
    } catch (error) {
      console.info('The chapter could not be loaded anew:', error.message);
    }
  };
  const status = new StatusBox($('#analysis'), reload);

  desk.onOpen((chapter) => {
    $('#analysis').dataset.chapterId = String(chapter.id);
    setText($('#summary'), chapter.summary ?? '');
    $('#summary-box').hidden = !chapter.summary;
    setText($('#analysis-note'), chapter.analysis_note ?? '');
    $('#analysis-note').hidden = !chapter.analysis_note;
    status.set(chapter.analysis, chapter.source);
    status.loadQueuePlace().catch((error) => console.info('No place in the queue:', error.message));
  });

  const soon = debounced(reload);
  live.addEventListener('notification', ({ detail }) => {
    if (detail.chapter_id !== desk.chapterId) return;
    status.notice(detail);
    soon();
  });
  live.addEventListener('progress', ({ detail }) => status.progress(detail));
  live.addEventListener('refresh', soon);
  live.addEventListener('state', () => status.isLive && soon());
  return status;
}
