"""What a text that is being written contradicts in the bible: compared, and nothing is written.

The bible is read as the tables have it. What it knows from the chapter itself is left out, and so
is what happens in later ones: that somebody dies there contradicts nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from arboris.bible.decisions import record as decisions
from arboris.bible.fold import continuity
from arboris.bible.fold.people import People
from arboris.bible.models import Character, WorldEntity
from arboris.bible.storage.database import DatabaseEntryStore
from arboris.bible.types.entries import Entry, Fact, Notice, Person, Scope, WorldEntry
from arboris.bible.types.findings import Finding
from arboris.bible.types.placed_finding import PlacedFinding
from arboris.novels.models import Chapter

MOST = 500  # people, and items, that a text is searched for: those named most
_STAYS = ("eyes", "hair", "mark", "lost")  # what a later chapter may say as well as an earlier one


def people(chapter: Chapter) -> list[tuple[str, tuple[str, ...]]]:
    """Names and other names of the novel's people."""
    rows = Character.objects.filter(project_id=chapter.project_id).order_by("-mentions", "pk")
    found = rows.prefetch_related("aliases")[:MOST]
    return [(row.name, tuple(alias.name for alias in row.aliases.all())) for row in found]


def items(chapter: Chapter) -> list[str]:
    rows = WorldEntity.objects.filter(project_id=chapter.project_id, kind="item")
    return list(rows.order_by("-mentions", "pk").values_list("name", flat=True)[:MOST])


def contradictions(chapter: Chapter, findings: list[Finding]) -> list[Notice]:
    """What these findings of the chapter's text contradict, in the order of the passages."""
    rules = decisions.rules(chapter.project_id)
    store = _OtherChapters(chapter)
    number = chapter.chapter_number
    placed = [PlacedFinding(number, chapter.pk, finding) for finding in findings]
    continuity.look(store, rules, People(store, rules), sorted(placed, key=lambda one: one.order))
    return list(store.of_chapter(chapter.pk).notices.values())


class _OtherChapters(DatabaseEntryStore):
    """The entries as the other chapters have them."""

    def __init__(self, chapter: Chapter) -> None:
        super().__init__(chapter.project_id)
        rows = Chapter.objects.filter(project_id=chapter.project_id)
        later = rows.filter(chapter_number__gte=chapter.chapter_number)
        self._own = chapter.pk
        self._later = set(later.values_list("pk", flat=True))

    def _stored(self, scope: Scope, natural_keys: list[str]) -> Iterator[Entry]:
        for entry in super()._stored(scope, natural_keys):
            if isinstance(entry, Person):
                yield self._person(entry)
            elif isinstance(entry, WorldEntry) and not self._was_before(entry.held):
                yield replace(entry, holder="", held=None)
            else:
                yield entry

    def _person(self, person: Person) -> Person:
        traits = {
            name: fact
            for name, fact in person.traits.items()
            if self._was_before(fact)
            or (fact.chapter_id != self._own and name.partition(":")[0] in _STAYS)
        }
        death = person.death if self._was_before(person.death) else None
        return replace(person, traits=traits, death=death)

    def _was_before(self, fact: Fact | None) -> bool:
        return fact is not None and fact.chapter_id not in self._later
