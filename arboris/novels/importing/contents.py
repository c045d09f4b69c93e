"""Taking a printed table of contents out of the headings."""

from __future__ import annotations

import re
from dataclasses import replace

from arboris.novels.importing.headings import heading_key, match_heading, same_heading
from arboris.novels.importing.numbers import CHINESE
from arboris.novels.importing.types import MAX_TITLE, Heading, MarkedText

CONTENTS = re.compile(
    r"[\s【\[#*=]*(?:目\s*录|目\s*錄|目\s*次|table of contents|contents)[\s】\]#*=:：]*",
    re.IGNORECASE,
)
_NUMBER = re.compile(rf"[0-9{CHINESE}ivxlc]{{1,5}}(?=\W|[^a-z])")
_FEWEST = 3  # entries of a list that is one
_ENTRY = 70  # characters of an entry
_SENTENCE_END = (".", "!", "?", "。", "！", "？", "…", "”", '"', "」")
_LOOSE_CHARS = 30  # an entry that does not read as a heading (人物表) is at most this long


def without_contents(marked: MarkedText) -> MarkedText:
    """``marked`` without the entries of a table of contents at its start.

    It is one if the first heading comes a second time and nothing but headings and stray
    short lines stands between. Text behind the last entry (a foreword) becomes text before
    the first heading.
    """
    marked = _without_listed_parts(marked)
    start = _second_beginning(marked)
    if start == 0:
        return _without_list(marked)
    entries, headings = marked.headings[:start], marked.headings[start:]
    dropped = {line for entry in entries for line in range(entry.at, entry.at + entry.span)}
    dropped.update(
        at for at, line in enumerate(marked.lines[: entries[0].at]) if CONTENTS.fullmatch(line)
    )
    return _without(marked, dropped, headings)


def _without(marked: MarkedText, dropped: set[int], headings: list[Heading]) -> MarkedText:
    """``dropped``: lines that all stand before ``headings``, which are those that stay."""
    lines = [line for at, line in enumerate(marked.lines) if at not in dropped]
    moved = [replace(one, at=one.at - len(dropped)) for one in headings]
    return replace(marked, lines=lines, headings=moved)


def _without_listed_parts(marked: MarkedText) -> MarkedText:
    """Without contents that group their entries by parts: these have lists for a text."""
    end = marked.headings[0].at if marked.headings else 0
    title = next((at for at in range(end) if CONTENTS.fullmatch(marked.lines[at])), None)
    if title is None:
        return marked
    ends = [one.at for one in marked.headings[1:]] + [len(marked.lines)]
    sizes: list[int] = []  # of the lists
    for one, below in zip(marked.headings, ends, strict=True):
        rows = [row.strip() for row in marked.lines[one.at + one.span : below] if row.strip()]
        if any(len(row) > _ENTRY or row.endswith(_SENTENCE_END) for row in rows):
            break
        sizes.append(len(rows))
    while sizes and not sizes[-1] and marked.headings[len(sizes) - 1].kind == "volume":
        sizes.pop()  # the book's first volume
    listed = len(sizes)
    if max(sizes, default=0) < _FEWEST or listed == len(marked.headings):
        return marked
    first = marked.headings[listed]
    told = _text_between(marked.lines, first, marked.headings[-1])
    if len(told) < _FEWEST * _LOOSE_CHARS:
        return marked  # a book of short lines
    return _without(marked, set(range(title, first.at)), marked.headings[listed:])


def _without_list(marked: MarkedText) -> MarkedText:
    """Without a list of the titles in another form than the headings: 1 归航 …… 5."""
    end = marked.headings[0].at if marked.headings else 0
    names = {_name(one.title) for one in marked.headings}
    entries = [
        at for at, line in enumerate(marked.lines[:end]) if line.strip() and _name(line) in names
    ]
    if len(entries) < _FEWEST:
        return marked
    first, last = entries[0], entries[-1]
    told = sum(1 for line in marked.lines[first : last + 1] if line.strip())
    if len(entries) * 2 < told:
        return marked
    dropped = set(range(first, last + 1))
    dropped.update(at for at in range(first) if CONTENTS.fullmatch(marked.lines[at]))
    return _without(marked, dropped, marked.headings)


def _name(title: str) -> str:
    """The title without its number; empty where there is nothing else."""
    match = match_heading(title)
    bare = title.partition(match.marker)[2] if match and match.kind != "special" else title
    return _NUMBER.sub("", heading_key(bare)) if len(title) <= MAX_TITLE else ""


def _second_beginning(marked: MarkedText) -> int:
    """Index of the heading with which the book itself begins; 0: there are no contents."""
    headings = marked.headings
    forewords = 0  # entries with text under them: the last one may have a foreword
    for index, heading in enumerate(headings[1:], start=1):
        before = _text_between(marked.lines, headings[index - 1], heading)
        if len(before) > _LOOSE_CHARS or re.search("[。！？!?]", before):
            forewords += 1
        elif forewords and headings[index - 1].kind != "volume":
            return 0  # a chapter follows that is not the first one again
        if same_heading(headings[0].title, heading.title):
            # The volume that the first chapter stands in may be missing in the contents.
            while index > 1 and headings[index - 1].kind == "volume":
                index -= 1
            return index if index > 1 or not before else 0
        if forewords > 1 or (forewords and heading.kind != "volume"):
            return 0
    return 0


def _text_between(lines: list[str], here: Heading, following: Heading) -> str:
    return "".join(line.strip() for line in lines[here.at + here.span : following.at])
