"""Reading a novel file into titled chapters. No ORM here."""

from __future__ import annotations

from arboris.novels.importing.reader import SUFFIXES, parse_novel
from arboris.novels.importing.types import (
    ImportedChapter,
    ImportedNovel,
    ImportLimits,
    NovelImportError,
)

__all__ = [
    "SUFFIXES",
    "ImportLimits",
    "ImportedChapter",
    "ImportedNovel",
    "NovelImportError",
    "parse_novel",
]
