"""Finding the headings of plain text; what headings of every format share."""

from __future__ import annotations

from arboris.novels.importing.emphasis import BREAK
from arboris.novels.importing.headings import MAX_HEADING, match_heading
from arboris.novels.importing.types import Heading, HeadingKind, MarkedText

_LEVELS: dict[HeadingKind, int] = {"volume": 1, "chapter": 2, "special": 2, "section": 3}
_SENTENCE_END = tuple('.!?"”’)]…*=-_:。！？」』：~')


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
