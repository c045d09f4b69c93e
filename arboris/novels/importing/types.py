"""What an import takes and gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from arboris.novels.text import Language

ErrorCode = Literal[
    "unsupported_type",
    "empty",
    "too_large",
    "bad_encoding",
    "bad_epub",
    "bad_file",
    "drm",
    "too_many_chapters",
]

# chapter: 第一章, Chapter 1. section: 第一节. volume: 第一卷, Part One.
# special: 序章, Epilogue: a chapter at whatever level it stands. plain: any other title.
HeadingKind = Literal["volume", "chapter", "section", "special", "plain"]

MAX_TITLE = 200  # characters; what does not fit stays in the text


class NovelImportError(Exception):
    """The uploaded file cannot be imported: ``code`` for programs, ``message`` for the writer."""

    field = "file"

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """How much one file may hold; sizes in bytes unless the name says characters."""

    file_bytes: int = 50 * 1024 * 1024
    archive_bytes: int = 512 * 1024 * 1024  # of a .zip
    unpacked_bytes: int = 50 * 1024 * 1024
    entries: int = 5_000
    entry_bytes: int = 50 * 1024 * 1024  # of one file in an archive
    ratio: int = 200  # unpacked to packed size of one entry above 1 MB
    chapters: int = 5_000
    part_chars: int = 20_000  # a text without any heading is cut into parts of this size


@dataclass(frozen=True, slots=True)
class ImportedChapter:
    """One chapter; ``number`` counts from 1 without gaps, ``content`` is never blank."""

    number: int
    title: str
    content: str


@dataclass(frozen=True, slots=True)
class ImportedNovel:
    """A whole novel. ``set_aside`` names what stands in no chapter: headings without text
    under them, the author's line, documents outside an EPUB's reading order."""

    title: str
    language: Language
    chapters: list[ImportedChapter]
    set_aside: list[str] = field(default_factory=list)
    encoding: str = ""  # of a text file
    is_archive: bool = False  # of Arboris: there is more in it than these texts


@dataclass(frozen=True, slots=True)
class Heading:
    """``span`` lines from index ``at`` on are a heading; 0 lines: a mark before line ``at``.

    Level 1 is the outermost.
    """

    at: int
    title: str
    level: int
    kind: HeadingKind
    span: int = 1


@dataclass(slots=True)
class MarkedText:
    """A text in lines with its headings in order: what every format is read into."""

    lines: list[str]
    headings: list[Heading]
    title: str = ""
    set_aside: list[str] = field(default_factory=list)
    encoding: str = ""
