"""A chapter that a model is writing: kept as a draft while it grows, and finished like any other.

Not safe for several threads at a time: whoever drives it waits for each call.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.db.models import F
from django.utils.translation import gettext as _

from arboris.db import in_transaction
from arboris.novels import services as novels
from arboris.novels.models import Chapter, ChapterVersion, NovelProject
from arboris.novels.services import ChapterText
from arboris.workspace.chapters.analysis_options import AnalysisOptions
from arboris.workspace.chapters.service import SavedChapter, enqueue, wake

# Told of each text in the transaction that saves it: the chapter, the note about its number, and
# whether it is the whole text.
OnSaved = Callable[[SavedChapter, str, bool], None]


class GenerationDraft:
    """Each text takes the place of the one before; ``title`` and ``number`` are asked for.

    The chapter gets its number when its first text is kept. A number that somebody else has taken
    by then does not cost the text: it gets the next free one, and ``number_note`` says so. Where
    the writer has changed the draft in the meantime, the text goes on as a new chapter.
    """

    def __init__(
        self,
        project_id: uuid.UUID,
        title: str,
        number: int | None,
        on_saved: OnSaved = lambda *_: None,
    ) -> None:
        self._project_id = project_id
        self._title = title
        self._number = number
        self._on_saved = on_saved
        self._version_id: int | None = None
        self.number_note = ""

    def keep(self, content: str) -> SavedChapter:
        """Save what there is as the chapter's draft; it is not analysed."""
        return self._save(ChapterText.of(content, ChapterVersion.Source.DRAFT), None)

    def finish(self, text: ChapterText, options: AnalysisOptions) -> SavedChapter:
        """Save the whole text, and queue its analysis."""
        return self._save(text, options)

    def discard(self) -> None:
        """Delete the chapter, if it has no other text than the draft."""
        if self._version_id is None:
            return

        def work() -> None:
            novels.lock_project(self._project_id)
            version = self._own_version()
            if version is not None and version.number == 1:
                version.chapter.delete()

        novels.removing(work)

    def _save(self, text: ChapterText, options: AnalysisOptions | None) -> SavedChapter:
        saved, version_id, note = in_transaction(lambda: self._put(text, options))
        # Only what was committed is ours.
        self._version_id, self.number_note = version_id, note or self.number_note
        return saved

    def _put(
        self, text: ChapterText, options: AnalysisOptions | None
    ) -> tuple[SavedChapter, int, str]:
        project = novels.lock_project(self._project_id)
        version, note = self._own_version(), ""
        if version is None:
            chapter, version, note = self._begin(project, text)
        else:
            chapter = version.chapter
            chapter.project = project
            novels.replace_draft(version, text)
        if options is None:
            saved = SavedChapter.draft(chapter, text.content)
        else:
            saved = enqueue(chapter, version, options)
            wake([saved])
        self._on_saved(saved, note or self.number_note, options is not None)
        return saved, version.pk, note

    def _own_version(self) -> ChapterVersion | None:
        """Return the draft as this left it, if it is still the chapter's newest text."""
        if self._version_id is None:
            return None
        return (
            ChapterVersion.objects.select_related("chapter")
            .filter(
                pk=self._version_id,
                source=ChapterVersion.Source.DRAFT,
                chapter__version=F("number"),
                chapter__deleted_at=None,
            )
            .first()
        )

    def _begin(
        self, project: NovelProject, text: ChapterText
    ) -> tuple[Chapter, ChapterVersion, str]:
        number = self._number if self._version_id is None else None
        try:
            chapter, version = novels.add_chapter(project, text, title=self._title, number=number)
        except novels.ChapterExists as taken:
            chapter, version = novels.add_chapter(project, text, title=self._title)
            note = _("%(taken)s The text was saved as chapter %(number)d.") % {
                "taken": taken,
                "number": chapter.chapter_number,
            }
            return chapter, version, note
        return chapter, version, ""
