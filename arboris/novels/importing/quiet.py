"""Headings that are only names: lines that stand out from the text in a regular way.

Looked for where nothing counts up. Such lines have an ornament of their own, or stand apart from
the paragraphs by blank lines or the margin, are set in capitals, come again and again (who tells
the chapter), or are the only ones that are no sentences; and they part the book at like distances.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from statistics import median
from typing import NamedTuple

from arboris.novels.importing.contents import CONTENTS
from arboris.novels.importing.distances import Text, divides, measured
from arboris.novels.importing.forms import Candidate
from arboris.novels.importing.headings import undecorate
from arboris.novels.importing.titles import may_be_title
from arboris.novels.importing.types import MAX_TITLE

_LEAST = 3
_SHARE = 0.8  # of the lines that stand out in one way, that must be able to be titles
_ROWS = 3  # lines of text that a chapter has at least
_COLUMNS = 200
_ALIKE = 4  # times the usual length that a chapter may have where little speaks for the lines
_SAMPLE = 5_000  # lines that show whether most are short
_SPARSE = 8  # characters of a line, at least, in the mean
_EDGED = re.compile(r"\s*+[^\w\s]{1,10}\s*+\w")  # an ornament before a word
_PLAIN = "…"  # the edges of a line without ornaments
_EDGE = 10  # characters of an ornament
_APART = 3  # blank lines that are told apart
_TOP = 4  # stands for those above the first line
_TIME = re.compile(
    r"\d|[一二三四五六七八九十两兩数幾几半][个個]?[年月日天夜周週时時]"
    r"|^(?:次|翌|当|當|第二|同|某|前|昨|今|明|那)[一天日夜晚年]|同[一时時]|[之以][后後前]|后来|後來"
    r"|(?:清晨|傍晚|深夜|凌晨|午后|午後|正午|黄昏|早晨|早上|上午|下午|晚上|夜里)$"
    r"|\b(?:later|earlier|ago|meanwhile|morning|afternoon|evening|night|next|day|days|today|tomorrow|"
    r"yesterday|week|month|year|years|monday|tuesday|wednesday|thursday|friday|saturday|sunday|"
    r"january|february|march|april|june|july|august|september|october|november|december)\b",
    re.IGNORECASE,
)
_NO_NAMES = re.compile(r".{1,30}[:：=]|(?:作者|by\s|author).*", re.IGNORECASE)


class _Row(NamedTuple):
    at: int
    text: str  # without ornaments
    edges: str
    place: tuple[bool, int, int]  # set in; blank lines above and below
    is_title: bool


def quiet_titles(lines: list[str], found: list[Candidate]) -> list[Candidate]:
    """The titles of a text, without the lines that are ``found`` already, if it has some."""
    sample = [line for line in islice(lines, _SAMPLE) if line.strip()]
    if sum(map(len, sample)) < _SPARSE * len(sample):
        return []
    taken = {one.at for one in found}
    rows: list[_Row] = []
    told = 0  # rows that can be titles
    for row in _rows(lines):
        if row.at not in taken:
            rows.append(row)
            told += row.is_title
        if len(rows) >= _SAMPLE and told * _ROWS > len(rows):
            return []  # a text of short lines
    titles = [row for row in rows if row.is_title]
    if told < _LEAST or told * _ROWS > len(rows):
        return []
    for group, strong in _groups(rows, titles):
        chain = [_candidate(row) for row in group]
        text = measured(lines, [*found, *chain])
        chain = _without_front(chain, text)
        if _parts(chain, text, strong):
            return chain
    return []


def _candidate(row: _Row) -> Candidate:
    return Candidate(row.at, row.text, "", None, "chapter", "bare")


def _rows(lines: list[str]) -> Iterator[_Row]:
    told = [at for at, line in enumerate(lines) if line.strip()]
    gaps = [_TOP, *(min(two - one - 1, _APART) for one, two in pairwise(told)), _APART]
    for number, at in enumerate(told):
        line = lines[at]
        place = (line[0].isspace(), gaps[number], gaps[number + 1])
        title = may_be_title(line)
        if not title and (len(line) > MAX_TITLE or not _EDGED.match(line)):
            yield _Row(at, "", _PLAIN, place, False)
            continue
        text = undecorate(line)
        before, _text, after = line.strip().partition(text) if text else ("", "", "")
        title = title and not (_NO_NAMES.fullmatch(text) or CONTENTS.fullmatch(text))
        yield _Row(at, text, f"{before}{_PLAIN}{after}"[: 2 * _EDGE], place, title)


def _groups(rows: list[_Row], titles: list[_Row]) -> Iterable[tuple[list[_Row], bool]]:
    """Lines that stand out in one way, the surest first, and whether that is sure at all."""
    edged: dict[str, list[_Row]] = defaultdict(list)
    placed: dict[tuple[bool, int, int], list[_Row]] = defaultdict(list)
    for row in rows:
        placed[row.place].append(row)
        if row.edges != _PLAIN and row.text:
            edged[row.edges].append(row)
    for (inset, above, below), first in list(placed.items()):
        if above == _TOP:
            for place, group in placed.items():
                if place[1] in range(1, _TOP) and (inset, below) == (place[0], place[2]):
                    group[:0] = first
    usual = max(placed, key=lambda place: len(placed[place]))
    for group in edged.values():
        if _mostly_titles(group):
            yield [row for row in group if row.is_title], False
    for place, group in placed.items():
        if place != usual and place[1] and _mostly_titles(group):
            yield [row for row in group if row.is_title], True
    capitals = [row for row in titles if row.text.isupper()]
    if len(capitals) >= _LEAST:
        yield capitals, False
    plain = [row for row in titles if row.text[-1] not in "!?！？" and not _TIME.search(row.text)]
    counted = Counter(row.text for row in plain)
    again = [row for row in plain if counted[row.text] > 1]
    if len(again) >= _LEAST and len(again) * 2 >= len(plain):
        yield plain, False
    apart = [row for row in plain if row.place[1] and row.place[2]]
    if len(apart) >= _LEAST and len(apart) == len(plain):
        yield apart, False


def _mostly_titles(group: list[_Row]) -> bool:
    told = [row for row in group if row.is_title]
    timeless = sum(not _TIME.search(row.text) for row in told)
    return len(told) >= max(_LEAST, _SHARE * len(group)) and timeless * 2 > len(told)


def _without_front(chain: list[Candidate], text: Text) -> list[Candidate]:
    """Without the book's own title, which stands above the first of them."""
    while len(chain) > _LEAST and not text.between(chain[0].at, chain[1].at):
        chain = chain[1:]
    return chain


def _parts(chain: list[Candidate], text: Text, strong: bool) -> bool:
    if not divides(chain, text, _LEAST):
        return False
    places = [*(one.at for one in chain), len(text.lines)]
    lengths = [text.between(one, two) for one, two in pairwise(places)]
    told = [
        sum(1 for at in range(one + 1, two) if text.lines[at].strip())
        for one, two in pairwise(places)
    ]
    usual = median(lengths)
    if usual < _COLUMNS or sorted(told)[len(told) // 5] < _ROWS:
        return False
    if strong:
        return True
    return text.begins_at(chain[0]) and max(lengths) <= _ALIKE * usual
