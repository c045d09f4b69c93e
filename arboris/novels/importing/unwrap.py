"""Texts whose lines are broken at a fixed width: their paragraphs as one line each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice, pairwise, takewhile

from arboris.novels.importing.distances import width
from arboris.novels.importing.types import Heading, MarkedText

_SAMPLE = 20_000  # lines that show the width
_NARROWEST, _WIDEST = 36, 160  # columns: below is verse, above are paragraphs
_FEWEST = 6  # full lines that show it
_FULL = 0.6  # share of the lines with another below that must be full
_LONG = 0.6  # of the columns: what breaks its lines by hand makes none shorter within a paragraph
_MOST_LONG = 0.85
_VERSE = 0.75  # share of lines that begin with a capital
_MID_SENTENCE = 0.6  # share of the full lines that must end in mid-sentence
_SLACK = 4  # columns that a line of Chinese may lack: punctuation does not begin a line
_ENDS = tuple('.!?。！？…”’"』」）)~—:：')
_OPENS = re.compile(r"\s*[“\"「『‘—–•*#>|-]|\s*\d{1,3}[.)、]")
_WIDE = re.compile("[\u2e80-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]")
_WORD = re.compile(r"[^\W\d_]+")
_LAST_WORD = re.compile(r"[^\W\d_]+(?=-$)")
_Words = Callable[[], Counter[str]]


def unwrap(marked: MarkedText, kept: Callable[[list[str]], set[int]]) -> MarkedText:
    """The text with a line for each paragraph, if its lines are broken at a width. Verse, dialogue
    and other short lines stay as they are; ``kept`` tells the indexes of lines that do always."""
    how = _wrapping(marked.lines)
    if how is None:
        return marked
    words = cache(lambda: _counted_words(marked.lines))
    lines: list[str] = []
    headings: list[Heading] = []
    starts = [(one.at, one.at + one.span, one) for one in marked.headings]
    fences: list[tuple[int, int, Heading | None]] = [
        (at, at + 1, None) for at in kept(marked.lines)
    ]
    done = 0
    for start, end, heading in sorted([*starts, *fences], key=lambda one: one[0]):
        if start < done:
            continue
        lines += _unwrapped(marked.lines[done:start], how, words)
        if heading is not None:
            headings.append(replace(heading, at=len(lines)))
        lines += marked.lines[start:end]
        done = end
    lines += _unwrapped(marked.lines[done:], how, words)
    return replace(marked, lines=lines, headings=headings)


@dataclass(frozen=True, slots=True)
class Wrapping:
    """``columns`` to a line; ``apart``: a blank line stands between any two lines; ``ragged``: the
    lines of a paragraph are but about as long, and something else parts paragraphs."""

    columns: int
    apart: bool
    ragged: bool


def _wrapping(lines: list[str]) -> Wrapping | None:
    """How the text is wrapped; None if its lines are its paragraphs."""
    told = [line.rstrip() for line in islice(lines, _SAMPLE)]
    close = [(one, two) for one, two in pairwise(told) if one and two]
    rows = [line for line in told if line]
    spaced = [
        (one, two)
        for (one, blank), (_, two) in pairwise(pairwise(told))
        if one and not blank and two
    ]
    for apart, pairs in ((False, close), (True, spaced)):
        if apart and len(close) * 10 > len(rows):
            continue
        if how := _measured(rows, pairs, apart):
            return how
    return None


def _measured(rows: list[str], pairs: list[tuple[str, str]], apart: bool) -> Wrapping | None:
    """How lines are broken, if they are: most of them end in the midst of a sentence."""
    pairs = [(one, two) for one, two in pairs if not two[0].isspace()]  # within a paragraph
    if len(pairs) < _FEWEST:
        return None
    widths = sorted(width(row) for row in rows)
    columns = widths[-1 - len(widths) // 40]
    if not _NARROWEST <= columns <= _WIDEST:
        return None
    full = [one for one, two in pairs if _is_full(one, two, columns)]
    if len(full) >= max(_FEWEST, _FULL * len(pairs)):
        return Wrapping(columns, apart, ragged=False) if _in_mid_sentence(full) else None
    long = [one for one, _two in pairs if width(one) >= _LONG * columns]
    if not apart and len(long) >= _MOST_LONG * len(pairs) and _in_mid_sentence(long):
        return Wrapping(columns, apart, ragged=True)
    return None


def _in_mid_sentence(rows: list[str]) -> bool:
    return sum(not row.endswith(_ENDS) for row in rows) >= _MID_SENTENCE * len(rows)


def _is_full(line: str, following: str, columns: int) -> bool:
    """Whether what stands at the start of the next line had no room any more."""
    used = width(line)
    if _WIDE.match(line[-1]) or _WIDE.match(following.lstrip()[:1] or " "):
        return columns - _SLACK <= used <= columns + _SLACK
    word = following.split(None, 1)[0]
    return used + 1 + len(word) > columns and used <= columns + _SLACK


def _unwrapped(lines: list[str], how: Wrapping, words: _Words) -> Iterator[str]:
    held: list[str] = []  # the lines of a paragraph
    blanks = 0
    verse = False
    for at, line in enumerate(lines):
        row = line.rstrip()
        if not row:
            blanks += 1
            continue
        if how.ragged and (blanks or not held):
            verse = _is_verse(lines, at)
        if held and blanks == int(how.apart) and not verse and _goes_on(held[-1], row, how):
            held.append(row)
        else:
            if held:
                yield _joined(held, words)
            yield from [""] * blanks
            held = [row]
        blanks = 0
    if held:
        yield _joined(held, words)
    yield from [""] * blanks


def _is_verse(lines: list[str], start: int) -> bool:
    """Whether the lines from ``start`` to the next blank one nearly all begin with a capital."""
    rows = list(takewhile(lambda row: row.strip(), islice(lines, start, start + 100)))
    capitals = sum(row.lstrip("\"“‘'( ")[:1].isupper() for row in rows)
    return len(rows) > 2 and capitals >= _VERSE * len(rows)


def _goes_on(last: str, row: str, how: Wrapping) -> bool:
    # What is set in begins a paragraph, or is verse or a letter.
    if row[0].isspace() or (last.endswith(_ENDS) and _OPENS.match(row)):
        return False
    if how.ragged and width(last) >= _LONG * how.columns:
        return True
    return _is_full(last, row, how.columns)


def _joined(rows: list[str], words: _Words) -> str:
    pieces = [rows[0]]
    for row in rows[1:]:
        last = pieces[-1]
        if _hyphenates(last, row):
            first, second = _LAST_WORD.search(last), _WORD.match(row)
            if first and second and words()[(first[0] + second[0]).casefold()]:
                pieces[-1] = last[:-1]
        elif not (_WIDE.match(last[-1]) or _WIDE.match(row[0]) or last.endswith(("--", "—"))):
            pieces.append(" ")
        pieces.append(row)
    return "".join(pieces)


def _hyphenates(last: str, row: str) -> bool:
    return len(last) > 1 and last[-1] == "-" and last[-2].isalpha() and row[0].islower()


def _counted_words(lines: list[str]) -> Counter[str]:
    """Of the whole text: a hyphen at a line's end goes where the word is known without it."""
    return Counter(word.casefold() for line in lines for word in _WORD.findall(line))
