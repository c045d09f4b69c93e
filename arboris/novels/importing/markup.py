"""Finding the headings of plain text; what headings of every format share."""

from __future__ import annotations

from arboris.novels.importing.emphasis import BREAK
from arboris.novels.importing.headings import match_heading
from arboris.novels.importing.series import find_headings
from arboris.novels.importing.types import Heading, HeadingKind, MarkedText

_LEVELS: dict[HeadingKind, int] = {"volume": 1, "chapter": 2, "special": 2, "section": 3}


def mark_plain(lines: list[str], skipped: set[int] | None = None) -> MarkedText:
    """Headings by the wording of the lines and by the series that they make."""
    headings = [
        Heading(one.at, one.title, _LEVELS[one.kind], one.kind)
        for one in find_headings(lines, skipped)
    ]
    return MarkedText(lines, headings)


def take_title_heading(marked: MarkedText) -> MarkedText:
    """Turns the book's title from a heading into the title: the first heading, with nothing
    before it, alone on the outermost level and not worded as a chapter."""
    if not marked.headings:
        return marked
    first = marked.headings[0]
    others = [heading.level for heading in marked.headings[1:] if heading.kind != "special"]
    if first.kind != "plain" or first.level >= min(others, default=7):
        return marked
    if any(line.strip() for line in marked.lines[: first.at]):
        return marked
    rest = marked.lines[first.at + first.span :]
    moved = first.at + first.span
    headings = [
        Heading(h.at - moved, h.title, h.level, h.kind, h.span) for h in marked.headings[1:]
    ]
    # A title given elsewhere (front matter, package) wins; this one must not get lost by it.
    aside = [first.title] if marked.title and marked.title != first.title else []
    return MarkedText(rest, headings, marked.title or first.title, marked.set_aside + aside)


def kind_of(title: str) -> HeadingKind:
    """The kind of something that is known to be a heading."""
    match = match_heading(title)
    return match.kind if match else "plain"


def without_edge_breaks(marked: MarkedText) -> MarkedText:
    """A rule under a heading, or at the end of a chapter, parts no scenes."""
    starts = [0, *(one.at + one.span for one in marked.headings)]
    ends = [*(one.at for one in marked.headings), len(marked.lines)]
    for start, end in zip(starts, ends, strict=True):
        for order in (range(start, end), range(end - 1, start - 1, -1)):
            for at in order:
                if marked.lines[at] == BREAK:
                    marked.lines[at] = ""
                elif marked.lines[at].strip():
                    break
    return marked
