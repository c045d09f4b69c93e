"""Split a long chapter into overlapping pieces that a model can take."""

from __future__ import annotations

import re
from dataclasses import dataclass

OVERLAP = 600  # code points that a piece repeats of the one before, at most
SMALLEST = 150  # no piece is halved to less
_PARAGRAPH = re.compile(r"\n\s*")
_SENTENCE = re.compile(r"[。！？…][”’」』）]*|[.!?][\"'”’)]*\s+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a chapter: ``text[start:end]``."""

    start: int
    end: int


def split(text: str, size: int) -> list[Chunk]:
    """Return pieces of at most ``size`` code points, cut between paragraphs, else sentences."""
    overlap = min(OVERLAP, size // 10)
    chunks: list[Chunk] = []
    start = 0
    while len(text) - start > size:
        end = _break(text, start + size // 2, start + size, last=True)
        chunks.append(Chunk(start, end))
        start = _break(text, end - overlap, end - 1, last=False) if overlap else end
    return [*chunks, Chunk(start, len(text))]


def halves(text: str, chunk: Chunk) -> list[Chunk]:
    """Return the two halves of a piece; nothing where it is too small to be halved."""
    size = chunk.end - chunk.start
    if size < 2 * SMALLEST:
        return []
    cut = _break(text, chunk.start + size * 3 // 8, chunk.start + size * 5 // 8, last=True)
    begin = _break(text, cut - min(OVERLAP, size // 20), cut - 1, last=False)
    return [Chunk(chunk.start, cut), Chunk(begin, chunk.end)]


def _break(text: str, low: int, high: int, *, last: bool) -> int:
    """Where a paragraph begins between ``low`` and ``high``, else a sentence, else either end."""
    for pattern in (_PARAGRAPH, _SENTENCE):
        places = [m.end() for m in pattern.finditer(text, low, high) if low < m.end() <= high]
        if places:
            return places[-1] if last else places[0]
    return high if last else low
