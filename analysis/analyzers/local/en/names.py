"""Who and what an English chapter names: capitals, cue words and, where installed, spaCy."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise

from . import words as w
from .tokens import Word

_LINKS = frozenset({"of", "de", "du", "von", "van", "la", "le", "della", "di", "d'"})
_RANKS = w.TITLES - w.EPITHETS
_OF_HEADS = w.PLACE_OF | w.FACTION_HEADS | w.PLACE_HEADS | w.TITLES
_QUOTES = ("“", "”", '"')
_JOINTS = (" ", "’s ", "'s ", "’ ", "' ")
_PARTICLES = _LINKS - {"of"}
# Of adverbs and adjectives that open a sentence: "Evidently Biddy", "Dearest Margaret".
_NO_NAME_ENDINGS = ("ly", "est", "upon", "ing", "ious", "ful", "less", "ward", "wards", "while")


_CALLED = re.compile(
    r"\b(?:call|calls|called|nicknamed|christened|dubbed) (?:him|her) (?:the |Old "
    r"|Young )?(?P<n>[A-Z][a-z]{2,})\b(?! [A-Z])"
    r"|\b(?:knew|know|known|spoke of|referred to) (?:(?:him|her|everywhere|simply"
    r"|only) )?as (?:the )?(?P<k>[A-Z][a-z]{2,})\b(?! [A-Z])"
)


@dataclass(slots=True)
class Run:
    """Capitalised words in a row: one use of a possible name."""

    words: list[Word]
    form: str  # as it stands in the text
    before: Word | None  # the word right before, "the" left out
    earlier: Word | None  # and the one before that
    after: Word | None
    adjacent: bool  # nothing but a space between ``words`` and ``after``
    quoted_call: bool  # ", X!" and the like
    spoken: bool  # right at a quotation's start or end
    the: bool
    initial: bool


@dataclass(slots=True)
class Votes:
    uses: int = 0
    firm: int = 0  # uses whose capital is not the sentence's
    person: float = 0.0
    place: float = 0.0
    there: int = 0  # uses behind a preposition of place, or "reached"
    speaks: int = 0  # uses as the subject of a verb of speech
    acts: int = 0  # uses that only somebody can have: who speaks, is called, is related
    faction: float = 0.0
    the: int = 0


class EnCandidates:
    def __init__(self, text: str, lines: list[list[Word]]) -> None:
        self.text = text
        self.lower: Counter[str] = Counter()
        self.capital: Counter[str] = Counter()  # firm capitals, by lower-case word
        self.any_capital: Counter[str] = Counter()
        for line in lines:
            for word in line:
                self.any_capital[word.lower] += word.capital
                if not word.capital:
                    self.lower[word.lower] += 1
                elif not word.initial:
                    self.capital[word.lower] += 1
        self.votes: dict[str, Votes] = defaultdict(Votes)
        self.called: list[tuple[int, str]] = []  # where somebody is given a name, and the name
        self._pairs: list[tuple[str, str]] = []  # forms that stand in one list
        for line in lines:
            before: Run | None = None
            for run in self._runs(line):
                self._vote(run)
                if before is not None:
                    gap = text[before.words[-1].end : run.words[0].start]
                    if gap == " of " and before.words[0].lower in w.TITLES:
                        self.votes[run.form].place += 2  # "Queen Maud of Harwick"
                    if gap in (", ", " and ", ", and ", " or ", " & "):
                        self._pairs.append((before.form, run.form))
                before = run
        self._count_called(text)
        self._share()

    # -- runs ---------------------------------------------------------------------------

    def _runs(self, line: list[Word]) -> list[Run]:
        runs: list[Run] = []
        at = 0
        while at < len(line):
            follower = line[at + 1] if at + 1 < len(line) else None
            if not self._may_begin(line[at]) and not self._opens_name(line[at], follower):
                at += 1
                continue
            stop = at + 1
            while stop < len(line):
                step = self._continues(line, at, stop)
                if not step:
                    break
                stop += step
            runs.append(self._run(line, at, stop))
            at = stop
        return runs

    def _may_begin(self, word: Word) -> bool:
        if not word.capital or word.lower.startswith("i'") or self._is_loud(word):
            return False
        if word.lower in w.FUNCTION - _RANKS and (word.initial or word.lower not in w.PLACE_FIRST):
            return False
        if word.lower in w.NO_NAMES and word.lower not in w.TITLES | w.PLACE_FIRST | w.GIVEN_NAMES:
            return False
        if not word.initial:
            return True
        return self._proper(word.lower) or word.lower in w.TITLES | w.GIVEN_NAMES | w.PLACES

    def _is_loud(self, word: Word) -> bool:
        """A capital in every letter, of a heading or a shout, of what is no name elsewhere."""
        loud = len(word.text) > 3 and word.text.isupper()
        return loud and not (self.capital[word.lower] or word.lower in w.GIVEN_NAMES)

    def _opens_name(self, word: Word, follower: Word | None) -> bool:
        """ "Elara Voss climbed": a capital at a sentence's start, but with another one behind."""
        if not (word.initial and word.capital) or self.lower[word.lower] or follower is None:
            return False
        if word.lower in w.FUNCTION | w.NO_NAMES or follower.lower in w.FUNCTION | w.NO_NAMES:
            return False
        if word.lower.endswith(_NO_NAME_ENDINGS) and word.lower not in w.GIVEN_NAMES:
            return False
        return self.text[word.end : follower.start] == " " and self._proper(follower.lower)

    def _proper(self, lower: str) -> bool:
        """The word is written with a capital where no sentence begins, and hardly without."""
        return self.capital[lower] > self.lower[lower] or (
            not self.lower[lower] and lower in w.GIVEN_NAMES | w.PLACES
        )

    def _continues(self, line: list[Word], at: int, stop: int) -> int:
        """How many words after ``stop - 1`` belong to the run that began at ``at``."""
        last, word = line[stop - 1], line[stop]
        if last.genitive and not (word.lower in w.PLACE_HEADS and word.capital):
            return 0
        gap = self.text[last.end : word.start]
        if gap not in (" ", "’s ", "'s ", ". ", "\n") or (gap == ". " and len(last.text) > 1):
            return 0
        if word.lower in w.TITLES - w.PLACE_FIRST and last.lower not in w.TITLES | w.OFFICES:
            return 0  # "... in Norwich Mrs. Reed ..."
        if word.capital and not (word.lower in w.FUNCTION or word.lower == "i"):
            return 0 if self._is_loud(word) else 1
        if word.lower not in _LINKS:
            return 0
        heads = word.lower in _PARTICLES or last.lower in _OF_HEADS
        the = stop + 1 < len(line) and line[stop + 1].lower == "the"
        after = line[stop + 1 + the] if stop + 1 + the < len(line) else None
        if not heads or after is None or not after.capital or after.lower in w.FUNCTION:
            return 0
        return 2 + the

    def _run(self, line: list[Word], at: int, stop: int) -> Run:
        first, last = line[at], line[stop - 1]
        after = line[stop] if stop < len(line) else None
        adjacent = after is not None and self.text[last.end : after.start] in _JOINTS
        lead = self.text[max(0, first.start - 2) : first.start]
        tail = self.text[last.end : last.end + 2]
        the = at > 0 and line[at - 1].lower == "the" and lead.endswith(" ")
        near = at - 1 - the
        close = near >= 0 and self.text[line[near].end : line[near + 1].start] == " "
        return Run(
            words=line[at:stop],
            form=self.text[first.start : last.end],
            before=line[near] if close else None,
            earlier=line[near - 1] if close and near else None,
            after=after,
            adjacent=adjacent,
            quoted_call=(lead == ", " or lead[-1:] in _QUOTES)
            and (tail[:1] in (",", "!", "?", *_QUOTES) or tail[1:] in _QUOTES),
            spoken=lead[-1:] in _QUOTES or tail[:1] in ("!", "?", *_QUOTES) or tail[1:] in _QUOTES,
            the=the,
            initial=first.initial,
        )

    # -- votes --------------------------------------------------------------------------

    def _vote(self, run: Run) -> None:
        votes = self.votes[run.form]
        votes.uses += 1
        votes.firm += not run.initial or len(run.words) > 1
        votes.the += run.the
        self._vote_by_shape(run, votes)
        self._vote_by_context(run, votes)

    def _count_called(self, text: str) -> None:
        """What people call somebody: "the whole town called him the Gull"."""
        for found in _CALLED.finditer(text):
            name = found["n"] or found["k"]
            if name.lower() not in w.NO_NAMES | w.FUNCTION:
                self.called.append((found.start(), name))
                self.votes[name].person += 6

    def _share(self) -> None:
        """What stands in a list with a sure person (or place) is likely one too."""
        for one, other in (*self._pairs, *((b, a) for a, b in reversed(self._pairs))):
            giver, taker = self.votes[one], self.votes[other]
            if max(taker.person, taker.place, taker.faction) >= 2:
                continue
            if giver.person >= 2 and giver.person > giver.place:
                taker.person += 0.9
            elif giver.place >= 2 and giver.place > giver.person:
                taker.place += 0.9

    @staticmethod
    def _vote_by_shape(run: Run, votes: Votes) -> None:
        first, last = run.words[0].lower, run.words[-1].lower
        long = len(run.words) > 1
        if first in w.GIVEN_NAMES:
            votes.person += 2.5 if long else 0.7 if first in w.WORD_NAMES else 2
        if long and first in _RANKS and not (first in w.CROWNS and last in w.PLACE_HEADS):
            votes.person += 5  # "Lieutenant Park", but "King Street"
        elif long:
            _vote_by_heads(run, first, last, votes)
        elif last in w.FACTION_SURE and run.the:
            votes.faction += 2.5  # "the Consortium"
        if run.form in w.MULTI_PLACES:
            votes.place += 3
        elif not long and first in w.PLACES and votes.uses == 1:
            # Once: many a city's name is a person's too, and what the text does with it decides.
            votes.place += 1 if first in w.GIVEN_NAMES else 3
        elif not long and first.endswith(w.PLACE_ENDINGS) and len(first) > 6:
            votes.place += 1.2

    @staticmethod
    def _vote_by_context(run: Run, votes: Votes) -> None:
        before = run.before.lower if run.before else ""
        after = run.after.lower if run.after else ""
        speaks = before in w.SPEECH or (run.adjacent and after in w.SPEECH)
        votes.speaks += speaks
        votes.acts += (
            speaks
            or before in w.RELATIONS
            or after in w.AFTER_PERSON
            or (run.quoted_call and run.spoken)
        )
        if run.adjacent and run.words[-1].genitive:
            votes.person += 1.5 if after in w.PERSON_NOUNS else 0.4
        elif run.adjacent and after in w.SPEECH:
            votes.person += 2
        elif run.adjacent and (after in w.ACTS or after.endswith("ed")):
            votes.person += 0.8
        elif after in w.AFTER_PERSON:
            votes.person += 1.5
        if before in w.SPEECH:
            votes.person += 2
        elif before in w.RELATIONS:
            votes.person += 1.2
        elif before in w.PLACE_PREPOSITIONS:
            led = run.earlier.lower if run.earlier else ""
            weight = w.PLACE_PREPOSITIONS[before] + 0.8 * (led in w.MOTION)
            weight += 0.8 * (before == "of" and led in w.BEFORE_OF)
            # "of the Veil" is anything; "in the Saltmere" may well be a place.
            votes.there += weight > 0.3 and led not in w.BEFORE_SOMEBODY
            votes.place += weight if not run.the else weight / 2 if weight > 1 else 0
        elif before in w.REACHING:
            votes.there += 1
            votes.place += 0.8
        elif after == "of" and run.adjacent and len(run.words) == 1 and not run.the:
            votes.person += 0.8  # "Ambrose of Milan"
        elif before in w.LINKING:
            votes.person += 0.4
        if run.quoted_call:
            votes.person += 1.2 if run.spoken else 0.8
        if run.the and len(run.words) == 1:
            votes.place += 0.5
            votes.person -= 1.0


def _vote_by_heads(run: Run, first: str, last: str, votes: Votes) -> None:
    """ "... Street", "Lake ...", "Isle of ...", "... Guild", "Order of ..."."""
    before_of = _head_before_of(run.words)
    if last in w.FACTION_SURE or before_of in w.FACTION_SURE or first in ("house", "clan"):
        votes.faction += 6
    elif len(run.words) == 2 and last in w.SURNAME_HEADS and not run.the and _is_given(first):
        votes.person += 2.5
    elif last in w.PLACE_HEADS or (first in w.PLACE_FIRST and first not in w.TITLES):
        votes.place += 5
    elif before_of in w.PLACE_OF | w.PLACE_HEADS:
        votes.place += 4


def _is_given(word: str) -> bool:
    return word in w.GIVEN_NAMES and word not in w.WORD_NAMES and word not in w.PLACES


def _head_before_of(words: list[Word]) -> str:
    """The word before "of" ("isle" of "Isle of Dread"); empty without one."""
    return next((a.lower for a, b in pairwise(words) if b.lower == "of"), "")
