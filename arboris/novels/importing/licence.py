"""The licence that free texts are handed on with, which is no part of the book."""

from __future__ import annotations

import re

_START = re.compile(
    r"\*{1,3}\s?(?:START OF (?:THE|THIS) PROJECT GUTENBERG|END[* ]?THE SMALL PRINT).*",
    re.IGNORECASE,
)
_END = re.compile(
    r"\*{0,3}\s?END OF (?:THE |THIS )?PROJECT GUTENBERG.*|End of (?:The )?Project Gutenberg.*",
    re.IGNORECASE,
)
_TITLE = re.compile(r"Title:\s*\S.*", re.IGNORECASE)


def without_licence(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines of the book, and what to call the ones that were taken away; the title that the
    licence names stays."""
    half = len(lines) // 2
    starts = [at for at in range(half) if lines[at][:1] == "*" and _START.match(lines[at])]
    start = starts[-1] + 1 if starts else 0
    end = next((at for at in range(half, len(lines)) if _is_end(lines[at])), len(lines))
    if (start, end) == (0, len(lines)):
        return lines, []
    title = [line for line in lines[:start] if _TITLE.fullmatch(line)][:1]
    return [*title, *lines[start:end]], ["Project Gutenberg License"]


def _is_end(line: str) -> bool:
    return "gutenberg" in line[:80].lower() and _END.match(line) is not None
