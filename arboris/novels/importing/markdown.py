"""Finding the headings and the scene breaks of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from arboris.novels.importing.emphasis import BREAK
from arboris.novels.importing.markup import kind_of, take_title_heading, without_edge_breaks
from arboris.novels.importing.series import MAX_HEADINGS
from arboris.novels.importing.types import MAX_TITLE, Heading, MarkedText

_ATX = re.compile(r" {0,3}(?P<signs>#{1,6})(?P<space>[ \t\u3000]*)(?P<title>[^#\s].*?)(?:\s#+)?\s*")
_UNDERLINE = re.compile(r" {0,3}(?P<sign>=+|-{2,})\s*")
_RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}\s*")
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)")
_META_TITLE = re.compile(r"title:\s*(?P<title>\S.*?)\s*")
# A paragraph with a rule right below it is no heading.
_SENTENCE_END = ("。", "；", "，", "：", "…", "”", "」", "』", ".", ";", ",", ":", '"', "—")
_SIGNS = frozenset("#=-*_`~")


def mark_markdown(lines: list[str]) -> MarkedText:
    """Headings by ``#`` signs or underlines; the only heading of the outermost level may be the
    title. Rules become scene breaks; what stands in fences stays as it is."""
    title, lines = _take_front_matter(lines)
    inside = fenced(lines)
    headings: list[Heading] = []
    told = list(lines)
    for at, line in enumerate(lines):
        bare = line.lstrip()[:1]
        if bare not in _SIGNS or not bare or at in inside:
            continue
        if found := _atx(at, line) or _setext(lines, at, inside):
            headings.append(found)
            if len(headings) > MAX_HEADINGS:
                return MarkedText(lines, [], title)
        elif len(line) <= MAX_TITLE and _RULE.fullmatch(line):
            told[at] = BREAK
    marked = take_title_heading(MarkedText(told, headings, title))
    if not headings:
        return MarkedText(lines, [], title)  # no Markdown, it seems
    return without_edge_breaks(marked)


def _atx(at: int, line: str) -> Heading | None:
    found = _ATX.fullmatch(line) if len(line) <= MAX_TITLE + 20 else None
    if found is None:
        return None
    title = found["title"].strip().strip("*_").strip()
    kind = kind_of(title)
    # Without a space a plain "#word" is a hashtag; many do write "#第一章".
    if not title or len(title) > MAX_TITLE or not (found["space"] or kind != "plain"):
        return None
    return Heading(at, title, len(found["signs"]), kind)


def _setext(lines: list[str], at: int, inside: set[int]) -> Heading | None:
    """The heading that the line ``at`` underlines: one line, with nothing right above it."""
    found = _UNDERLINE.fullmatch(lines[at]) if at and len(lines[at]) <= MAX_TITLE else None
    above = lines[at - 1] if at else ""
    if found is None or not above.strip() or len(above) > MAX_TITLE or at - 1 in inside:
        return None
    if (at > 1 and lines[at - 2].strip()) or re.match(r" {4}|\t|\s*[-*+>|]\s", above):
        return None
    if _ATX.fullmatch(above) or _RULE.fullmatch(above):
        return None
    title = above.strip().strip("*_").strip()
    level = 1 if found["sign"][0] == "=" else 2
    kind = kind_of(title)
    if level == 2 and kind == "plain" and (len(title) > 80 or title.endswith(_SENTENCE_END)):
        return None
    return Heading(at - 1, title, level, kind, 2) if title else None


def fenced(lines: list[str]) -> set[int]:
    """Indexes of the lines in fences, the fences included. One that is never closed is none:
    it would take the rest of the book."""
    fences = list(_fences(lines))
    inside: set[int] = set()
    hopeless = {"`": len(lines) + 1, "~": len(lines) + 1}  # from this length on none is closed
    done = -1
    for index, (at, sign, size, _bare) in enumerate(fences):
        if at <= done or size >= hopeless[sign]:
            continue
        closing = (
            fences[other].at
            for other in range(index + 1, len(fences))
            if fences[other].closes(sign, size)
        )
        done = next(closing, -1)
        if done < 0:
            hopeless[sign] = size
        else:
            inside.update(range(at, done + 1))
    return inside


class _Fence(NamedTuple):
    at: int
    sign: str
    size: int
    bare: bool  # nothing stands behind it

    def closes(self, sign: str, size: int) -> bool:
        return self.bare and self.sign == sign and self.size >= size


def _fences(lines: list[str]) -> Iterator[_Fence]:
    for at, line in enumerate(lines):
        if line.lstrip()[:1] not in ("`", "~"):
            continue
        found = _FENCE.fullmatch(line)
        if found:
            fence = found["fence"]
            yield _Fence(at, fence[0], len(fence), not found["info"].strip())


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
