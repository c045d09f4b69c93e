"""FictionBook 2 to marked text: its sections are the chapters."""

from __future__ import annotations

import io
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse
from django.utils.translation import gettext as _

from arboris.novels.importing.archive import bad_file, mended
from arboris.novels.importing.blocks import mark_document
from arboris.novels.importing.decode import clean, decode_markup
from arboris.novels.importing.emphasis import BREAK, Run, markdown
from arboris.novels.importing.html_text import ORNAMENTS, Paragraph
from arboris.novels.importing.types import MAX_TITLE, ImportLimits, MarkedText

_DEEPEST = 3  # of the headings that may open a chapter
_BLOCKS = frozenset({"p", "v", "subtitle", "text-author", "td", "th"})
_DONE = _BLOCKS | {"section", "title", "binary", "body"}  # of no use any more once they end
_NOT_TOLD = frozenset({"description", "binary", "stylesheet"})


def read_fb2(data: bytes, limits: ImportLimits) -> MarkedText:
    try:
        try:
            reader = _read(data)
        except (ParseError, LookupError):
            reader = _read(
                mended(decode_markup(data).text).encode()
            )  # loose entities, a wrong charset
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise bad_file(".fb2", _("%(name)s is no valid XML") % {"name": "FictionBook"}) from error
    marked = mark_document(reader.blocks)
    marked.title = reader.title or marked.title
    marked.set_aside += reader.aside
    return marked


def _read(data: bytes) -> _Reader:
    reader = _Reader()
    for event, element in iterparse(io.BytesIO(data), events=("start", "end")):
        if event == "start":
            reader.start(element)
        else:
            reader.end(element)
    return reader


class _Reader:
    def __init__(self) -> None:
        self.blocks: list[Paragraph] = []
        self.title = ""
        self.aside: list[str] = []
        self._path: list[str] = []
        self._sections = 0
        self._heading: list[str] = []
        self._notes = False

    def start(self, element: Element) -> None:
        name = _name(element)
        self._path.append(name)
        if name == "section":
            self._sections += 1
        elif name == "body":
            self._notes = bool(element.get("name"))
            if self._notes:
                self.aside.append(str(element.get("name"))[:MAX_TITLE])

    def end(self, element: Element) -> None:
        name = _name(element)
        self._path.pop()
        told = not self._notes and not _NOT_TOLD.intersection(self._path)
        if name == "book-title" and "title-info" in self._path and not self.title:
            self.title = " ".join("".join(element.itertext()).split())[:MAX_TITLE]
        elif told and name in _BLOCKS:
            self._block(element)
        elif told and name == "title":
            self._close_title()
        elif told and name == "empty-line":
            self.blocks.append(Paragraph(BREAK, 0, [], 0))
        if name == "section":
            self._sections -= 1
        if name in _DONE:
            element.clear()

    def _block(self, element: Element) -> None:
        if "title" in self._path:
            self._heading.append(" ".join("".join(element.itertext()).split()))
            return
        text = " ".join(markdown(list(_runs(element))).split())
        text = BREAK if ORNAMENTS.fullmatch(text) else clean(text)
        if text:
            self.blocks.append(Paragraph(text, 0, [], 0))

    def _close_title(self) -> None:
        text = clean(" ".join(filter(None, self._heading)))
        self._heading = []
        if text and self._sections:
            self.blocks.append(Paragraph(text, min(self._sections, _DEEPEST), [], 0))
        elif text and not self.title:
            self.title = text[:MAX_TITLE]


def _runs(element: Element) -> list[Run]:
    runs: list[Run] = []
    stack: list[tuple[Element | str, bool, bool]] = [(element, False, False)]
    while stack:
        one, italic, bold = stack.pop()
        if isinstance(one, str):
            runs.append(Run(one, italic, bold))
            continue
        inner = (italic or _name(one) == "emphasis", bold or _name(one) == "strong")
        parts: list[tuple[Element | str, bool, bool]] = [(one.text or "", *inner)]
        for child in one:
            parts += [(child, *inner), (child.tail or "", *inner)]
        stack += reversed(parts)
    return [run for run in runs if run.text]


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
