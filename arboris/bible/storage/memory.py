"""The entries that a fold works on, found by their search keys. A fold's changes can be undone.

This store is in memory. ``database.DatabaseEntryStore`` fetches from the tables what it is
asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, cast

from arboris.bible.types.entries import (
    ChapterEntries,
    Entry,
    Person,
    RelationshipEntry,
    Scope,
    SearchKey,
    Thread,
    WorldEntry,
    from_json,
    to_json,
)

E = TypeVar("E", Person, WorldEntry, Thread, RelationshipEntry)
# An entry as it was before a chapter, by scope and natural key; None where there was none.
Journal = Sequence[tuple[Scope, str, dict[str, Any] | None]]


class MemoryEntryStore:
    def __init__(self) -> None:
        self.entries: dict[tuple[Scope, str], Entry | None] = {}
        self.chapters: dict[int, ChapterEntries] = {}
        self.keeps_journal = False
        self._before: dict[tuple[Scope, str], dict[str, Any] | None] = {}
        self._search_keys: dict[tuple[Scope, str], set[SearchKey]] = {}
        # Entries that once had a search key; ``_search_keys`` says which they have now.
        self._held: defaultdict[tuple[Scope, str], dict[str, None]] = defaultdict(dict)
        self._most = 0

    # --- to be overridden ---------------------------------------------------------------------
    def fetch(self, scope: Scope, natural_keys: Iterable[str]) -> None:
        """Put the entries into ``entries`` that are not there yet, None for those that are not."""
        for natural_key in natural_keys:
            self.entries.setdefault((scope, natural_key), None)

    def fetch_search_keys(self, scope: Scope, search_keys: Iterable[str]) -> None:
        """Put every entry that has one of the search keys into ``_held``."""

    def most_mentions(self) -> int:
        """How often the most named person is named."""
        return self._most

    # --- finding ------------------------------------------------------------------------------
    def get(self, kind: type[E], natural_key: str) -> E | None:
        if (kind.scope, natural_key) not in self.entries:
            self.fetch(kind.scope, [natural_key])
        return cast("E | None", self.entries[(kind.scope, natural_key)])

    def having(self, kind: type[E], search_key: str, *, partial: bool | None) -> list[E]:
        """Entries with that search key, whole or partial (None: either), by natural key."""
        self.fetch_search_keys(kind.scope, [search_key])
        found = []
        for natural_key in sorted(self._held.get((kind.scope, search_key), ())):
            entry = self.get(kind, natural_key)
            if entry is not None and self._has(entry, search_key, partial):
                found.append(entry)
        return found

    def _has(self, entry: Entry, search_key: str, partial: bool | None) -> bool:
        search_keys = self._search_keys[(entry.scope, entry.natural_key)]
        if partial is None:
            return (search_key, False) in search_keys or (search_key, True) in search_keys
        return (search_key, partial) in search_keys

    def owner(self, kind: type[E], search_key: str) -> E | None:
        """The entry that is called so; a name is one entry's."""
        return next(iter(self.having(kind, search_key, partial=False)), None)

    # --- changing -----------------------------------------------------------------------------
    def touch(self, entry: Entry) -> None:
        """Before an entry is changed."""
        place = (entry.scope, entry.natural_key)
        if self.keeps_journal and place not in self._before:
            self._before[place] = to_json(entry)

    def put(self, entry: Entry) -> None:
        """A new entry, or one that has been changed in what it is found by."""
        place = (entry.scope, entry.natural_key)
        if self.keeps_journal:
            self._before.setdefault(place, None)
        self._place(entry)

    def _place(self, entry: Entry) -> None:
        search_keys = entry.search_keys()
        self.entries[(entry.scope, entry.natural_key)] = entry
        self._search_keys[(entry.scope, entry.natural_key)] = search_keys
        for search_key, _ in search_keys:
            self._held[(entry.scope, search_key)].setdefault(entry.natural_key)
        if isinstance(entry, Person):
            self._most = max(self._most, entry.mentions)

    def of_chapter(self, chapter_id: int) -> ChapterEntries:
        return self.chapters.setdefault(chapter_id, ChapterEntries())

    # --- taking back --------------------------------------------------------------------------
    def take_journal(self) -> Journal:
        """Return the changes that ``undo`` needs, and begin a new journal."""
        journal = [
            (scope, natural_key, before) for (scope, natural_key), before in self._before.items()
        ]
        self._before = {}
        return journal

    def undo(self, journal: Journal) -> None:
        for scope, natural_key, before in journal:
            if before is None:
                self.entries[(scope, natural_key)] = None
            else:
                self._place(from_json(scope, before))
