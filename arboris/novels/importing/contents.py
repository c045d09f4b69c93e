"""Taking a printed table of contents out of the headings."""

from __future__ import annotations

import re

from arboris.novels.importing.headings import same_heading
from arboris.novels.importing.types import Heading, MarkedText

_CONTENTS = re.compile(
    r"[\s【\[#*=]*(?:目\s*录|目\s*錄|目\s*次|table of contents|contents)[\s】\]#*=:：]*",
    re.IGNORECASE,
)
_LOOSE_CHARS = 30  # an entry that does not read as a heading (人物表) is at most this long


def without_contents(marked: MarkedText) -> MarkedText:
    """``marked`` without the entries of a table of contents at its start.

    It is one if the first heading comes a second time and nothing but headings and stray
    short lines stands between. Text behind the last entry (a foreword) becomes text before
    the first heading.
    """
    start = _second_beginning(marked)
    if start == 0:
        return marked
    entries, headings = marked.headings[:start], marked.headings[start:]
    dropped = {line for entry in entries for line in range(entry.at, entry.at + entry.span)}
    dropped.update(
        at for at, line in enumerate(marked.lines[: entries[0].at]) if _CONTENTS.fullmatch(line)
    )
    lines = [line for at, line in enumerate(marked.lines) if at not in dropped]
    moved = len(dropped)  # all of them stand before the headings that are left
    headings = [Heading(h.at - moved, h.title, h.level, h.kind, h.span) for h in headings]
    return MarkedText(lines, headings, marked.title, marked.set_aside)


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
