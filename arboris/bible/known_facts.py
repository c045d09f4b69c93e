"""What is known of people, and may be contradicted: facts with their quotes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from arboris.bible.models import Character
from arboris.bible.storage.database import batches
from arboris.bible.storage.memory import MemoryEntryStore
from arboris.bible.types.entries import Fact, Person
from arboris.bible.types.findings import DEAD
from arboris.novels.models import Chapter

MOST_PEOPLE = 60  # whose facts are told: those named most


@dataclass(frozen=True, slots=True)
class KnownFact:
    """``aspect``: DEAD, one of ``findings.Aspect``, or of ``fold.continuity.told.KEPT``.

    ``said``: the fact in words; the ``quote`` alone says it where that is empty.
    """

    person: str
    aspect: str
    said: str
    chapter_number: int
    quote: str


def facts_of(
    store: MemoryEntryStore, project_id: uuid.UUID | None, people: Mapping[str, str]
) -> list[KnownFact]:
    """The facts of these people (names by natural keys), in their order; the dead ones' death
    first, then by chapter. From the store, and of the novel's rows those that it does not have."""
    wanted = dict(list(people.items())[:MOST_PEOPLE])
    known = {}
    for natural_key in wanted:
        entry = store.entries.get((Person.scope, natural_key))
        if isinstance(entry, Person):
            known[natural_key] = _told(entry.death, entry.traits)
    others = wanted.keys() - known.keys() if project_id is not None else ()
    for batch in batches(others):
        rows = Character.objects.filter(project_id=project_id, natural_key__in=batch)
        for natural_key, death, traits in rows.values_list("natural_key", "death", "traits"):
            known[natural_key] = _told(
                _fact(death), {n: _fact(t) for n, t in (traits or {}).items()}
            )
    numbers = _numbers(fact for told in known.values() for _, _, fact in told)
    return [
        KnownFact(wanted[natural_key], aspect, said, number, fact.quote)
        for natural_key in wanted
        for number, aspect, said, fact in _ordered(known.get(natural_key, []), numbers)
    ]


Told = list[tuple[str, str, Fact]]


def _told(death: Fact | None, traits: Mapping[str, Fact | None]) -> Told:
    told: Told = [(DEAD, "", death)] if death is not None else []
    for name, fact in traits.items():
        aspect, _, value = name.partition(":")
        words, at_chapter, _ = value.rpartition("@")
        if fact is not None:
            told.append((aspect, words if at_chapter else value, fact))
    return told


def _ordered(told: Told, numbers: Mapping[int, int]) -> Iterator[tuple[int, str, str, Fact]]:
    placed = [
        (numbers[fact.chapter_id], aspect, said, fact)
        for aspect, said, fact in told
        if fact.chapter_id is not None and fact.chapter_id in numbers
    ]
    return iter(sorted(placed, key=lambda one: (one[1] != DEAD, *one[:3], one[3].quote)))


def _fact(plain: dict[str, Any] | None) -> Fact | None:
    return Fact(**plain) if plain else None


def _numbers(facts: Iterable[Fact]) -> dict[int, int]:
    numbers: dict[int, int] = {}
    for batch in batches({fact.chapter_id for fact in facts if fact.chapter_id is not None}):
        rows = Chapter.objects.filter(pk__in=batch)
        numbers |= dict(rows.values_list("pk", "chapter_number"))
    return numbers
