"""The way in: a file's name and bytes to a novel."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from django.utils.translation import gettext as _

from arboris.novels.importing.decode import clean, decode_text
from arboris.novels.importing.epub import read_epub
from arboris.novels.importing.markup import mark_markdown, mark_plain
from arboris.novels.importing.split import assemble
from arboris.novels.importing.types import (
    MAX_TITLE,
    ImportedNovel,
    ImportLimits,
    MarkedText,
    NovelImportError,
)

DEFAULT_LIMITS = ImportLimits()


def parse_novel(filename: str, data: bytes, limits: ImportLimits = DEFAULT_LIMITS) -> ImportedNovel:
    """The novel in a .txt, .md or .epub file; ``filename`` gives the type and, for want of a
    better one, the title.

    Raises NovelImportError with a stable ``code`` and a translated ``message``.
    """
    path = PurePosixPath(filename.replace("\\", "/"))
    suffix = path.suffix.lower()
    if suffix not in (".txt", ".md", ".epub"):
        raise NovelImportError(
            "unsupported_type", _("Only .txt, .md and .epub files can be imported.")
        )
    if not data:
        raise NovelImportError("empty", _("The file is empty."))
    if len(data) > limits.file_bytes:
        raise NovelImportError(
            "too_large",
            _("The file is larger than %(limit)d MB.") % {"limit": limits.file_bytes >> 20},
        )
    marked = read_epub(data, limits) if suffix == ".epub" else _read_text(suffix, data)
    return assemble(marked, _title_from(path.stem), limits)


def _read_text(suffix: str, data: bytes) -> MarkedText:
    lines = decode_text(data).split("\n")
    first, second = (mark_markdown, mark_plain) if suffix == ".md" else (mark_plain, mark_markdown)
    marked = first(lines)
    if marked.headings:
        return marked
    other = second(marked.lines)
    other.title = other.title or marked.title
    return other


def _title_from(stem: str) -> str:
    # A file name may hold what is no character at all (surrogates of undecodable bytes).
    name = re.sub(r"\s+", " ", clean(stem)).strip(" ._")
    wrapped = re.fullmatch("《(.+)》", name)
    return (wrapped.group(1) if wrapped else name)[:MAX_TITLE]
