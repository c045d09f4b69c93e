"""Whether lines part a text into pieces of like length, as the headings of a book do."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from arboris.novels.importing.forms import Candidate
from arboris.novels.importing.headings import same_heading

SHORT = 100  # columns (a Chinese character takes two) of text that no chapter falls below
_UNLIKE = 8  # times the median length that a chapter may have in such a series
_CUT_OFF = 0.75  # share of the members that must not follow half a sentence
SENTENCE_END = tuple('.!?"”’)]…*=-_:。！？」』：~—')


@dataclass(slots=True)
class Text:
    """``before[at]``: columns of prose above line ``at``, without what may be headings."""

    lines: list[str]
    before: list[int]

    def between(self, start: int, end: int) -> int:
        return self.before[end] - self.before[start]

    @property
    def length(self) -> int:
        return self.before[-1]

    def begins_at(self, one: Candidate) -> bool:
        return not self.before[one.at]

    def breaks_off_above(self, at: int) -> bool:
        """Whether the last words before the line are half a sentence."""
        while at and not self.lines[at - 1].strip():
            at -= 1
        above = self.lines[at - 1].strip() if at else ""
        return len(above) > 20 and not above.endswith(SENTENCE_END)


def measured(lines: list[str], found: Sequence[Candidate]) -> Text:
    places = {one.at for one in found}
    before = [0]
    for at, line in enumerate(lines):
        before.append(before[-1] + (0 if at in places else width(line.strip())))
    return Text(lines, before)


def width(text: str) -> int:
    """Columns on a screen: East Asian characters take two."""
    if text.isascii():
        return len(text)
    return len(text) + sum(unicodedata.east_asian_width(char) in "WF" for char in text)


def divides(
    chain: Sequence[Candidate], text: Text, least: int, part: tuple[int, int] | None = None
) -> bool:
    """Whether the chain parts the text, or the lines of ``part``, into pieces of like length."""
    body = behind_contents(chain, text)
    if len(body) < least:
        return False
    start, end = part or (0, len(text.lines))
    places = [one.at for one in body] + [end]
    lengths = [text.between(above, below) for above, below in pairwise(places)]
    usual = median(lengths)
    filled = sum(length > 0 for length in lengths)
    if usual < SHORT or filled * 5 < len(lengths) * 4:
        return False
    if max(lengths) > _UNLIKE * usual or text.between(start, places[0]) > _UNLIKE * usual:
        return False
    whole = sum(not text.breaks_off_above(one.at) for one in body)
    return whole >= _CUT_OFF * len(body)


def behind_contents(chain: Sequence[Candidate], text: Text) -> Sequence[Candidate]:
    """The chain without the entries of a table of contents, which it begins with."""
    for index, one in enumerate(chain[1:], start=1):
        if same_heading(one.title, chain[0].title):
            listed = text.between(chain[0].at, chain[index - 1].at)
            return chain[index:] if listed < SHORT * index else chain
    return chain
