"""Marked text to chapters: which level is the chapter, what stands before the first one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest

from django.utils.translation import gettext as _

from arboris.novels.importing.around import with_surroundings
from arboris.novels.importing.contents import without_contents
from arboris.novels.importing.headings import same_heading
from arboris.novels.importing.types import (
    MAX_TITLE,
    Heading,
    ImportedChapter,
    ImportedNovel,
    ImportLimits,
    MarkedText,
    NovelImportError,
)
from arboris.novels.text import Language, guess_language

PREFACE_CHARS = (
    200  # text before the first heading becomes a chapter above this size, else set aside
)
_PREFACE: dict[Language, str] = {"zh": "序", "en": "Preface"}
_PART: dict[Language, str] = {"zh": "第 {} 部分", "en": "Part {}"}
_UNTITLED: dict[Language, str] = {"zh": "未命名", "en": "Untitled"}

_NAMED_TITLE = re.compile(
    r"\s*(?:《(?P<book>[^《》]{1,100})》|(?:书名|書名|[Tt]itle)\s*[:：]\s*(?P<named>\S.{0,99}))\s*"
)
_ASIDE = re.compile(
    r"\s*(?:正文|(?:作者|著者|文)\s*[:：].{1,40}|[^。，！？]{1,20}\s著|[Aa]uthor\s*:.{1,60}"
    r"|[Bb][Yy]\s+[A-Z][^,;!?]{1,40})\s*"
)
_SENTENCE = re.compile(r"[。！？!?；;，,：:…]|\.\s*$")
_CUTS = re.compile(r"[。！？!?…][”’」』\"']*|\.[\"'”’]?\s")

_Piece = tuple[str, str]  # title, content


def assemble(marked: MarkedText, fallback_title: str, limits: ImportLimits) -> ImportedNovel:
    """The novel that ``marked`` holds; NovelImportError if empty or in too many chapters."""
    sample = "\n".join(marked.lines[:20_000])[:200_000]
    if not any(line.strip() for line in marked.lines):
        raise NovelImportError("empty", _("The file contains no text."))
    language = guess_language(sample)
    headed = without_contents(with_surroundings(marked))
    if pieces := _pieces(headed, language):
        marked = headed
    else:
        pieces = _unheaded(marked, fallback_title, language, limits)
    if len(pieces) > limits.chapters:
        raise NovelImportError(
            "too_many_chapters",
            _("The file holds %(count)d chapters; at most %(limit)d can be imported.")
            % {"count": len(pieces), "limit": limits.chapters},
        )
    chapters = [ImportedChapter(n, *piece) for n, piece in enumerate(pieces, start=1)]
    title = marked.title or fallback_title or _UNTITLED[language]
    return ImportedNovel(title[:MAX_TITLE], language, chapters, marked.set_aside, marked.encoding)


def _pieces(marked: MarkedText, language: Language) -> list[_Piece]:
    """Titled texts by the headings; none if no heading has text under it."""
    headings = _chapter_headings(marked)
    if not headings:
        return []
    front = _front(marked, headings[0].at)
    pieces: list[_Piece] = []
    volumes: list[str] = []  # titles of volumes that open with the next chapter
    for (here, body), following in zip_longest(_bodies(marked.lines, headings), headings[1:]):
        if body:
            title = here.title or _PART[language].format(len(pieces) + 1)
            pieces.append((_with_volumes(volumes, title, marked.set_aside), body))
            volumes = []
        elif following and same_heading(here.title, following.title):
            continue  # printed twice
        elif here.kind == "volume":
            volumes.append(here.title)
        else:
            marked.set_aside.append(here.title)
    marked.set_aside.extend(volumes)
    if front and len(front) > PREFACE_CHARS:
        pieces.insert(0, (_PREFACE[language], front))
    elif front and pieces:
        marked.set_aside.append(front)  # a motto, what the book is about: not the first chapter's
    return pieces


def _bodies(lines: list[str], headings: list[Heading]) -> Iterator[tuple[Heading, str]]:
    ends = [heading.at for heading in headings[1:]] + [len(lines)]
    for heading, end in zip(headings, ends, strict=True):
        yield heading, _join(lines[heading.at + heading.span : end])


def _join(lines: list[str]) -> str:
    """The lines as one text without blank lines around it; the indent stays."""
    text = "\n".join(line.rstrip() for line in lines)
    return text.strip("\n")


def _with_volumes(volumes: list[str], title: str, set_aside: list[str]) -> str:
    joined = " ".join([*volumes, title])
    if len(joined) <= MAX_TITLE:
        return joined
    set_aside.extend(volumes)
    return title


def _chapter_headings(marked: MarkedText) -> list[Heading]:
    """The headings that open a chapter or a volume; deeper ones stay part of the text."""
    headings = marked.headings
    levels = sorted({heading.level for heading in headings if heading.kind != "special"})
    if not levels:
        return headings
    filled: Counter[int] = Counter()
    count: Counter[int] = Counter()
    for heading, body in _bodies(marked.lines, headings):
        count[heading.level] += 1
        filled[heading.level] += bool(body)
    named = Counter(heading.level for heading in headings if heading.kind == "chapter")
    plain = [heading.level for heading in headings if heading.kind not in ("volume", "special")]
    level = named.most_common(1)[0][0] if named else min(plain, default=levels[0])
    # A level whose headings mostly have no text of their own groups the chapters below it.
    while filled[level] * 2 < count[level] and level < levels[-1]:
        level = next(deeper for deeper in levels if deeper > level)
    return [
        _as_volume(heading) if heading.level < level and heading.kind != "special" else heading
        for heading in headings
        if heading.level <= level or heading.kind == "special"
    ]


def _as_volume(heading: Heading) -> Heading:
    return Heading(heading.at, heading.title, heading.level, "volume", heading.span)


def _front(marked: MarkedText, end: int) -> str:
    """The text before line ``end`` less the title and the author's line, which it notes."""
    kept: list[str] = []
    told = False
    for line in marked.lines[:end]:
        named = _NAMED_TITLE.fullmatch(line) if len(line) < 120 else None
        if not line.strip():
            kept.append(line)
        elif marked.title and line.strip() == marked.title:
            continue
        elif named and not marked.title:
            marked.title = (named["book"] or named["named"]).strip()
        elif not told and not marked.title and _is_title_line(line):
            marked.title = line.strip().strip("=*#").strip()
        elif len(line) < 80 and _ASIDE.fullmatch(line):
            marked.set_aside.append(line.strip())
        else:
            told = True
            kept.append(line)
    return _join(kept)


