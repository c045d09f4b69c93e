"""What is in a .zip: the newest texts of an archive of a novel, or another book or its texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath

from django.utils.translation import gettext as _

from arboris.novels.importing.archive import Archive
from arboris.novels.importing.novel_archive import (
    BIBLE,
    DECISIONS,
    LIMITS,
    MANIFEST,
    NovelArchive,
)
from arboris.novels.importing.types import (
    MAX_TITLE,
    ImportedChapter,
    ImportedNovel,
    ImportLimits,
)

_BOOKS = (".fb2", ".epub", ".docx", ".html", ".htm", ".xhtml", ".txt", ".md")
_TEXTS = (".txt", ".md")
_OF_A_NOVEL = {MANIFEST, DECISIONS, BIBLE}
_Parse = Callable[[str, bytes], ImportedNovel]


def read_archive(data: bytes, limits: ImportLimits, parse: _Parse) -> ImportedNovel:
    """``parse`` reads a file in it by its name and bytes."""
    if _OF_A_NOVEL & set(Archive(data, LIMITS, ".zip").names()):
        return _novel(NovelArchive(data))
    archive = Archive(data, limits, ".zip")
    names = [name for name in archive.names() if not _is_hidden(name)]
    books = sorted((name for name in names if name.lower().endswith(_BOOKS)), key=_natural)
    texts = [name for name in books if name.lower().endswith(_TEXTS)]
    if len(books) == 1:
        novel = parse(books[0], archive.read(books[0]))
    elif texts and texts == books:
        novel = _joined([parse(name, archive.read(name)) for name in texts])
    else:
        raise archive.bad(_("there is no novel in it, or more than one"))
    novel.set_aside.extend(name for name in names if name not in books)
    return novel


def _novel(archive: NovelArchive) -> ImportedNovel:
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
    return ImportedNovel(novel.title, novel.language, chapters, is_archive=True)


def _joined(parts: list[ImportedNovel]) -> ImportedNovel:
    """One novel of texts that are a chapter each, or several."""
    chapters = [
        ImportedChapter(
            1, (part.title if len(part.chapters) == 1 else one.title)[:MAX_TITLE], one.content
        )
        for part in parts
        for one in part.chapters
    ]
    numbered = [
        ImportedChapter(number, one.title, one.content)
        for number, one in enumerate(chapters, start=1)
    ]
    encodings = {part.encoding for part in parts}
    return ImportedNovel(
        "",
        parts[0].language,
        numbered,
        [aside for part in parts for aside in part.set_aside],
        encodings.pop() if len(encodings) == 1 else "",
    )


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return name.endswith("/") or any(part.startswith((".", "__MACOSX")) for part in parts)


def _natural(name: str) -> list[tuple[int, str]]:
    """2.txt before 10.txt."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(int(part), "") if part.isdecimal() and part.isascii() else (0, part) for part in parts]
