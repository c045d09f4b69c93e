"""An English chapter as words with offsets, and which capitals mean something."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..common.spans import Passages
from .words import FUNCTION

_WORD = re.compile(r"[^\W\d_]+(?:[’'\-][^\W\d_]+)*\.?|\d+")
_GENITIVE = re.compile(r"[’']s$|(?<=s)[’']$")
_DOTTED = frozenset(
    "mr mrs ms dr st mt prof rev capt col gen lieut lt sgt mme mlle hon messrs jr sr".split()
)
_OPENING = "\"“‘'([{*_—"


@dataclass(frozen=True, slots=True)
class Word:
    """A word without its genitive ending; ``initial`` when it has a capital that may be the
    sentence's."""

    text: str
    lower: str
    start: int
    end: int
    initial: bool
    genitive: bool

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()


def read_words(passages: Passages) -> list[list[Word]]:
    """The words of every segment, in order."""
    return [_line(passages.text, s.start, s.end, s.opens) for s in passages.segments]


def _line(text: str, start: int, end: int, opens: bool) -> list[Word]:
    words: list[Word] = []
    heading = _is_heading(text[start:end])
    for found in _WORD.finditer(text, start, end):
        form, at = found.group(), found.start()
        if form.endswith(".") and form[:-1].lower() not in _DOTTED and len(form) > 2:
            form = form[:-1]
        genitive = _GENITIVE.search(form)
        if genitive:
            form = form[: genitive.start()]
        if not form:
            continue
        initial = form[0].isupper() and (
            (len(form) > 3 and form.isupper())
            or (opens and not words)
            or heading
            or _starts_sentence(text, start, at)
        )
        words.append(
            Word(
                form,
                form.lower().rstrip(".").replace("’", "'"),
                at,
                at + len(form),
                initial,
                genitive is not None,
            )
        )
    return words


def _is_heading(line: str) -> bool:
    """All capitals, or Capitals on Nearly Every Word and Even on Little Ones."""
    if line.isupper() and sum(c.isalpha() for c in line) > 3:
        return True
    words = line.split()
    capitals = [x for x in words[1:] if x[0].isupper()]
    if len(capitals) * 5 < (len(words) - 1) * 3:
        return False
    return any(x.lower() in FUNCTION and x != "I" for x in capitals)


def _starts_sentence(text: str, line_start: int, at: int) -> bool:
    before = text[max(line_start, at - 6) : at].rstrip()
    if not before:
        return False
    if before[-1] in ".!?:…":
        return not re.search(r"\b(?:Mrs?|Ms|Dr|St|Mt|Rev|[A-Z])\.$", before)
    return before[-1] in _OPENING and not before.endswith("'s")
