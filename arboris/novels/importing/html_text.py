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
_SKIPPED = frozenset(
    "head script style svg math template rt rp noscript button select textarea iframe".split()
)
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "col", "wbr", "source", "area"})
_INLINE_NAMES = (
    "a abbr acronym b bdi bdo big br cite code data del dfn em font i img ins kbd mark q rb ruby "
    "s samp small span strike strong sub sup time tt u var wbr rt rp"
)
_INLINE = frozenset(_INLINE_NAMES.split())
_ITALIC, _BOLD = frozenset({"em", "i"}), frozenset({"strong", "b"})
_NOTE_NUMBER = re.compile(
    r"\s*(?:[\[(（〔【]\s*(?:注\s*)?)?(?:\d{1,3}|[*†‡§]{1,3}|[①-⑳]|[a-z])[\])）〕】]?\s*"
)
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")  # raised: 1ᵉʳ, no note unless they lead to one
_POWER = re.compile(r"(?:\d|\b[kcmd]?m)$")  # 10², m³: no note
_NOTE_KINDS = frozenset(
    "footnote footnotes endnote endnotes rearnote rearnotes doc-footnote doc-endnote "
    "doc-endnotes".split()
)
_NOTE_TARGET = re.compile(r"#.*(?:note|foot|fn|ftn|ref|注|\bn\d)", re.IGNORECASE)
ORNAMENTS = re.compile(r"(?:[*＊◇◆☆★※•⁂❦§#~～=_—–-]\s*){3,40}|[*＊◇◆※⁂❦§#]")
_BREAK_CLASS = re.compile(r"scene-?break|section-?break|divider|ornament|asterism|dinkus")
_ITALIC_STYLE = re.compile(r"font-style\s*:\s*(?:italic|oblique)")
_BOLD_STYLE = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)")
_ITALIC_NAMES = _ITALIC | {"italic", "italics", "emphasis"}
_BOLD_NAMES = _BOLD | {"bold"}
_LEVELS = {f"h{level}": level for level in range(1, 7)}
# Classes of paragraphs that are headings in all but their tag.
_HEADING_CLASS = re.compile(
    r"(?:^|\s)(?:chapter|chap|kapitel|chapitre|capitulo)[-_]?(?:title|head|heading|header|name|"
    r"number|num|no)\d?(?:\s|$)",
    re.IGNORECASE,
)
_BY_CLASS = 2  # the level of such a heading


