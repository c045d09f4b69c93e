"""The thoughts of reasoning models, taken out of their answers: ``<think>…</think>``.

A stream is cleaned as it arrives, wherever its pieces are cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_NAMES = (
    "think", "thinking", "thought", "thoughts", "reasoning", "reasoning_content", "reflection",
    "scratchpad", "analysis", "seed:think", "inner_monologue", "思考", "推理",
)  # fmt: skip
_TAG = re.compile(rf"[<◁](?P<end>/?)(?:{'|'.join(_NAMES)})\s?[>▷]", re.IGNORECASE)
# Signs of chat templates that reach the answer: <|im_end|>, <｜end▁of▁sentence｜>.
_SIGN = re.compile(rf"{_TAG.pattern}|<[|｜](?P<sign>[A-Za-z_▁:/ -]{{2,24}})[|｜]>", re.IGNORECASE)
_LONGEST_TAG, _LONGEST_HEADER = 30, 60
_LAST_SIGN = re.compile(r"\s*</?s>\s*\Z")
# What stands between <|channel|> and <|message|> says what follows: thoughts, or the answer.
_OF_MESSAGE = "<|message|>"
# In what is to be JSON, any tag around what comes before is about thoughts, but for these.
_ANSWER_TAGS = {"answer", "output", "json", "result", "response", "final", "final_answer", "回答"}
_ANY_TAG = re.compile(r"<(?P<name>[^\W\d][\w:.-]{0,30})[^<>{}\[\]]{0,80}>")
_MOST_BLOCKS = 20
_BRACKET = re.compile(r"[{\[]")
_JSON_BEGINS = re.compile(r'[{\[]\s{0,20}"')
_LONE_END = re.compile(r"</[^\W\d][\w:.-]{0,30}\s?>\s{0,20}(?=(?:```\w{0,12}\s{0,9})?[{\[])")
# Other signs behind which the answer stands, the last of each.
_END_SIGNS = ("[/THINK]", "<|end_of_thought|>")
_FINAL, _MESSAGE = "<|channel|>final", "<|message|>"
_QUOTES = "`'\"‘“「『《（("
_SENTENCE_ENDS = ".!?…。！？”’」』）)—"


def without_thoughts(answer: str) -> str:
    """Return a whole answer that is to be JSON without its thoughts and the space around it."""
    text = answer
    for sign in _END_SIGNS:
        text = text.rpartition(sign)[2]
    if (final := text.rfind(_FINAL)) >= 0:
        text = text[final:].partition(_MESSAGE)[2]
    text = text.strip()
    if text.startswith(("{", "[", "```")):
        return text  # whatever tags it holds are in its strings
    kept: list[str] = []
    thoughts = Thoughts(in_prose=False)
    for parts in (thoughts.feed(text), thoughts.finish(broken=True)):
        for part in parts:
            if part is None:
                kept.clear()
            else:
                kept.append(part)
    return _without_tagged("".join(kept)).strip()


def _without_tagged(text: str) -> str:
    """Without what stands in tags of any other name before the answer, if an answer is left."""
    for _ in range(_MOST_BLOCKS):
        tag, begins = _ANY_TAG.search(text), _BRACKET.search(text)
        if not tag or not begins or begins.start() < tag.start():
            break
        end = text.find(">", text.find(f"</{tag['name']}", tag.end()))
        is_answer = tag["name"].casefold() in _ANSWER_TAGS
        if is_answer or end < tag.end() or not _BRACKET.search(text, end):
            break
        text = text[: tag.start()] + text[end + 1 :]
    begins = _JSON_BEGINS.search(text)
    last = begins.start() if begins else len(text)
    ends = [end.end() for end in _LONE_END.finditer(text) if end.start() < last]
    return text[ends[-1] :] if ends else text


class Thoughts:
    """Yield the text without its blocks of thoughts, and None for: all before was thoughts.

    ``feed`` each piece, then ``finish`` once. The endpoint may withhold the start tag; a tag in
    quotes or, ``in_prose``, in the middle of a sentence is text.
    """

    def __init__(self, *, in_prose: bool = True) -> None:
        self._in_prose = in_prose
        self.removed = False
        self._raw = ""  # not looked through yet
        self._block = ""  # the thoughts that are open, with their tag
        self._header: str | None = None  # between the signs of a template
        self._literal = 0  # tags of the novel's own that are still open
        self._begun = False  # whether there was any text
        self._last = ""  # its last character
        self._gap: str | None = None  # the white space behind a block, until text follows

    def feed(self, piece: str) -> Iterator[str | None]:
        self._raw += piece
        while tag := _SIGN.search(self._raw):
            before, self._raw = self._raw[: tag.start()], self._raw[tag.end() :]
            if tag["sign"]:
                yield from self._of_template(before, tag["sign"].casefold())
            elif self._block:
                self._block += before + tag.group()
                if tag["end"]:
                    self._block, self._gap, self.removed = "", "", True
            else:
                yield from self._tagged(before, tag)
        end = _possible_tag(self._raw)
        text, self._raw = self._raw[:end], self._raw[end:]
        yield from self._plain(text)

    def _tagged(self, before: str, tag: re.Match[str]) -> Iterator[str | None]:
        yield from self._plain(before)
        if self._is_literal(tag):
            yield from self._text(tag.group())
        elif tag["end"]:
            self._all_were_thoughts()
            yield None
        else:
            self._block = tag.group()

    def _all_were_thoughts(self) -> None:
        self._begun, self._last, self._gap, self.removed = False, "", "", True

    def _of_template(self, before: str, sign: str) -> Iterator[str | None]:
        """A sign that no novel has: it goes, and a header that it ends or begins."""
        yield from self._plain(before)
        header, self._header = self._header, None
        if sign in ("start", "channel"):
            self._header = ""
        if sign == "message" and header and "final" in header:
            self._all_were_thoughts()
            yield None
        elif sign == "message" and header and not self._block:
            self._block = _OF_MESSAGE
        elif not self._block or self._block.startswith(_OF_MESSAGE):
            self._block = ""
            self._gap = self._gap or ""
        self.removed = True

    def _plain(self, text: str) -> Iterator[str]:
        """What is no tag: of open thoughts, of a header, else text."""
        if self._block:
            self._block += text
        elif self._header is not None and len(self._header + text) <= _LONGEST_HEADER:
            self._header += text
        else:
            text, self._header = (self._header or "") + text, None
            yield from self._text(text)

    def finish(self, *, broken: bool) -> Iterator[str]:
        """Yield the rest. ``broken``: the answer was cut off, and an open block is left out.

        In a whole answer a block that began in the middle and never ended is text: it may hold
        the rest of the chapter.
        """
        rest, self._raw = _LAST_SIGN.sub("", self._raw), ""
        if not self._block:
            yield from self._plain(rest)
        elif self._begun and not broken:
            yield from self._text(self._block + rest)

    def _is_literal(self, tag: re.Match[str]) -> bool:
        """Whether the novel itself has this tag: in quotes, or in the middle of a sentence."""
        quoted = self._last != "" and self._last in _QUOTES
        if tag["end"]:
            if self._literal:
                self._literal -= 1
                return True
            return quoted
        if not self._last or self._last.isspace() or self._last in _SENTENCE_ENDS:
            return False
        if not quoted and not self._in_prose:
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
