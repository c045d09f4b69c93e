"""What a manuscript is written from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from arboris.novels.text import Language


@dataclass(frozen=True, slots=True)
class Part:
    """A chapter's heading; ``volume`` is the title of the volume that opens with it, or empty."""

    title: str
    volume: str = ""


@dataclass(frozen=True, slots=True)
class Manuscript:
    """A novel, or a part of it. What is empty in the front matter is left out.

    ``texts`` gives the Markdown of each chapter in the order of ``parts``, one at a time, so that
    a long novel is never in memory as a whole.
    """

    identifier: str  # a URN, the same for every file of one novel
    title: str
    language: Language
    modified: datetime  # of the newest text
    parts: list[Part]
    texts: Callable[[], Iterator[str]]
    author: str = ""
    synopsis: str = ""
    title_page: bool = True

    @property
    def in_volumes(self) -> bool:
        return any(part.volume for part in self.parts)

    def chapters(self) -> Iterator[tuple[Part, str]]:
        return zip(self.parts, self.texts(), strict=True)


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style."""

    text: str
    italic: bool = False
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a scene break (no spans), or a heading inside a chapter (``level`` 1 to 6)."""

    kind: Literal["paragraph", "break", "heading"]
    spans: tuple[Span, ...] = ()
    level: int = 0

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)