@dataclass(frozen=True, slots=True)
class Token:
    """``kind`` is start, end or text; ``value`` the tag's name or the text."""

    kind: str
    value: str
    attrs: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Paragraph:
    """A block of text: ``level`` 1-6 in a heading, else 0; ``ids`` the anchors that stand
    since the block before; ``linked`` how many of its characters are links; ``note``: marked as a
    footnote; ``refs``: where the note numbers led that were taken out of it."""

    text: str
    level: int
    ids: list[str]
    linked: int
    note: bool = False
    refs: list[str] = field(default_factory=list)


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
    breaks as in Markdown; the numbers of notes left out."""
    blocks = _Reader().read(markup)
    empty = sum(not block.text for block in blocks)
    # Here and there an empty paragraph parts scenes; between all of them it is layout.
    scenes = empty * 4 <= len(blocks) - empty
    told: list[Paragraph] = []
    for block in blocks:
        if not block.text and scenes and told and told[-1].text != BREAK:
            told.append(Paragraph(BREAK, 0, [], 0))
        elif _continues(told, block):
            told[-1].text += block.text
        elif block.text and not (block.text == BREAK and told and told[-1].text == BREAK):
            told.append(block)
    return told


def _continues(told: list[Paragraph], block: Paragraph) -> bool:
    """Whether the block goes on with a word whose first letter, set large, stands in one of its
    own."""
    last = told[-1] if told else None
    return bool(
        last
        and not (last.level or block.level)
        and len(last.text) == 1
        and last.text.isupper()
        and block.text[:1].islower()
    )


class _Reader:
    def __init__(self) -> None:
        self.done: list[Paragraph] = []
        self.runs: list[Run] = []
        self.italic = self.bold = 0
        self.ids: list[str] = []
        self.refs: list[str] = []
        self.level = 0
        self.linked = 0
        self.href: str | None = None  # of the link that is open
        self.is_ref = False  # it says that it leads to a note
        self.raised = ""  # where a link within raised text led
        self.blank_from = -1  # blocks before the paragraph that is open, if it may be blank
        self.marks: dict[str, int] = {}  # the run that an open link or raised text begins with
        self.spans: list[tuple[bool, bool]] = []
        self.notes: list[str] = []  # open elements from the one that holds a note
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
        if self.href is not None:
            self.linked += len(value.strip())

    def _add(self, text: str) -> None:
        told = self.level == 0  # a heading is one by itself
        self.runs.append(Run(text, told and self.italic > 0, told and self.bold > 0))

    def _start(self, token: Token) -> None:
        if token.value in _SKIPPED:
            self.blank_from = -1  # a picture is no blank
            self.skipping.append(token.value)
            return
        if token.value not in _INLINE:
            self._flush()
            self.blank_from = len(self.done) if token.value == "p" else -1
            self.level = self._level_of(token)
            self._open_note(token)
        self.ids += [token.attrs[name] for name in ("id", "name") if name in token.attrs]
        if token.value == "br":
            self._add("\n")
        elif token.value == "hr" or _BREAK_CLASS.search(token.attrs.get("class", "").lower()):
            self.done.append(Paragraph(BREAK, 0, [], 0))
        if token.value in ("a", "sup"):
            self._open_mark(token)
        elif token.value == "img":
            self._picture(token.attrs.get("alt", "").strip())
        elif token.value in _INLINE:
            self._emphasis(token)

    def _level_of(self, token: Token) -> int:
        if token.value in ("p", "div") and _HEADING_CLASS.search(token.attrs.get("class", "")):
            return _BY_CLASS
        return _LEVELS.get(token.value, 0 if token.value == "p" else self.level)

    def _picture(self, label: str) -> None:
        """What stands in a picture: a heading, or the first letter of a paragraph."""
        self.blank_from = -1
        told = any(run.text.strip() for run in self.runs)
        if self.level or (len(label) == 1 and label.isalpha() and not told):
            self._add(label)

    def _emphasis(self, token: Token) -> None:
        style = token.attrs.get("style", "").lower()
        names = set(token.attrs.get("class", "").lower().split())
        italic = token.value in _ITALIC or bool(
            _ITALIC_STYLE.search(style) or names & _ITALIC_NAMES
        )
        bold = token.value in _BOLD or bool(_BOLD_STYLE.search(style) or names & _BOLD_NAMES)
        if token.value == "span":
            self.spans.append((italic, bold))
        self.italic += italic
        self.bold += bold

    def _open_mark(self, token: Token) -> None:
        self.marks[token.value] = len(self.runs)
        self.raised = ""
        if token.value == "a" and "href" in token.attrs:
            self.href = token.attrs["href"]
            kinds = f"{token.attrs.get('epub:type', '')} {token.attrs.get('role', '')}"
            self.is_ref = "noteref" in kinds

    def _close_mark(self, name: str) -> None:
        """Takes the number of a note out of the text: raised, or a link in the midst of it."""
        start = self.marks.pop(name, None)
        href, is_ref = self.href, self.is_ref
        if name == "a":
            self.href, self.is_ref = None, False
        if name == "a" and "sup" in self.marks:
            self.raised = href or ""  # what it is shows at the end of the raised text
            return
        if start is None or start >= len(self.runs):
            return
        before = "".join(run.text for run in self.runs[max(0, start - 3) : start]).rstrip()
        mark = "".join(run.text for run in self.runs[start:])
        if not before or not _NOTE_NUMBER.fullmatch(mark):
            return
        number = mark.strip()
        href = href or (self.raised if name == "sup" else "")
        if name == "sup":
            is_note = "#" in href or not (_POWER.search(before) or number in _LETTERS)
        else:
            told = not (number.isdigit() or number in _LETTERS) or _NOTE_TARGET.search(href)
            is_note = is_ref or ("#" in href and bool(told))
        if is_note:
            del self.runs[start:]
            self.refs += [href] if href else []

    def _open_note(self, token: Token) -> None:
        kinds = f"{token.attrs.get('epub:type', '')} {token.attrs.get('role', '')}".split()
        if self.notes or _NOTE_KINDS.intersection(kinds):
            self.notes.append(token.value)

    def _end(self, name: str) -> None:
        if name in ("a", "sup"):
            self._close_mark(name)
        elif name == "span":
            italic, bold = self.spans.pop() if self.spans else (False, False)
            self.italic = max(0, self.italic - italic)
            self.bold = max(0, self.bold - bold)
        elif name in _ITALIC:
            self.italic = max(0, self.italic - 1)
        elif name in _BOLD:
            self.bold = max(0, self.bold - 1)
        elif name not in _INLINE:
            self._flush()
            if name == "p" and self.blank_from == len(self.done):
                self.done.append(Paragraph("", 0, [], 0))
            self.blank_from = -1
            if name in _LEVELS or self.level == _BY_CLASS:
                self.level = 0
            while self.notes and self.notes.pop() != name:
                pass

    def _flush(self) -> None:
        rows = (_SPACE.sub(" ", row).strip(" ") for row in markdown(self.runs).split("\n"))
        text = "\n".join(row for row in rows if row.strip())
        if text:
            if self.level == 0 and ORNAMENTS.fullmatch(text):
                text = BREAK
            note = bool(self.notes)
            self.done.append(Paragraph(text, self.level, self.ids, self.linked, note, self.refs))
            self.ids = []
        self.runs, self.linked, self.refs = [], 0, []
        self.italic = self.bold = 0  # what is never closed ends with its block
        self.marks, self.spans = {}, []
