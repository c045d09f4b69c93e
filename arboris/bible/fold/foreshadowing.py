"""Foreshadowing: seeds in the order of their planting, and what carries them on."""

from __future__ import annotations

import re
from collections.abc import Iterable

from arboris.bible.decisions.rules import Rules
from arboris.bible.fold.people import People
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import (
    Event,
    Notice,
    Person,
    Thread,
    quote_key,
    thread_key,
)
from arboris.bible.types.findings import Foreshadowing, Payoff
from arboris.bible.types.names import ends, key
from arboris.bible.types.placed_finding import PlacedFinding, fact_of

_GROUND = 0.25  # the least that shared words must weigh: one that four earlier seeds have in common
_CERTAIN = 0.5  # what they must weigh across many chapters to be more than a suspicion
_DISTANT = 10  # chapters
_TELLING = 2  # words that a pay-off of patterns alone has to share with its seed
_SURE = 0.65  # how sure patterns have to be of the seed that they name
_RUN = 12  # letters of three English words that say something
_FEW = 2  # seeds that may hold such a word
_NAME = 0.5  # what the name of a minor character weighs, against 1 for a thing
_LEADING = 3  # who is named at least a third as often as the most named


class Threads:
    """A word and a keyword name the same thing when one is the other or its end (手套, 黑皮手套).

    Whether a pay-off really is one: it names its seed, or shares words with it that no other seed
    has. Across many chapters the words have to weigh more, and what was found by patterns alone has
    to share two of them. What weighs less is a suspicion, which leaves the thread as it is and goes
    to the writer.
    """

    def __init__(self, store: MemoryEntryStore, rules: Rules, people: People) -> None:
        self._store = store
        self._rules = rules
        self._people = people

    def open_chapter(self, payoffs: Iterable[Payoff]) -> None:
        """Fetch all at once what the chapter's pay-offs may be about; its people are known."""
        words = sorted({key(word) for payoff in payoffs for word in payoff.keywords})
        telling = [word for word in words if self._weight(word)]
        search_keys = [form for word in telling for form in (word, *ends(word))]
        self._store.fetch_search_keys(Thread.scope, search_keys)

    def plant(self, placed: PlacedFinding, seed: Foreshadowing) -> None:
        natural_key = thread_key(placed.chapter_id, seed.evidence.quote)
        if self._store.get(Thread, natural_key) is None:
            fact = fact_of(placed)
            number = placed.chapter_number
            thread = Thread(
                natural_key, seed.kind, seed.description, list(seed.keywords), number, fact
            )
            self._store.put(thread)

    def harvest(self, placed: PlacedFinding, payoff: Payoff) -> None:
        thread, certain = self._thread_of(placed, payoff)
        if thread is None:
            if payoff.outcome == "paid_off" and not payoff.basic:
                self._tell(placed, payoff, "unlinked_payoff", None)
            return
        chapter_entries = self._store.of_chapter(placed.chapter_id)
        place = (thread.natural_key, payoff.evidence.quote)
        if place in chapter_entries.events:
            return
        distance = placed.chapter_number - thread.chapter_number
        chapter_entries.events[place] = Event(
            thread.natural_key,
            payoff.outcome,
            payoff.description,
            certain,
            distance,
            fact_of(placed),
        )
        if not certain:
            self._tell(placed, payoff, "suspected_payoff", thread)
        elif thread.natural_key not in self._rules.statuses:
            self._store.touch(thread)
            thread.status = payoff.outcome

    def _thread_of(self, placed: PlacedFinding, payoff: Payoff) -> tuple[Thread | None, bool]:
        """The earlier seed that a pay-off is about, and whether that is certain.

        By the writer's word, else by its quote, else by the words that they share. A matter that is
        closed takes no more, save a prophecy: it comes true line by line.
        """
        if linked := self._rules.links.get(placed.ref):
            return self._store.get(Thread, linked), True
        number = placed.chapter_number
        if payoff.seed_quote:
            search_key = quote_key(payoff.seed_quote)
            planted = self._store.having(Thread, search_key, partial=False)
            is_sure = not payoff.basic or payoff.confidence >= _SURE
            is_sure = is_sure or placed.ref in self._rules.accepted_refs
            return next((t for t in _in_order(planted) if self._takes(t, number)), None), is_sure
        thread, score, telling = self._by_words(payoff, number)
        if thread is None:
            return None, False
        if placed.ref in self._rules.accepted_refs:
            return thread, True
        if payoff.basic:  # nobody understood the passage: one word may be there by chance
            phrase = _phrase(thread.fact.quote, payoff.evidence.quote)
            if telling == 0 or (telling < _TELLING and payoff.outcome != "paid_off"):
                return None, False
            return thread, telling + phrase >= _TELLING
        near = number - thread.chapter_number <= _DISTANT
        return thread, near or score >= _CERTAIN

    def _by_words(self, payoff: Payoff, number: int) -> tuple[Thread | None, float, int]:
        """The seed that shares most, how much that is, and how many words of few seeds."""
        telling: dict[str, list[str]] = {}
        scores: dict[str, float] = {}
        threads: dict[str, Thread] = {}
        for word in sorted({key(word) for word in payoff.keywords}):
            weight = self._weight(word)
            holders = self._holders(word, number) if weight else []
            for thread in holders:
                threads[thread.natural_key] = thread
                if weight == 1 and len(holders) <= _FEW:
                    telling.setdefault(thread.natural_key, []).append(word)
                scores[thread.natural_key] = scores.get(thread.natural_key, 0.0) + weight / len(
                    holders
                )
        open_to = [t for t in threads.values() if self._takes(t, number)]
        best = max((scores[thread.natural_key] for thread in open_to), default=0.0)
        if best < _GROUND:
            return None, 0.0, 0
        # Of equals the open one, then the first planted.
        equals = _in_order(t for t in open_to if scores[t.natural_key] == best)
        found = next((t for t in equals if self._status(t) != "paid_off"), equals[0])
        return found, best, len(_distinct(telling.get(found.natural_key, [])))

    def _holders(self, word: str, number: int) -> list[Thread]:
        """Earlier seeds that name the thing."""
        found = {t.natural_key: t for t in self._store.having(Thread, word, partial=None)}
        for end in ends(word):
            found |= {t.natural_key: t for t in self._store.having(Thread, end, partial=False)}
        return [thread for thread in found.values() if thread.chapter_number < number]

    def _weight(self, word: str) -> float:
        """What the word says about which thread is meant; shared by its holders.

        A leading character's name says nothing, for half of all sentences hold one; that of a
        minor one says half as much as a thing.
        """
        person: Person | None = self._people.find(word)
        if person is None:
            return 1.0
        leading = person.mentions * _LEADING >= self._store.most_mentions()
        return 0.0 if leading else _NAME

    def _takes(self, thread: Thread, number: int) -> bool:
        """Whether a pay-off in this chapter can belong to the thread."""
        status = self._status(thread)
        kind = self._rules.edited(Thread.scope, [thread.natural_key]).get("kind", thread.kind)
        closed = status == "abandoned" or (status == "paid_off" and kind != "prophecy")
        return thread.chapter_number < number and not closed

    def _status(self, thread: Thread) -> str:
        """As the writer has said, else as its events have it: the tables hold only the first."""
        return self._rules.statuses.get(thread.natural_key, thread.status)

    def _tell(
        self, placed: PlacedFinding, payoff: Payoff, kind: str, thread: Thread | None
    ) -> None:
        data = {
            "description": payoff.description,
            "keywords": list(payoff.keywords),
            "later": {"chapter_id": placed.chapter_id, "quote": payoff.evidence.quote},
        }
        if thread is not None:
            data["thread"] = thread.natural_key
            data["earlier"] = {"chapter_id": thread.fact.chapter_id, "quote": thread.fact.quote}
        notice = Notice(kind, payoff.description, placed.chapter_id, placed.ref, data)
        self._store.of_chapter(placed.chapter_id).notices.setdefault(placed.ref, notice)


def _phrase(one: str, other: str) -> bool:
    """Whether the passages have a run of words in common: it counts as a word."""
    if one.isascii():
        words = re.findall(r"[a-z’']+", one.lower())
        runs = {" ".join(words[at : at + 3]) for at in range(len(words) - 2)}
        text = " ".join(re.findall(r"[a-z’']+", other.lower()))
        return any(len(run) >= _RUN and run in text for run in runs)
    runs = {one[at : at + 4] for at in range(len(one) - 3)}
    return any(run in other for run in runs if re.fullmatch("[\u3400-\u9fff]{4}", run))


def _distinct(words: Iterable[str]) -> list[str]:
    """Without those that are a part of another one."""
    kept: list[str] = []
    for word in sorted(set(words), key=lambda word: (-len(word), word)):
        if not any(word in longer for longer in kept):
            kept.append(word)
    return kept


def _in_order(threads: Iterable[Thread]) -> list[Thread]:
    return sorted(threads, key=lambda t: (t.chapter_number, t.natural_key))
