"""The way in: a file's name and bytes to a novel."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

from django.utils.translation import gettext as _

from arboris.novels.importing.archived import read_archive
from arboris.novels.importing.decode import clean, decode_text
from arboris.novels.importing.docx import read_docx
from arboris.novels.importing.epub import read_epub
from arboris.novels.importing.fb2 import read_fb2
from arboris.novels.importing.html import read_html
from arboris.novels.importing.licence import without_licence
from arboris.novels.importing.markdown import fenced, mark_markdown
from arboris.novels.importing.markup import mark_plain
from arboris.novels.importing.split import assemble
from arboris.novels.importing.types import (
    MAX_TITLE,
    ImportedNovel,
    ImportLimits,
    MarkedText,
    NovelImportError,
)
from arboris.novels.importing.unwrap import unwrap

DEFAULT_LIMITS = ImportLimits()
_MARKED: dict[str, Callable[[bytes, ImportLimits], MarkedText]] = {
    ".epub": read_epub,
    ".docx": read_docx,
    ".fb2": read_fb2,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
}
SUFFIXES = (".txt", ".md", ".epub", ".docx", ".html", ".htm", ".xhtml", ".fb2", ".zip")


def parse_novel(
    filename: str, data: bytes, limits: ImportLimits = DEFAULT_LIMITS, encoding: str = ""
) -> ImportedNovel:
    """The novel in a file of one of SUFFIXES; ``filename`` gives the type and, for want of a better
    one, the title. ``encoding``: what a text file is known to be written in.

    Raises NovelImportError with a stable ``code`` and a translated ``message``.
    """
    path = PurePosixPath(clean(filename).replace("\\", "/").rstrip(" ./\t\n\u3000\xa0"))
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        said = _("Only %(suffixes)s files can be imported.") % {"suffixes": ", ".join(SUFFIXES)}
        raise NovelImportError("unsupported_type", said)
    if not data:
        raise NovelImportError("empty", _("The file is empty."))
    largest = limits.archive_bytes if suffix == ".zip" else limits.file_bytes
    if len(data) > largest:
        said = _("The file is larger than %(limit)d MB.") % {"limit": largest >> 20}
        raise NovelImportError("too_large", said)
    if suffix == ".zip":
        novel = read_archive(data, limits, lambda name, data: parse_novel(name, data, limits))
        return novel if novel.title else replace(novel, title=_title_from(path.stem))
    if read := _MARKED.get(suffix):
        marked = read(data, limits)
    else:
        marked = _read_text(suffix, data, encoding)
    return assemble(marked, _title_from(path.stem), limits)


def _read_text(suffix: str, data: bytes, encoding: str) -> MarkedText:
    decoded = decode_text(data, encoding)
    lines, licence = without_licence(decoded.text.split("\n"))
    marked = mark_markdown(lines) if suffix == ".md" else mark_plain(lines)
    if not marked.headings and suffix == ".md":
        plain = mark_plain(marked.lines, fenced(marked.lines))
        marked = replace(plain, title=marked.title)
    elif not marked.headings:
        marked = mark_markdown(lines)
    marked = unwrap(marked, fenced)
    marked.encoding = decoded.encoding
    marked.set_aside += licence + decoded.broken
    return marked


def _title_from(stem: str) -> str:
    name = re.sub(r"\s+", " ", stem).strip(" ._")
    wrapped = re.fullmatch("《(.+)》", name)
    return (wrapped.group(1) if wrapped else name)[:MAX_TITLE]
