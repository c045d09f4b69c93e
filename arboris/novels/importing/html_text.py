"""XHTML to paragraphs of text.

A scanner of our own: html.parser needs quadratic time for crafted markup in the Python
releases supported here, and what EPUB holds is strict enough for one pass of a pattern.
What is no well-formed tag counts as text, so nothing gets lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from arboris.novels.importing.emphasis import BREAK, Run, markdown

# An attribute cannot hold a bare "<", so each attempt ends at the next one: linear time.
_TAG = re.compile(
    r"<(?P<close>/?)(?P<name>[A-Za-z][^\s<>/]*+)"
    r"(?P<attrs>(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*+)>|<[!?][^<>]*+>"
)
_ATTR = re.compile(r"(?<![\w:-])([\w:-]++)\s*+=\s*+(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_SKIPPED = frozenset({"head", "script", "style", "svg", "math", "template", "rt", "rp"})
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "col", "wbr", "source", "area"})
_INLINE_NAMES = (
    "a abbr acronym b bdi bdo big br cite code data del dfn em font i img ins kbd mark q rb ruby "
    "s samp small span strike strong sub sup time tt u var wbr rt rp"
)
_INLINE = frozenset(_INLINE_NAMES.split())
_ITALIC, _BOLD = frozenset({"em", "i"}), frozenset({"strong", "b"})
_LEVELS = {f"h{level}": level for level in range(1, 7)}


@dataclass(frozen=True, slots=True)
class Token:
    """``kind`` is start, end or text; ``value`` the tag's name or the text."""

    kind: str
    value: str
    attrs: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Paragraph:
    """A block of text: ``level`` 1-6 in a heading, else 0; ``ids`` the anchors that stand
    since the block before; ``linked`` how many of its characters are links."""

    text: str
    level: int
    ids: list[str]
    linked: int


def tokens(markup: str) -> Iterator[Token]:
    """Tags in lower case and text with entities resolved; comments are left out."""
    markup = _plain_sections(markup)
    at = 0
    for found in _TAG.finditer(markup):
        if found.start() > at:
            yield Token("text", unescape(markup[at : found.start()]))
        at = found.end()
        if found["name"] is None:
            continue
        name = found["name"].rpartition(":")[2].lower()
        if found["close"]:
            yield Token("end", name)
            continue
        yield Token("start", name, _attributes(found["attrs"]))
        if found["attrs"].endswith("/") or name in _VOID:
            yield Token("end", name)
    if at < len(markup):
        yield Token("text", unescape(markup[at:]))


def _attributes(raw: str) -> dict[str, str]:
    return {
        found[1].lower(): unescape(found[2] or found[3] or found[4] or "")
        for found in _ATTR.finditer(raw[:4096])
    }


def _plain_sections(markup: str) -> str:
    """Without comments, and with CDATA as escaped text."""
    pieces: list[str] = []
    at = 0
    while (start := markup.find("<!", at)) >= 0:
        pieces.append(markup[at:start])
        mark, close = ("<!--", "-->") if markup.startswith("<!--", start) else ("<![CDATA[", "]]>")
        if not markup.startswith(mark, start):
            pieces.append("<!")
            at = start + 2
            continue
        end = markup.find(close, start + len(mark))
        if end < 0:
            return "".join(pieces) + markup[start:]
        if mark != "<!--":
            section = markup[start + len(mark) : end]
            pieces.append(section.replace("&", "&amp;").replace("<", "&lt;"))
        at = end + len(close)
    return "".join(pieces) + markup[at:]


def paragraphs(markup: str) -> list[Paragraph]:
    """The text of a document block by block, in order, blank blocks left out; emphasis and scene
    breaks as in Markdown."""
    return _Reader().read(markup)


class _Reader:
    def __init__(self) -> None:
        self.done: list[Paragraph] = []
        self.runs: list[Run] = []
        self.italic = self.bold = 0
        self.ids: list[str] = []
        self.level = 0
        self.linked = 0
        self.in_link = False
        self.skipping: list[str] = []

    def read(self, markup: str) -> list[Paragraph]:
        for token in tokens(markup):
            if self.skipping:
                self._skip(token)
            elif token.kind == "text":
                self._text(token.value)
            elif token.kind == "start":
                self._start(token)
            else:
                self._end(token.value)
        self._flush()
        return self.done

    def _skip(self, token: Token) -> None:
        if token.kind == "start" and token.value == self.skipping[-1]:
            self.skipping.append(token.value)
        elif token.kind == "end" and token.value == self.skipping[-1]:
            self.skipping.pop()
        elif token.value == "body":
            self.skipping.clear()  # a head that was never closed

    def _text(self, value: str) -> None:
        self._add(_SPACE.sub(" ", value))
        if self.in_link:
            self.linked += len(value.strip())

    def _add(self, text: str) -> None:
        told = self.level == 0  # a heading is one by itself
        self.runs.append(Run(text, told and self.italic > 0, told and self.bold > 0))

    def _start(self, token: Token) -> None:
        if token.value in _SKIPPED:
            self.skipping.append(token.value)
            return
        if token.value not in _INLINE:
            self._flush()
            self.level = _LEVELS.get(token.value, 0 if token.value == "p" else self.level)
        self.ids += [token.attrs[name] for name in ("id", "name") if name in token.attrs]
        if token.value == "br":
            self._add("\n")
        elif token.value == "hr":
            self.done.append(Paragraph(BREAK, 0, [], 0))
        elif token.value in _ITALIC:
            self.italic += 1
        elif token.value in _BOLD:
            self.bold += 1
        elif token.value == "a" and "href" in token.attrs:
            self.in_link = True

    def _end(self, name: str) -> None:
        if name == "a":
            self.in_link = False
        elif name in _ITALIC:
            self.italic = max(0, self.italic - 1)
        elif name in _BOLD:
            self.bold = max(0, self.bold - 1)
        elif name not in _INLINE:
            self._flush()
            if name in _LEVELS:
                self.level = 0

    def _flush(self) -> None:
        rows = (_SPACE.sub(" ", row).strip(" ") for row in markdown(self.runs).split("\n"))
        text = "\n".join(row for row in rows if row.strip())
        if text:
            self.done.append(Paragraph(text, self.level, self.ids, self.linked))
            self.ids = []
        self.runs, self.linked = [], 0
        self.italic = self.bold = 0  # what is never closed ends with its block
