"""A chapter's Markdown as blocks: every line a paragraph, as on the page; emphasis as spans."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

from arboris.novels.manuscript.types import Block, Span

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.*?)(?:[ \t]+#+)?[ \t]*")
_ORNAMENT = "*_＊※◇◆☆★○●□■•—-"  # as in static/js/prose.js
_BREAK = re.compile(rf"[ \t\u3000]*(?:([{_ORNAMENT}])(?:[ \t\u3000]*\1){{2,}}|[⁂#])[ \t\u3000]*")
_MARKED = re.compile(r"[*_\\]")
_MAY_BE_MARKED = re.compile(rf"[\\#⁂{_ORNAMENT}]")


def blocks(text: str) -> Iterator[Block]:
    """Blank lines are left out, and so is the white space around a line: each format indents
    by its own means."""
    for line in text.split("\n"):
        bare = line.strip()
        if not bare:
            continue
        if _BREAK.fullmatch(line):
            yield Block("break")
        elif found := _HEADING.fullmatch(line):
            yield Block("heading", spans(found[2]), len(found[1]))
        else:
            yield Block("paragraph", spans(bare))


def unmarked(text: str) -> str:
    """The paragraphs alone, without marks and on lines of their own; a text without marks as it is.

    So is one that has nothing else: its headings say more than nothing.
    """
    if not _MAY_BE_MARKED.search(text):
        return text
    lines = [_unmarked(line) for line in text.split("\n")]
    return "\n".join(lines) if any(lines) else text


def _unmarked(line: str) -> str:
    return "".join(block.text for block in blocks(line) if block.kind == "paragraph")


def spans(line: str) -> tuple[Span, ...]:
    if not _MARKED.search(line):
        return (Span(line),)
    (inline,) = _INLINE.parseInline(line)
    found: list[Span] = []
    italic = bold = 0
    for token in inline.children or []:
        if token.type in ("em_open", "em_close"):
            italic += token.nesting
        elif token.type in ("strong_open", "strong_close"):
            bold += token.nesting
        elif token.content:
            found.append(Span(token.content, italic > 0, bold > 0))
    return tuple(found)


def _emphasis(state: StateInline, silent: bool) -> bool:
    """CommonMark's rule, but for Chinese, which puts no spaces around words: in 说**“走”**就走 it
    would leave the asterisks. Next to a wide character a ``*`` opens and closes wherever no
    space stands inside of it.
    """
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    run = state.scanDelims(state.pos, marker == "*")
    before = state.src[state.pos - 1] if state.pos else " "
    end = state.pos + run.length
    after = state.src[end] if end < len(state.src) else " "
    wide = marker == "*" and (_is_wide(before) or _is_wide(after))
    opens = run.can_open or (wide and not after.isspace())
    closes = run.can_close or (wide and not before.isspace())
    for _each in range(run.length):
        token = state.push("text", "", 0)
        token.content = marker
        state.delimiters.append(
            Delimiter(ord(marker), run.length, len(state.tokens) - 1, -1, opens, closes)
        )
    state.pos = end
    return True


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF" or char in "“”‘’…—"


def _inline() -> MarkdownIt:
    """Emphasis and escapes alone: what else Markdown knows stands for itself in a novel."""
    reader = MarkdownIt("zero").enable(["emphasis", "escape"])
    reader.inline.ruler.at("emphasis", _emphasis)
    return reader


_INLINE = _inline()
