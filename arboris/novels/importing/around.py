"""What stands right above and below a heading and belongs to it: its title on the next line, the
title once more, rules."""

from __future__ import annotations

import re
from dataclasses import replace

from arboris.novels.importing.headings import heading_key, undecorate
from arboris.novels.importing.titles import may_be_title, name_of
from arboris.novels.importing.types import MAX_TITLE, Heading, MarkedText

_RULE = re.compile(r"\s*([=_*~—─━+#-])(?:\s?\1){2,}\s*")
_SENTENCE_END = tuple('。！？.!?，,；;：:…”」"')
_BLANKS = 2  # lines between a heading and what belongs to it
_SHARE = 0.6  # of the headings without a title that must have one on the next line


def with_surroundings(marked: MarkedText) -> MarkedText:
    """``marked`` with headings that span what belongs to them."""
    if not marked.headings:
        return marked
    lines = marked.lines
    starts = [one.at for one in marked.headings]
    ends = [*starts[1:], len(lines)]
    done = 0
    headings: list[Heading] = []
    for one, end in zip(marked.headings, ends, strict=True):
        headings.append(_widened(lines, one, done, end))
        done = headings[-1].at + headings[-1].span
    return replace(marked, headings=_with_titles_below(lines, headings))


def _widened(lines: list[str], one: Heading, start: int, end: int) -> Heading:
    """With rules beside it and its title printed again, between the lines ``start`` and ``end``."""
    first, last = one.at, one.at + one.span
    if last < end and _is_rule(lines[last]):
        last += 1
    if first > start and _is_rule(lines[first - 1]):
        first -= 1
    keys = {heading_key(one.title), name_of(one.title)} - {""}
    below = _told_below(lines, last, end)
    while below >= 0 and _repeats(lines[below], keys):
        last = below + 1
        below = _told_below(lines, last, end)
    above = _told_above(lines, first, start)
    if above >= 0 and name_of(one.title) and _repeats(lines[above], keys):
        first = above
    return replace(one, at=first, span=last - first)


def _is_rule(line: str) -> bool:
    return len(line) <= MAX_TITLE and _RULE.fullmatch(line) is not None


def _told_below(lines: list[str], start: int, end: int) -> int:
    """Index of the first line with text from ``start`` on, near by; -1 where there is none."""
    near = range(start, min(end, start + _BLANKS + 1))
    return next((at for at in near if lines[at].strip()), -1)


def _told_above(lines: list[str], end: int, start: int) -> int:
    near = range(end - 1, max(start, end - _BLANKS - 1) - 1, -1)
    return next((at for at in near if lines[at].strip()), -1)


def _repeats(line: str, keys: set[str]) -> bool:
    if len(line) > MAX_TITLE or line.rstrip().endswith(_SENTENCE_END):
        return False
    return bool({heading_key(undecorate(line)), name_of(undecorate(line))} & keys)


def _with_titles_below(lines: list[str], headings: list[Heading]) -> list[Heading]:
    """Where headings are numbers alone and most have a title on the next line, with that title."""
    ends = [*(one.at for one in headings[1:]), len(lines)]
    titles: dict[int, int] = {}  # line of the title, by the heading's place in the list
    bare = [0, 0]  # headings without a title that have text: volumes, chapters
    found = [0, 0]
    for place, (one, end) in enumerate(zip(headings, ends, strict=True)):
        start = one.at + one.span
        below = _told_below(lines, start, end)
        if one.kind == "special" or not one.title or name_of(one.title) or below < 0:
            continue
        rank = int(one.kind != "volume")
        bare[rank] += 1
        if may_be_title(lines[below]) and _followed(lines, below, end, alone=not rank):
            titles[place] = below
            found[rank] += 1
    return [
        _titled(lines, one, titles[place])
        if place in titles
        and (rank := int(one.kind != "volume")) in (0, 1)
        and found[rank] >= _SHARE * bare[rank]
        else one
        for place, one in enumerate(headings)
    ]


def _followed(lines: list[str], at: int, end: int, *, alone: bool) -> bool:
    """Whether text follows that does not go on with the line; ``alone``: or nothing does."""
    rest = next((line for line in lines[at + 1 : end] if line.strip()), "")
    return not rest.strip()[:1].islower() and (alone or bool(rest))


def _titled(lines: list[str], one: Heading, below: int) -> Heading:
    title = f"{one.title.rstrip(' .:：')} {undecorate(lines[below])}"
    return replace(one, title=title[:MAX_TITLE], span=below + 1 - one.at)
