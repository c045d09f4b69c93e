"""The manuscript as Markdown, and as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from arboris.novels.manuscript.blocks import blocks
from arboris.novels.manuscript.types import Manuscript

_HEADING = re.compile(r"^( {0,3})(#{1,6})(?=[ \t]+\S)", re.MULTILINE)
_BREAK = "* * *"


def write_markdown(novel: Manuscript, target: IO[bytes]) -> None:
    """Texts as they are stored; headings in them go below that of their chapter."""
    for piece in _markdown(novel):
        target.write(piece.encode())


def _markdown(novel: Manuscript) -> Iterator[str]:
    pieces = []
    if novel.title_page:
        pieces = [f"# {_one_line(novel.title)}" if novel.title else "", novel.author]
        pieces.append(novel.synopsis)
    yield "\n\n".join(piece for piece in pieces if piece)
    level = 3 if novel.in_volumes else 2
    apart = "\n\n" if any(pieces) else ""
    for part, text in novel.chapters():
        if part.volume:
            yield f"{apart}## {_one_line(part.volume)}"
            apart = "\n\n"
        yield f"{apart}{'#' * level} {_one_line(part.title)}\n\n{_below(text, level)}"
        apart = "\n\n"
    yield "\n"


def _below(text: str, level: int) -> str:
    text = text.strip("\n")
    return _HEADING.sub(lambda found: found[1] + "#" * min(6, level + len(found[2])), text)


def write_text(novel: Manuscript, target: IO[bytes]) -> None:
    """Without any marks: emphasis is dropped, a scene break is three stars."""
    for piece in _text(novel):
        target.write(piece.encode())


def _text(novel: Manuscript) -> Iterator[str]:
    front = []
    if novel.title_page:
        title = f"《{novel.title}》" if novel.language == "zh" and novel.title else novel.title
        front = [piece for piece in (title, novel.author, novel.synopsis) if piece]
    yield "\n\n".join(front)
    apart = "\n\n\n" if front else ""
    for part, text in novel.chapters():
        for heading in filter(None, (part.volume, part.title)):
            yield f"{apart}{_one_line(heading)}"
            apart = "\n\n"
        for block in blocks(text):
            yield f"\n\n{_indented(novel, block.text) if block.kind != 'break' else _BREAK}"
        apart = "\n\n\n"
    yield "\n"


def _indented(novel: Manuscript, text: str) -> str:
    return f"\u3000\u3000{text}" if novel.language == "zh" else text


def _one_line(text: str) -> str:
    return " ".join(text.split())
