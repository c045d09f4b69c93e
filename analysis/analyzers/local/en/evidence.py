"""What an English chapter shows of who is who: who answers to which name, who is named beside whom,
which pronoun follows a name."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ..common.known import Lexicon
from ..common.spans import said
from . import words as w

NARRATOR = "I"  # no name: whoever tells the story
_ALIKE = 4  # so many pronouns of one sex to one of the other
_SOON = 200  # letters between what is said and the answer
_NEAR = 90  # letters behind a name within which a pronoun may stand for it
_PRONOUN = re.compile(r"\b(?:(he|himself)|(she|herself))\b|[\"“”;.!?\n]", re.IGNORECASE)
_WORD_BEFORE = re.compile(r"([A-Za-z]+)[ ,]{1,2}(?:the |old |young |poor )?$")
_WORD_AFTER = re.compile(r" ([a-z]+)")
_I_SAID = re.compile(r"\W{0,3}\b(?:I (\w+)|(\w+) I)\b")
_ADDRESSED = re.compile(
    r"(?:^|[\"“,!?.—-] ?|\b(?:dear|dearest|poor|old|my|oh|O|yes|no|well) )$", re.IGNORECASE
)
_OWN_NAME = re.compile(
    r"\b(?:I am|I’m|I'm|(?:[Mm]y|the) (?:\w+ )?name(?:’s|'s| is| was)|[Cc]all me|know me as)"
    r"(?: only| just)? $"
)
_SAID_TO = re.compile(r"\W{0,3}[^.!?\n“”\"]{0,50}?(?P<to>\bto )(?=[A-Z])")
_SAID_TO_BEFORE = re.compile(
    r"(?:said|spoke|turned|turning|remarked|whispered|called)(?P<to> to )(?=[A-Z])"
    r"[^.!?\n“”\"]{0,50}$"
)
# Between two names of one person: "Mrs. Lorne, who had been Augusta Penhallow".
_SAID_TO_BE = re.compile(
    r",? ?(?:alias|otherwise(?: called| known as)?|(?:better |also |once |formerly |now )?known as"
    r"|nicknamed|formerly|born|née|whose (?:real |true |full |own |maiden )?name (?:was|is)"
    r"|who (?:was|had been|used to be)(?: once| formerly)?(?: called| known as| named)?"
    r"|(?:was|is)(?: always| only| also)? (?:called|nicknamed|known as)|became"
    r"|that is(?: to say)?,|as (?:he|she) was called,) (?:the )?"
)


@dataclass(frozen=True, slots=True)
class _Quote:
    start: int
    end: int
    paragraph: int


class Evidence:
    """Of pairs of forms, by count; ``apart`` speaks against one person, ``same`` for one."""

    def __init__(self, text: str, forms: Iterable[str]) -> None:
        self.same: Counter[tuple[str, str]] = Counter()
        self.apart: Counter[tuple[str, str]] = Counter()
        self.said: set[tuple[str, str]] = set()  # the text says that both are one
        self.narrator: Counter[str] = Counter()  # names to which the narrator answers
        self.speaks: Counter[str] = Counter()
        self.told_of: Counter[str] = Counter()  # mentions outside of what people say
        self._he: Counter[str] = Counter()
        self._she: Counter[str] = Counter()
        self._text = text
        spans = Lexicon(forms, whole_words=True).scan(text)
        self._mentions = [(a, b, text[a:b]) for a, b in spans]
        self._starts = [a for a, _, _ in self._mentions]
        self._breaks = [found.start() for found in re.finditer(r"\n", text)]
        self._quotes = [
            _Quote(a, b, bisect_right(self._breaks, a)) for a, b in said(text, 0, len(text))
        ]
        self._quote_starts = [quote.start for quote in self._quotes]
        self._read_narration()
        self._read_talk()

    def sex(self, form: str) -> str:
        """By the pronouns that follow the name: "m", "f", or "" where they do not tell."""
        he, she = self._he[form], self._she[form]
        if he >= 2 and he >= _ALIKE * she:
            return "m"
        return "f" if she >= 2 and she >= _ALIKE * he else ""

    def against(self, forms: Iterable[str], form: str) -> int:
        return sum(self.apart[pair(form, other)] for other in forms)

    def favour(self, forms: Iterable[str], form: str) -> int:
        return sum(self.same[pair(form, other)] for other in forms)

    def told(self, forms: Iterable[str], form: str) -> bool:
        """Whether the text says that the form and one of the others name one person."""
        return any(pair(form, other) in self.said for other in forms)

    # -- narration ----------------------------------------------------------------------

    def _quote_at(self, at: int) -> int:
        """The number of the quote around ``at``, or -1."""
        number = bisect_right(self._quote_starts, at) - 1
        return number if number >= 0 and at < self._quotes[number].end else -1

    def _read_narration(self) -> None:
        text, before = self._text, (0, 0, "")
        last = len(self._mentions) - 1
        for number, (start, end, form) in enumerate(self._mentions):
            limit = self._mentions[number + 1][0] if number < last else len(text)
            self._count_pronoun(form, end, min(limit, end + _NEAR))
            gap = text[before[1] : start] if before[2] and start - before[1] < 200 else "\n"
            if form != before[2] and "\n" not in gap:
                self._read_gap(before[2], gap, form, end)
            before = (start, end, form)

    def _count_pronoun(self, form: str, start: int, stop: int) -> None:
        found = _PRONOUN.search(self._text, start, stop)
        if found is not None:
            self._he[form] += found[1] is not None
            self._she[form] += found[2] is not None

    def _read_gap(self, one: str, gap: str, other: str, end: int) -> None:
        if _SAID_TO_BE.fullmatch(gap) and self._text[end : end + 1] not in "’'":
            self.said.add(pair(one, other))
        elif not any(mark in gap for mark in '.!?“”"'):
            self.apart[pair(one, other)] += 1

    # -- talk ---------------------------------------------------------------------------

    def _read_talk(self) -> None:
        speakers = [self._speaker(quote) for quote in self._quotes]
        self.speaks.update(filter(None, speakers))
        lines = [quote.paragraph for quote in self._quotes]
        for number in range(1, len(speakers)):  # “…,” said X. “…”
            if lines[number] == lines[number - 1]:
                speakers[number] = speakers[number] or speakers[number - 1]
        for number in range(len(speakers) - 2, -1, -1):
            if lines[number] == lines[number + 1]:
                speakers[number] = speakers[number] or speakers[number + 1]
        self._read_addressees(speakers)
        for at, (start, end, form) in enumerate(self._mentions):
            number = self._quote_at(start)
            self.told_of[form] += number < 0
            if number >= 0:
                self._read_call(number, start, end, form, speakers, at)

    def _read_addressees(self, speakers: list[str]) -> None:
        """ "…,” said X to Y": Y answers."""
        for number, quote in enumerate(self._quotes):
            spoken = self._text[quote.end : quote.end + 80]
            before = self._text[max(0, quote.start - 80) : quote.start]
            found = _SAID_TO.match(spoken) or _SAID_TO_BEFORE.search(before)
            if found is None:
                continue
            base = quote.end if found.re is _SAID_TO else max(0, quote.start - 80)
            at = bisect_right(self._starts, base + found.end("to") - 1)
            if at < len(self._mentions) and self._mentions[at][0] == base + found.end("to"):
                form, answer = self._mentions[at][2], self._answer(number, speakers)
                if answer and answer not in (form, speakers[number], NARRATOR):
                    self.same[pair(form, answer)] += 1

    def _read_call(
        self, number: int, start: int, end: int, form: str, speakers: list[str], at: int
    ) -> None:
        """A name within what somebody says: of somebody else, and maybe of who answers."""
        text, speaker = self._text, speakers[number]
        if _OWN_NAME.search(text, max(0, start - 40), start):
            if speaker == NARRATOR:
                self.narrator[form] += 3
            elif speaker and speaker != form:
                self.said.add(pair(speaker, form))
            return
        lead = text[max(0, start - 12) : start]
        called = text[end : end + 1] in tuple(',!?.”"—') and _ADDRESSED.search(lead) is not None
        if speaker and speaker != form:
            self.apart[pair(speaker, form)] += 2
        if speaker == NARRATOR:
            self.narrator[form] -= 2
        if called and not self._in_list(at):
            answer = self._answer(number, speakers)
            if answer == NARRATOR:
                self.narrator[form] += 1
            elif answer and answer not in (form, speaker):
                self.same[pair(form, answer)] += 1

    def _in_list(self, at: int) -> bool:
        """ "Tom, Sam and Joe": names that follow each other call nobody."""
        near = [
            self._text[self._mentions[one][1] : self._mentions[one + 1][0]]
            for one in (at - 1, at)
            if 0 <= one < len(self._mentions) - 1
        ]
        return any(gap in (", ", " and ", ", and ", " or ") for gap in near)

    def _answer(self, number: int, speakers: list[str]) -> str:
        """Who speaks next, in a paragraph of their own, where that is told."""
        line = self._quotes[number].paragraph
        for later in range(number + 1, len(speakers)):
            if self._quotes[later].paragraph > line:
                near = self._quotes[later].start - self._quotes[later - 1].end < _SOON
                return speakers[later] if near else ""
        return ""

    def _speaker(self, quote: _Quote) -> str:
        """Who says it: “…,” said X; “…,” X said; X said, “…”."""
        text = self._text
        line_end = text.find("\n", quote.end)
        stop = min(quote.end + 60, line_end if line_end >= 0 else len(text))
        narrator = _I_SAID.match(text, quote.end, stop)
        if narrator and (narrator[1] or narrator[2]) in w.SPEECH:
            return NARRATOR
        at = bisect_right(self._starts, quote.end - 1)
        if at < len(self._mentions) and self._mentions[at][0] < stop:
            start, end, form = self._mentions[at]
            between = text[quote.end : start].strip(" ,")
            if between.lower().removesuffix(" the").removesuffix(" old") in w.SPEECH:
                return form
            after = _WORD_AFTER.match(text, end)
            if between.lower() in ("", "the", "old") and after and after[1] in w.SPEECH:
                return form
        return self._speaker_before(quote)

    def _speaker_before(self, quote: _Quote) -> str:
        text = self._text
        lead = text[max(0, quote.start - 60) : quote.start].rstrip()
        if not lead.endswith((",", ":")):
            return ""
        clause = re.split(r"[.!?;”\"\n]", lead)[-1]
        words = re.findall(r"[A-Za-z]+", clause)
        if not any(word in w.SPEECH for word in words):
            return ""
        if words[0] == "I" or " I " in clause:
            return NARRATOR
        first = quote.start - len(clause)
        at = bisect_right(self._starts, first - 2)
        inside = [m for m in self._mentions[at : at + 3] if m[1] <= quote.start]
        return inside[0][2] if inside else ""


def pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)
