"""Finding the headings of plain text and of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from arboris.novels.importing.headings import MAX_HEADING, match_heading
from arboris.novels.importing.types import MAX_TITLE, Heading, HeadingKind, MarkedText

_LEVELS: dict[HeadingKind, int] = {"volume": 1, "chapter": 2, "special": 2, "section": 3}
_SENTENCE_END = tuple('.!?"”’)]…*=-_:。！？」』：~')
_ATX = re.compile(r" {0,3}(?P<signs>#{1,6})(?P<space>[ \t\u3000]*)(?P<title>[^#\s].*?)(?:\s#+)?\s*")
_META_TITLE = re.compile(r"title:\s*(?P<title>\S.*?)\s*")


def mark_plain(lines: list[str]) -> MarkedText:
    """Headings by the wording of the lines."""
    headings: list[Heading] = []
    for at, line in enumerate(lines):
        if len(line) > 2 * MAX_HEADING or not line.strip():
            continue
        before = lines[at - 1].strip() if at else ""
        after = lines[at + 1].strip() if at + 1 < len(lines) else ""
        match = match_heading(line, alone=not before and not after)
        if match is None:
            continue
        after_heading = bool(headings) and headings[-1].at == at - 1
        if after_heading or _may_precede_heading(before):
            headings.append(Heading(at, match.title, _LEVELS[match.kind], match.kind))
    return MarkedText(lines, headings)


def _may_precede_heading(before: str) -> bool:
    """False when the line before breaks off in mid-sentence: the text is hard-wrapped there."""
    if not before or before.endswith(_SENTENCE_END):
        return True
    # A short line may be the book's title; English ones do not end in a small word.
    return len(before) < 40 and not before.split()[-1][0].islower()


def mark_markdown(lines: list[str]) -> MarkedText:
    """Headings by ``#`` signs; the only heading of the outermost level may be the title."""
    title, lines = _take_front_matter(lines)
    headings = list(_atx_headings(lines))
    marked = MarkedText(lines, headings, title)
    return take_title_heading(marked)


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


def _atx_headings(lines: list[str]) -> Iterator[Heading]:
    for at, line in enumerate(lines):
        found = _ATX.fullmatch(line) if len(line) <= MAX_TITLE + 20 else None
        if found is None:
            continue
        title = found["title"].strip().strip("*_").strip()
        kind = kind_of(title)
        # Without a space a plain "#word" is a hashtag; many do write "#第一章".
        if title and len(title) <= MAX_TITLE and (found["space"] or kind != "plain"):
            yield Heading(at, title, len(found["signs"]), kind)


def _take_front_matter(lines: list[str]) -> tuple[str, list[str]]:
    """The title of a YAML block at the very top, and the lines without that block."""
    if not lines or lines[0].rstrip() != "---":
        return "", lines
    for end, line in enumerate(lines[1:60], start=1):
        if line.rstrip() in ("---", "..."):
            rows = (row for row in lines[1:end] if len(row) <= MAX_TITLE)
            titles = [found["title"] for row in rows if (found := _META_TITLE.fullmatch(row))]
            if not titles:
                return "", lines  # two scene breaks, not a block of data
            return titles[0].strip("\"'"), lines[end + 1 :]
    return "", lines