def _is_title_line(line: str) -> bool:
    """Short and no sentence: in front of headings that is what the book is called."""
    bare = line.strip()
    too_long = len(bare) > 40 and (len(bare) > 80 or not bare.isascii())
    return not too_long and not _SENTENCE.search(bare) and not _ASIDE.fullmatch(line)


def _unheaded(
    marked: MarkedText, fallback_title: str, language: Language, limits: ImportLimits
) -> list[_Piece]:
    """One chapter, or parts of bounded size."""
    first = next(line for line in marked.lines if line.strip())
    named = _NAMED_TITLE.fullmatch(first) if len(first) < 120 else None
    lines = marked.lines
    if named and not marked.title and any(line.strip() for line in lines if line is not first):
        marked.title = (named["book"] or named["named"]).strip()
        lines = lines[lines.index(first) + 1 :]
    parts = list(_parts(lines, limits.part_chars))
    if len(parts) == 1:
        return [(marked.title or fallback_title or _UNTITLED[language], parts[0])]
    return [(_PART[language].format(n), part) for n, part in enumerate(parts, start=1)]


def _parts(lines: list[str], size: int) -> Iterator[str]:
    held: list[str] = []
    length = 0
    for piece in (piece for line in lines for piece in _cut(line, size)):
        if held and length + len(piece) + 1 > size:
            if text := _join(held):
                yield text
            held, length = [], 0
        held.append(piece)
        length += len(piece) + 1
    if text := _join(held):
        yield text


def _cut(line: str, size: int) -> Iterator[str]:
    """A paragraph over ``size`` in pieces that end with a sentence where there is one."""
    start = 0
    while len(line) - start > size:
        ends = [cut.end() for cut in _CUTS.finditer(line, start, start + size)]
        end = ends[-1] if ends else start + size
        yield line[start:end]
        start = end
    yield line[start:]
