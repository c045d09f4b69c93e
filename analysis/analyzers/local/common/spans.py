"""Cutting a chapter into quotable passages, without changing a single code point of it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from analysis.analyzers.base import Language
from arboris.bible.types.findings import Evidence

MAX_QUOTE = 200  # code points

_CLOSERS = "”’」』）)】》〉\"'＂"
_ZH_END = re.compile(rf"[。！？!?…；]+[{_CLOSERS}]*|[\r\n]+")
_EN_END = re.compile(rf"[.!?…]+[{_CLOSERS}]*(?=\s)|[\r\n]+")
_ABBREVIATION = re.compile(
    r"(?:^|[^\w])(?:Mrs?|Ms|Mme|Mlle|Dr|Prof|Rev|Hon|Capt|Col|Gen|Maj|Lieut|Lt|Sgt|St|Mt|Messrs"
    r"|Esq|Jr|Sr|No|Vol|vs|etc|[A-Z])\.$"
)
_SOFT = re.compile(r"[，,;；、:：]|\s[-–—]+\s|——|\s")
_STRONG_SOFT = re.compile(r"[，,;；:：]|\s[-–—]+\s|——")


_SAID = re.compile(r"“[^”\n]*(?:”|$)|「[^」\n]*(?:」|$)|\"[^\"\n]*(?:\"|$)", re.MULTILINE)


def said(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of speech in ``text[start:end]``, which begins and ends with a paragraph."""
    return [found.span() for found in _SAID.finditer(text, start, end)]


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence, or a clause of one that is too long to quote: at most MAX_QUOTE code points."""

    start: int
    end: int
    opens: bool  # it begins a sentence


class Passages:
    """The segments of a text in order, from ``start`` on, with look-up by offset."""

    def __init__(self, text: str, language: Language, start: int = 0) -> None:
        self.text = text
        self.segments = [s for a, b in _sentences(text, language, start) for s in _cut(text, a, b)]
        self._starts = [s.start for s in self.segments]

    def index(self, offset: int) -> int:
        """The number of the segment that holds ``offset`` (or the last one before it)."""
        return max(0, bisect_right(self._starts, offset) - 1)

    def evidence(self, start: int, end: int) -> Evidence:
        """The segment around ``text[start:end]``, or that itself where it is no part of one."""
        segment = self.segments[self.index(start)]
        first, last = segment.start, segment.end
        if not (first <= start and end <= last):
            first, last = start, min(end, start + MAX_QUOTE)
        return Evidence(quote=self.text[first:last], start=first, end=last)


def _sentences(text: str, language: Language, start: int) -> Iterator[tuple[int, int]]:
    ends = _ZH_END if language == "zh" else _EN_END
    for found in ends.finditer(text, start):
        if (
            language == "en"
            and found.group() == "."
            and _ABBREVIATION.search(text, max(0, found.start() - 8), found.end())
        ):
            continue
        yield start, found.end()
        start = found.end()
    yield start, len(text)


def _cut(text: str, start: int, end: int) -> Iterator[Segment]:
    opens = True
    while True:
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start >= end:
            return
        stop = end if end - start <= MAX_QUOTE else _soft_break(text, start, start + MAX_QUOTE)
        trimmed = stop
        while text[trimmed - 1].isspace():
            trimmed -= 1
        yield Segment(start, trimmed, opens)
        opens = False
        start = stop


def _soft_break(text: str, start: int, limit: int) -> int:
    """The last comma-like place before ``limit``, else the last space, else ``limit`` itself."""
    for pattern in (_STRONG_SOFT, _SOFT):
        best = 0
        for found in pattern.finditer(text, start + MAX_QUOTE // 4, limit):
            best = found.end()
        if best:
            return best
    return limit
