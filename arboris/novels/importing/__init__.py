"""Reading a novel file (.txt, .md, .epub) into titled chapters. No ORM here."""

from __future__ import annotations

from arboris.novels.importing.reader import parse_novel
from arboris.novels.importing.types import (
    ImportedChapter,
    ImportedNovel,
    ImportLimits,
    NovelImportError,
)

__all__ = [
    "ImportLimits",
    "ImportedChapter",
    "ImportedNovel",
    "NovelImportError",
    "parse_novel",
]
