"""The newest texts in an archive of a novel, as those of any other file."""

from __future__ import annotations

from django.utils.translation import gettext as _

from arboris.novels.importing.novel_archive import NovelArchive
from arboris.novels.importing.types import ImportedChapter, ImportedNovel, NovelImportError


def read_archive(data: bytes) -> ImportedNovel:
    archive = NovelArchive(data)
    novel = archive.manifest.novel
    chapters: list[ImportedChapter] = []
    for place in range(1, archive.manifest.chapters + 1):
        about = archive.chapter(place)
        text, title = archive.text(place, about.versions[-1].number), about.title
        if about.working is not None:  # what its writer saw in the chapter, if anything
            typed = archive.working_text(place)
            text = typed if typed.strip() else text
            title = title if about.working.title is None else about.working.title
        if text.strip():
            chapters.append(ImportedChapter(len(chapters) + 1, title, text))
    if not chapters:
        raise NovelImportError("empty", _("The file contains no text."))
    return ImportedNovel(novel.title, novel.language, chapters, is_archive=True)
