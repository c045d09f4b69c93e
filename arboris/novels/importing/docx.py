"""A Word document to marked text: paragraphs, headings by style, emphasis.

Read as a stream and without python-docx, whose tree of a long novel takes hundreds of megabytes;
what was deleted in tracked changes stays out.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse
from django.utils.translation import gettext as _

from arboris.novels.importing.archive import Archive
from arboris.novels.importing.blocks import mark_document
from arboris.novels.importing.decode import clean
from arboris.novels.importing.emphasis import Run, markdown
from arboris.novels.importing.html_text import Paragraph
from arboris.novels.importing.types import MAX_TITLE, ImportLimits, MarkedText, NovelImportError

_BODY, _STYLES = "word/document.xml", "word/styles.xml"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
# moveFrom: where a text stood before; Fallback: the same once more for old programs; …Change: how
# it looked before.
_SKIPPED = frozenset({"moveFrom", "del", "Fallback", "pict", "pPrChange", "rPrChange", "rt"})
_HEADING = re.compile(r"(?:heading|标题|標題)\s*([1-9])")
_BASES = 10  # styles that are based on one another
_OFF = frozenset({"0", "false", "off", "none"})


@dataclass(slots=True)
class _Style:
    name: str
    outline: int = 0  # 1 to 9; 0: no heading
    base: str = ""  # the id of the style that it goes on from

    @property
    def level(self) -> int:
        found = _HEADING.fullmatch(self.name)
        return int(found[1]) if found else self.outline


@dataclass(slots=True)
class _Open:
    """A paragraph that is being read; a text box puts others into it."""

    runs: list[Run] = field(default_factory=list)
    style: str = ""
    level: int = 0
    italic: bool = False
    bold: bool = False
    hidden: bool = False


def read_docx(data: bytes, limits: ImportLimits) -> MarkedText:
    archive = Archive(data, limits, ".docx")
    styles = _styles(archive) if _STYLES in archive else {}
    title, aside = "", []
    blocks: list[Paragraph] = []
    for one in _Reader(archive).paragraphs():
        style = styles.get(one.style, _Style(one.style.lower()))
        level = one.level or _level(style, styles)
        text = clean("".join(run.text for run in one.runs) if level else markdown(one.runs))
        text = "\n".join(line.rstrip() for line in text.split("\n")).strip("\n ")
        if not text.strip() or style.name.startswith("toc"):
            continue
        if style.name == "title" and not title and not blocks:
            title = " ".join(text.split()).strip("*")[:MAX_TITLE]
        elif style.name == "subtitle" and not blocks:
            aside.append(" ".join(text.split()).strip("*"))
        else:
            blocks.append(Paragraph(text, level, [], 0))
    marked = mark_document(blocks)
    marked.title = title or marked.title
    marked.set_aside += aside
    return marked


def _styles(archive: Archive) -> dict[str, _Style]:
    styles: dict[str, _Style] = {}
    for element in archive.xml(_STYLES).iter():
        if _name(element) != "style":
            continue
        style = _Style("")
        for part in element.iter():
            if _name(part) == "name":
                style.name = _value(part).lower()
            elif _name(part) == "outlineLvl":
                style.outline = _outline(part)
            elif _name(part) == "basedOn":
                style.base = _value(part)
        styles[_attribute(element, "styleId")] = style
    return styles


def _level(style: _Style | None, styles: dict[str, _Style]) -> int:
    """The heading that paragraphs of the style are, by itself or by what it is based on."""
    for _step in range(_BASES):
        if style is None or style.level:
            break
        style = styles.get(style.base)
    return style.level if style else 0


class _Reader:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._open: list[_Open] = []
        self._skipping = 0

    def paragraphs(self) -> Iterator[_Open]:
        source = io.BytesIO(self._archive.read(_BODY))
        try:
            for event, element in iterparse(source, events=("start", "end")):
                if event == "start":
                    self._start(element)
                elif (done := self._end(element)) is not None:
                    yield done
        except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
            raise _bad(self._archive) from error

    def _start(self, element: Element) -> None:
        name = _name(element)
        if name in _SKIPPED:
            self._skipping += 1
        elif name == "p" and not self._skipping:
            self._open.append(_Open())
        elif name == "r" and self._open:
            self._open[-1].italic = self._open[-1].bold = self._open[-1].hidden = False

    def _end(self, element: Element) -> _Open | None:
        name = _name(element)
        done = None
        if name in _SKIPPED:
            self._skipping -= 1
        elif self._open and not self._skipping:
            if name == "p":
                done = self._open.pop()
            else:
                _take(self._open[-1], name, element)
        if name in ("p", "tbl", "sdt"):
            element.clear()
        return done


def _take(paragraph: _Open, name: str, element: Element) -> None:
    if name == "vanish":
        paragraph.hidden = _value(element) not in _OFF
    elif paragraph.hidden:
        return
    elif name == "t":
        run = Run(element.text or "", paragraph.italic, paragraph.bold)
        paragraph.runs.append(run)
    elif name == "tab":
        paragraph.runs.append(Run(" "))
    elif name in ("br", "cr") and _attribute(element, "type") not in ("page", "column"):
        paragraph.runs.append(Run("\n", paragraph.italic, paragraph.bold))
    elif name == "noBreakHyphen":
        paragraph.runs.append(Run("-", paragraph.italic, paragraph.bold))
    elif name == "pStyle":
        paragraph.style = _value(element)
    elif name == "outlineLvl":
        paragraph.level = _outline(element)
    elif name == "i" or (name == "rStyle" and _value(element) == "Emphasis"):
        paragraph.italic = _value(element) not in _OFF
    elif name == "b" or (name == "rStyle" and _value(element) == "Strong"):
        paragraph.bold = _value(element) not in _OFF


def _outline(element: Element) -> int:
    value = _value(element)
    return int(value) + 1 if value.isdecimal() and len(value) == 1 and value != "9" else 0


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _value(element: Element) -> str:
    return _attribute(element, "val")


def _attribute(element: Element, name: str) -> str:
    value: Any = element.get(f"{_W}{name}") or element.get(f"{_STRICT}{name}")
    return str(value or "")


def _bad(archive: Archive) -> NovelImportError:
    return archive.bad(_("%(name)s is no valid XML") % {"name": _BODY})
