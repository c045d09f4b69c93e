"""The text of a chapter out of what a model writes around it: thoughts, talk, a fence, a title.

A stream is cleaned as it arrives, wherever its pieces are cut. Precision goes first: what may be
the novel's own text stays, and a text with nothing around it comes out to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from arboris.llm.thoughts import Thoughts
from arboris.novels.importing.headings import match_heading

_LONGEST_LINE = 160  # of talk or a title
_LONGEST_AFTERWORD = 320
_MARKS = "#*_~=《》【】 \t\u3000"

_FENCE = re.compile(r"[ \t]*`{3,}[ \t]*(?:text|txt|markdown|md|plaintext|plain)?[ \t]*")
_FENCE_END = re.compile(r"\n[ \t]*`{3,}[ \t]*(?=\n)")
_POSSIBLE_FENCE_END = re.compile(r"\n[ \t]*`*[ \t]*\Z")
_RULE = re.compile(r"[ \t]*(?:-{3,}|\*{3,}|_{3,}|={3,}|—{2,})[ \t]*")

_NUMERAL = r"[\d〇零一二两三四五六七八九十百千]"
_ORDINAL = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    r"|sixteen|seventeen|eighteen|nineteen|(?:twenty|thirty|forty|fifty)(?:-\w+)?|\d+|[ivxlc]+)\b"
)
_HEADING_BEGUN = re.compile(rf"第\s*{_NUMERAL}*\s*")

_ZH_YES = r"(?:(?:好的?|好嘞|当然(?:可以)?|没问题|明白了?|收到|了解|可以|遵命)[，,。.！!、~\s]*)"
_ZH_CHAPTER = rf"(?:(?:本|这一|下一|新一?)章(?:节)?|第\s*{_NUMERAL}+\s*章|章节|小说)"
_ZH_TEXT = r"(?:正文|全文|内容|文本|续写|初稿)"
_ZH_HERE = (
    r"(?:以下|下面|接下来|这里)(?:便|就)?(?:是|为)[^：:。！？“”「」\n]{0,40}?"
    rf"(?:{_ZH_CHAPTER}(?:\s*[《【][^》】\n]{{1,40}}[》】])?(?:\s*的?{_ZH_TEXT})?|{_ZH_TEXT})"
)
_EN_YES = (
    r"(?:(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|alright|understood|got it|great"
    r"|gladly)\b[,.!:;—–\s-]*)"
)
_EN_HERE = (
    r"(?:here(?:['’]s| is)|below is|the following is|this is)"
    r"(?:\s+(?!of\b|that\b|who\b|which\b|to\b)[\w'’-]+){0,5}?\s+"
)
_EN_CHAPTER = rf"chapter(?:\s+{_ORDINAL})?"
_EN_TAIL = (
    r"(?:\s+(?:text|draft|for you|you (?:asked for|requested|wanted)|as (?:requested|you asked)"
    r"|(?:of|for) (?:the|your) (?:novel|story|book)|below))*"
)
# A line that says no more than: here it comes.
_ANNOUNCEMENT = re.compile(
    rf"{_ZH_YES}+{_ZH_HERE}\s*[：:。.！!~]*|{_ZH_HERE}\s*[：:]|以下是{_ZH_CHAPTER}的?正文[。.]?"
    rf"|{_EN_YES}+{_EN_HERE}(?:{_EN_CHAPTER}|text|story|scene|draft|continuation){_EN_TAIL}"
    rf"\s*[:.!…]*|{_EN_HERE}{_EN_CHAPTER}{_EN_TAIL}\s*:",
    re.IGNORECASE,
)
# The same before text on the same line: with a word of assent and a colon alone.
_ANNOUNCEMENT_BEFORE = re.compile(
    rf"\s*(?:{_ZH_YES}+{_ZH_HERE}\s*[：:]|{_EN_YES}+{_EN_HERE}{_EN_CHAPTER}{_EN_TAIL}\s*:)"
    r"[ \t]*(?=\S)",
    re.IGNORECASE,
)
_ASSENT = re.compile(rf"{_ZH_YES}+|{_EN_YES}+", re.IGNORECASE)
_PROMISE = re.compile(
    rf"{_ZH_YES}+我(?:会|将|来|这就|马上|按|根据)[^“”「」\n]{{0,60}}(?:写|创作)[^“”「」\n]{{0,40}}"
    rf"|{_EN_YES}+(?:i['’]ll|i will|i['’]ve|i have|let me)\b[^\"“”\n]{{0,60}}"
    r"\b(?:write|written|continue|chapter)\b[^\"“”\n]{0,60}",
    re.IGNORECASE,
)
_AFTERWORD = re.compile(
    r"\s*(?:[-*_]{3,}\s*)?(?:希望|以上|如果|如需|若需|需要我|请告诉|i hope\b|hope\b|let me know\b"
    r"|feel free\b|would you\b|if you\b|this chapter\b)[^\n]*\s*",
    re.IGNORECASE,
)
_TALK_BEGINS = (
    "好的", "好，", "好,", "好嘞", "当然", "没问题", "明白", "收到", "了解", "可以", "遵命", "以下",
    "下面", "接下来", "这里", "sure", "certainly", "of course", "absolutely", "okay", "ok",
    "alright", "understood", "got it", "great", "gladly", "here's", "here’s", "here is", "below is",
    "the following is", "this is", "chapter ", "```", "---", "——",
)  # fmt: skip


class Prose:
    """Clean one chapter: ``feed`` each piece, then ``finish`` once.

    Each returns the text that is certain by then.

    ``title`` is the chapter's. ``restarts`` counts how often everything before has turned out to
    be thoughts, by an end tag whose start the endpoint withheld: what was returned up to then is
    to be thrown away. ``in_fence``: it goes on with a text whose fence has no end yet.
    """

    def __init__(self, title: str = "", *, in_fence: bool = False) -> None:
        self._title = title
        self._in_fence = in_fence
        self._thoughts = Thoughts()
        self._frame = _Frame(title, in_fence=in_fence)
        self.restarts = 0

    @property
    def in_fence(self) -> bool:
        return self._frame.in_fence

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
                self._frame = _Frame(self._title, in_fence=self._in_fence)
                out = ""
            else:
                self._frame.removed |= self._thoughts.removed
                out += self._frame.feed(part)
        return out


class _Line(Enum):
    BLANK = "blank"
    FENCE = "the start of a code fence"
    RULE = "a horizontal rule"
    ANNOUNCEMENT = "here it comes"
    TITLE = "the chapter's"
    ASSENT = "a word of assent: talk only where more talk, a fence or a title follows"
    PROMISE = "what the model will do: talk only where a rule follows, or as an assent"
    TEXT = "the novel's own"


class _Frame:
    """``feed`` each piece, then ``finish`` once; each returns the text that is certain by then.

    ``removed``: something before the text was taken away, so that the blank lines go too.
    """

    def __init__(self, title: str = "", *, in_fence: bool = False) -> None:
        self.removed = False
        self._goes_on_in_fence = in_fence
        self._title = _plain(title)
        self._held = ""  # from the start of a line that is not judged yet
        self._undecided = ""  # the lines before it, which are text unless more talk follows
        self._promised = False
        self._begun = False
        self._fence: _Fence | None = None

    @property
    def in_fence(self) -> bool:
        return self._fence is not None and not self._fence.closed

    def feed(self, text: str) -> str:
        if not self._begun:
            text = self._head(text, last=False)
        return self._fence.feed(text) if self._fence and self._begun else text

    def finish(self) -> str:
        rest = "" if self._begun else self._head("", last=True)
        return self._fence.feed(rest) + self._fence.finish() if self._fence else rest

    def _head(self, text: str, *, last: bool) -> str:
        """Take away lines until the text begins, and return it from there."""
        self._held += text
        while self._held:
            line, newline, rest = self._held.partition("\n")
            if announced := _ANNOUNCEMENT_BEFORE.match(line[:_LONGEST_LINE]):
                self._drop(line[announced.end() :] + newline + rest)
                continue
            whole = last or newline
            if not whole and self._may_be_talk(line):
                return ""
            kind = self._kind(line) if whole else _Line.TEXT
            if kind is _Line.TEXT:
                return self._begin()
            if kind in (_Line.BLANK, _Line.ASSENT, _Line.PROMISE):
                self._promised |= kind is _Line.PROMISE
                self._undecided += line + newline
                self._held = rest
            else:
                if kind is _Line.FENCE:
                    self._fence = _Fence()
                self._drop(rest)
        return self._begin() if last else ""

    def _drop(self, rest: str) -> None:
        self._held, self._undecided, self.removed = rest, "", True

    def _begin(self) -> str:
        self._begun = True
        if self._goes_on_in_fence and self._fence is None:
            self._fence = _Fence()
        before = self._undecided
        if self.removed and not before.strip():
            before = ""
        return before + self._held

    def _kind(self, line: str) -> _Line:
        said = line.strip()
        if not said:
            return _Line.BLANK
        if len(line) > _LONGEST_LINE:
            return _Line.TEXT
        if _FENCE.fullmatch(line):
            return _Line.TEXT if self._fence else _Line.FENCE
        if _RULE.fullmatch(line):
            return _Line.RULE if self.removed or self._promised else _Line.TEXT
        bare = line.strip(_MARKS)
        for kind, pattern in (
            (_Line.ANNOUNCEMENT, _ANNOUNCEMENT),
            (_Line.ASSENT, _ASSENT),
            (_Line.PROMISE, _PROMISE),
        ):
            if pattern.fullmatch(bare):
                return kind
        return _Line.TITLE if _is_heading(line) or _plain(line) == self._title else _Line.TEXT

    def _may_be_talk(self, line: str) -> bool:
        """Whether what has arrived of a line may grow to one that is no text."""
        if len(line) > _LONGEST_LINE:
            return False
        bare = line.strip().lstrip(_MARKS).casefold()
        if any(bare.startswith(begin) or begin.startswith(bare) for begin in _TALK_BEGINS):
            return True
        if _HEADING_BEGUN.fullmatch(bare) or _is_heading(line):
            return True
        return self._title.startswith(_plain(line))


class _Fence:
    """The text within a fence whose start was taken away, and what follows its end."""

    def __init__(self) -> None:
        self._held = "\n"  # the fence may end at once
        self._at_start = True
        self.closed = False
        self._open_again = False

    def feed(self, text: str) -> str:
        if self._open_again:
            return text
        self._held += text
        out = "" if self.closed else self._inside()
        if self.closed and len(self._held) > _LONGEST_AFTERWORD:
            self._open_again = True  # the chapter goes on behind what was set apart
            out += self._held
        return out

    def finish(self) -> str:
        if self._open_again:
            return ""
        out = ""
        if not self.closed:
            self._held += "\n"  # as if the last line were whole
            out = self._inside()
            self._held = self._held[:-1]
        if self.closed and (not self._held.strip() or _AFTERWORD.fullmatch(self._held)):
            return out
        return out + self._trimmed(self._held)

    def _inside(self) -> str:
        if end := _FENCE_END.search(self._held):
            self.closed = True
            out, self._held = self._held[: end.start()], self._held[end.end() :]
        else:
            possible = _POSSIBLE_FENCE_END.search(self._held)
            cut = possible.start() if possible else len(self._held)
            out, self._held = self._held[:cut], self._held[cut:]
        return self._trimmed(out)

    def _trimmed(self, out: str) -> str:
        """Without the line break that ``_held`` began with."""
        if out and self._at_start:
            self._at_start = False
            return out.removeprefix("\n")
        return out


def _is_heading(line: str) -> bool:
    match = match_heading(line, alone=False)
    return match is not None and match.kind == "chapter"


def _plain(line: str) -> str:
    return re.sub(r"[\s:：·—–-]+", "", line.strip(_MARKS)).casefold()
