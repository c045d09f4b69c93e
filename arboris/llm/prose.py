"""Prose out of what models write around it: thoughts, talk, code fences, a repeated title.

A stream is cleaned as it arrives, wherever its pieces are cut. Precision goes first: what may be
the novel's own text stays, and a text with nothing around it comes out to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from arboris.llm.prose_frame import Frame

_TAG = re.compile(
    r"[<◁](?P<end>/?)(?:think|thinking|thought|thoughts|reasoning)\s?[>▷]", re.IGNORECASE
)
_LONGEST_TAG = len("</reasoning >")
_QUOTES = "`'\"‘“「『《（("
_SENTENCE_ENDS = ".!?…。！？”’」』）)—"


class Prose:
    """``feed`` each piece, then ``finish`` once; each returns text that is certain by then.

    ``title`` is the chapter's. ``restarts`` counts how often everything before has turned out to
    be thoughts, by an end tag whose start the endpoint withheld: what was returned up to then is
    to be thrown away.
    """

    def __init__(self, title: str = "") -> None:
        self._title = title
        self._thoughts = _Thoughts()
        self._frame = Frame(title)
        self.restarts = 0

    def feed(self, piece: str) -> str:
        return self._framed(self._thoughts.feed(piece))

    def finish(self, *, broken: bool = False) -> str:
        """``broken``: the answer was cut off, and thoughts that were open then are left out."""
        return self._framed(self._thoughts.finish(broken=broken)) + self._frame.finish()

    def _framed(self, parts: Iterator[str | None]) -> str:
        out = ""
        for part in parts:
            if part is None:
                self.restarts += 1
                self._frame = Frame(self._title)
                out = ""
            else:
                self._frame.removed |= self._thoughts.removed
                out += self._frame.feed(part)
        return out


class _Thoughts:
    """Yields the text without its blocks of thoughts, and None for: all before were thoughts."""

    def __init__(self) -> None:
        self.removed = False
        self._raw = ""  # not looked through yet
        self._block = ""  # the thoughts that are open, with their tag
        self._literal = 0  # tags of the novel's own that are still open
        self._begun = False  # whether there was any text
        self._last = ""  # its last character
        self._gap: str | None = None  # the white space behind a block, until text follows

    def feed(self, piece: str) -> Iterator[str | None]:
        self._raw += piece
        while tag := _TAG.search(self._raw):
            before, self._raw = self._raw[: tag.start()], self._raw[tag.end() :]
            if self._block:
                self._block += before + tag.group()
                if tag["end"]:
                    self._block, self._gap, self.removed = "", "", True
                continue
            yield from self._text(before)
            if self._is_literal(tag):
                yield from self._text(tag.group())
            elif tag["end"]:
                yield None
                self._begun, self._last, self._gap, self.removed = False, "", "", True
            else:
                self._block = tag.group()
        end = _possible_tag(self._raw)
        text, self._raw = self._raw[:end], self._raw[end:]
        if self._block:
            self._block += text
        else:
            yield from self._text(text)

    def finish(self, *, broken: bool) -> Iterator[str]:
        """The rest. A block that began in the middle of a whole answer and never ended is text:
        it may hold the rest of the chapter."""
        rest, self._raw = self._raw, ""
        if not self._block:
            yield from self._text(rest)
        elif self._begun and not broken:
            yield from self._text(self._block + rest)

    def _is_literal(self, tag: re.Match[str]) -> bool:
        """Whether the novel itself has this tag: in quotes, or in the middle of a sentence."""
        if tag["end"]:
            if self._literal:
                self._literal -= 1
                return True
            return self._last != "" and self._last in _QUOTES
        if not self._last or self._last.isspace() or self._last in _SENTENCE_ENDS:
            return False
        self._literal += 1
        return True

    def _text(self, text: str) -> Iterator[str]:
        if self._gap is not None:
            self._gap += text
            text = self._gap.lstrip()
            if not text:
                return
            # Of the space round a block one line break is left, and the line's indentation.
            _, broken, indentation = self._gap[: -len(text)].rpartition("\n")
            text = ("\n" if broken and self._last not in ("", "\n") else "") + indentation + text
            self._gap = None
        if text:
            self._begun = self._begun or bool(text.strip())
            self._last = text[-1]
            yield text


def _possible_tag(text: str) -> int:
    """Where at the end of ``text`` a tag may have begun; its length if nowhere."""
    start = max(text.rfind("<"), text.rfind("◁"))
    return start if start >= 0 and len(text) - start < _LONGEST_TAG else len(text)
