"""The model's answer about one piece of a chapter as findings: named, quoted and placed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from analysis.analyzers.base import ChapterInput, KnownFact
from analysis.analyzers.llm import prompts
from analysis.analyzers.llm.answers import (
    Clash,
    Contradictions,
    Newcomer,
    Newcomers,
    ThreadProgress,
    Threads,
    Tracking,
    World,
)
from analysis.analyzers.llm.names import Cast, other_names, proper, readings
from analysis.analyzers.llm.quotes import Finder, flattened
from arboris.bible.types.findings import (
    Appearance,
    Contradiction,
    Evidence,
    Finding,
    Foreshadowing,
    NewCharacter,
    Payoff,
    Relation,
    StateChange,
    WorldFact,
)

MAX_TEXT = 2000
MAX_RELATION = 100
# One passage may close a few matters; a model that closes more with it has been talked into it.
MAX_PAYOFFS_OF_A_QUOTE = 3


@dataclass(slots=True)
class Part:
    """What came of one piece: ``came`` entries, of which ``dropped`` could not be used.

    They have no form that can be read, no quote, or no name that the text holds.
    """

    findings: list[Finding] = field(default_factory=list)
    came: int = 0
    dropped: int = 0
    truncated: bool = False


def _describes(entry: Newcomer) -> bool:
    return any((entry.description, entry.personality, entry.goals, entry.abilities))


class Reader:
    """``finder`` looks through the piece that was asked about, ``whole`` through the chapter."""

    def __init__(self, chapter: ChapterInput, finder: Finder, whole: Finder) -> None:
        self._finder = finder
        self._whole = whole
        self._cast = Cast(chapter)
        self._chapter = chapter
        self._came = self._dropped = 0

    def part(
        self, findings: Iterable[Finding], *, unread: int = 0, truncated: bool = False
    ) -> Part:
        """The findings that one of the methods below reads from an answer, and what it counted.

        ``unread`` entries had no form that could be read.
        """
        kept = list(findings)
        return Part(kept, self._came + unread, self._dropped + unread, truncated)

    def tracking(self, answer: Tracking) -> Iterator[Finding]:
        yield from self.each(answer.characters, self._appearance)
        yield from self.each(answer.changes, self._change)
        yield from self.each(answer.relations, self._relation)

    def newcomers(self, answer: Newcomers) -> Iterator[Finding]:
        # What is said of somebody whom the bible knows counts too, in whichever chapter it stands.
        new = [c for c in answer.characters if _describes(c) or not self._is_known(c)]
        yield from self.each(new, self._newcomer)

    def world(self, answer: World) -> Iterator[Finding]:
        yield from self.each(answer.entities, self._thing)

    def threads(self, answer: Threads) -> Iterator[Finding]:
        yield from self.each(answer.seeds, self._seed)
        yield from self.each(self._believable(answer.payoffs), self._payoff)

    def contradictions(self, answer: Contradictions) -> Iterator[Finding]:
        yield from self.each(answer.contradictions, self._contradiction)

    def each(
        self, entries: Iterable[Any], make: Callable[[Any, Evidence], Finding | None]
    ) -> Iterator[Finding]:
        """A finding of each entry whose quote stands in the text; the others are counted."""
        for entry in entries:
            self._came += 1
            evidence = self._finder.evidence(entry.quote)
            finding = make(entry, evidence) if evidence else None
            if finding is None:
                self._dropped += 1
            else:
                yield finding

    def _believable(self, payoffs: list[ThreadProgress]) -> list[ThreadProgress]:
        threads: defaultdict[str, set[int | None]] = defaultdict(set)
        for entry in payoffs:
            threads[flattened(entry.quote)[0]].add(entry.thread)
        kept = [
            entry
            for entry in payoffs
            if len(threads[flattened(entry.quote)[0]]) <= MAX_PAYOFFS_OF_A_QUOTE
        ]
        self._came += len(payoffs) - len(kept)
        self._dropped += len(payoffs) - len(kept)
        return kept

    def _appearance(self, entry: Any, evidence: Evidence) -> Finding | None:
        person = self._cast.known(entry.name, entry.known_id)
        name, aliases = self._names([entry.name, *entry.aliases])
        if person is None and not name:
            return None
        main = person.name if person else name
        return Appearance(
            name=main,
            aliases=other_names([name, *aliases], main),
            evidence=evidence,
            confidence=entry.confidence,
        )

    def _newcomer(self, entry: Any, evidence: Evidence) -> Finding | None:
        name, aliases = self._names([entry.name, *entry.aliases])
        if not name:
            return None
        return NewCharacter(
            type="description" if self._is_known(entry) else "character",
            name=name,
            aliases=other_names(aliases, name),
            role=entry.role,
            description=entry.description[:MAX_TEXT],
            personality=entry.personality[:MAX_TEXT],
            goals=entry.goals[:MAX_TEXT],
            abilities=entry.abilities[:MAX_TEXT],
            evidence=evidence,
            confidence=entry.confidence,
        )

    def _is_known(self, entry: Newcomer) -> bool:
        return self._cast.known(entry.name, entry.known_id) is not None

    def _change(self, entry: Any, evidence: Evidence) -> Finding | None:
        character = self._who(entry.character)
        description = entry.description.strip()[:MAX_TEXT]
        if not character or not description:
            return None
        return StateChange(
            character=character,
            kind=entry.kind,
            description=description,
            growth_level=entry.growth_level,
            evidence=evidence,
            confidence=entry.confidence,
        )

    def _relation(self, entry: Any, evidence: Evidence) -> Finding | None:
        source, target = self._who(entry.source), self._who(entry.target)
        relation = entry.relation.strip()[:MAX_RELATION]
        if not source or not target or not relation or source == target:
            return None
        return Relation(
            source=source,
            target=target,
            relation=relation,
            evidence=evidence,
            confidence=entry.confidence,
        )

    def _thing(self, entry: Any, evidence: Evidence) -> Finding | None:
        if entry.kind == "rule":  # the text seldom gives one a name
            name, aliases = proper(entry.name), list(entry.aliases)
        else:
            name, aliases = self._names([entry.name, *entry.aliases])
        if not name:
            return None
        return WorldFact(
            type=entry.kind,
            name=name,
            aliases=other_names(aliases, name),
            description=entry.description[:MAX_TEXT],
            evidence=evidence,
            confidence=entry.confidence,
        )

    def _seed(self, entry: Any, evidence: Evidence) -> Finding | None:
        description = entry.description.strip()[:MAX_TEXT]
        if not description:
            return None
        return Foreshadowing(
            kind=entry.kind,
            description=description,
            keywords=other_names(entry.keywords, ""),
            evidence=evidence,
            confidence=entry.confidence,
        )

    def _payoff(self, entry: Any, evidence: Evidence) -> Finding | None:
        place = prompts.open_threads(self._chapter).get(entry.thread)
        description = entry.description.strip()[:MAX_TEXT]
        if place is None or not description:
            return None
        seed = self._chapter.open_threads[place]
        return Payoff(
            outcome=entry.outcome,
            description=description,
            keywords=other_names([*entry.keywords, *seed.keywords], ""),
            seed_quote=seed.quote,
            evidence=evidence,
            confidence=entry.confidence,
        )

    def _contradiction(self, entry: Clash, evidence: Evidence) -> Finding | None:
        """Both passages have to be there: the earlier one in the bible, this one in the text."""
        fact = self._fact(entry)
        if fact is None or evidence.start == evidence.end:
            return None
        if flattened(fact.quote)[0] == flattened(evidence.quote)[0]:
            return None
        item, holder = proper(entry.item), self._who(entry.holder)
        two_hands = entry.kind == "item_in_two_hands"
        if two_hands and (not item or not holder or holder == fact.person):
            return None
        return Contradiction(
            kind=entry.kind,
            character=fact.person,
            description=entry.description.strip()[:MAX_TEXT],
            earlier=fact.quote,
            item=item if two_hands else "",
            holder=holder if two_hands else "",
            evidence=evidence,
            confidence=entry.confidence,
        )

    def _fact(self, entry: Clash) -> KnownFact | None:
        """The fact that is meant: by its number, unless the words quoted are another's alone."""
        told = prompts.told_facts(self._chapter)
        numbered = told.get(entry.fact) if entry.fact is not None else None
        words = flattened(entry.earlier)[0]
        if not words:
            return numbered
        quoted = [one for one in told.values() if words in flattened(one.quote)[0]]
        if numbered in quoted:
            return numbered
        return quoted[0] if len({one.quote for one in quoted}) == 1 else None

    def _who(self, name: str) -> str:
        """Somebody the bible knows (a narrator is seldom named), or whom the chapter names."""
        person = self._cast.known(name)
        if person is not None:
            return person.name
        for reading in readings(name):
            if self._finder.holds(reading) or self._whole.holds(reading):  # the piece is quicker
                return proper(self._whole.spelled(reading))
        return ""

    def _names(self, names: list[str]) -> tuple[str, list[str]]:
        """The first of the names that the chapter really uses, and the others that it uses.

        A later piece may call somebody by another name than the earlier one that gives it.
        """
        used = []
        for name in names:
            held = (
                proper(finder.spelled(one))
                for one in readings(name)
                for finder in (self._finder, self._whole)
                if finder.holds(one)
            )
            used += [one for one in [next(held, "")] if one]
        return (used[0], used[1:]) if used else ("", [])
