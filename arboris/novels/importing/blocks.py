"""Blocks of a document with markup, whatever its format, to marked text."""

from __future__ import annotations

from collections.abc import Iterable

from arboris.novels.importing.html_text import Paragraph
from arboris.novels.importing.markup import (
    kind_of,
    mark_plain,
    take_title_heading,
    without_edge_breaks,
)
from arboris.novels.importing.types import MAX_TITLE, Heading, MarkedText

HEADING_LEVELS = (1, 2, 3)


def mark_document(blocks: Iterable[Paragraph]) -> MarkedText:
    """Chapters by the headings, else by the wording of the lines."""
    marked = take_title_heading(mark_by_tags(blocks))
    if marked.headings:
        return without_edge_breaks(marked)
    plain = mark_plain(marked.lines)
    plain.title = marked.title
    return plain


def mark_by_tags(blocks: Iterable[Paragraph]) -> MarkedText:
    marked = MarkedText([], [])
    for block in blocks:
        if is_heading(block):
            marked.headings.append(heading(marked.lines, block, block.level))
        add(marked.lines, block)
    return marked


def is_heading(block: Paragraph) -> bool:
    return block.level in HEADING_LEVELS and len(block.text) <= MAX_TITLE


def add(lines: list[str], block: Paragraph) -> None:
    lines += [*block.text.split("\n"), ""]


def heading(lines: list[str], block: Paragraph, level: int) -> Heading:
    title = " ".join(block.text.split())
    return Heading(len(lines), title, level, kind_of(title), block.text.count("\n") + 1)
