"""The entries that a fold works on, found by their handles; what it changes can be undone.

This one lives in memory. ``rows.Rows`` fetches from the tables what it is asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, cast

from arboris.bible.types.entries import (
    Entry,
    Handle,
    Page,
    Person,
    Scope,
    Thing,
    Thread,
    Tie,
    from_json,
    to_json,
)

E = TypeVar("E", Person, Thing, Thread, Tie)
# An entry as it was before a chapter, by (scope, nid); None where there was none.
Journal = Sequence[tuple[Scope, str, dict[str, Any] | None]]


class Shelf:
    def __init__(self) -> None:
        self.entries: dict[tuple[Scope, str], Entry | None] = {}
        self.pages: dict[int, Page] = {}
        self.keeps_journal = False
        self._before: dict[tuple[Scope, str], dict[str, Any] | None] = {}
        self._handles: dict[tuple[Scope, str], set[Handle]] = {}
        # Who once had a handle; whether they still have it ``_handles`` says.
        self._held: defaultdict[tuple[Scope, str], dict[str, None]] = defaultdict(dict)
        self._most = 0

    # --- to be overridden ---------------------------------------------------------------------
    def fetch(self, scope: Scope, nids: Iterable[str]) -> None:
        """Put the entries into ``entries`` that are not there yet, None for those that are not."""
        for nid in nids:
            self.entries.setdefault((scope, nid), None)

    def fetch_handles(self, scope: Scope, handles: Iterable[str]) -> None:
        """Make known to ``_held`` whoever has one of the handles."""

    def most_mentions(self) -> int:
        """How often the most named person is named."""
        return self._most

    # --- finding ------------------------------------------------------------------------------
    def get(self, kind: type[E], nid: str) -> E | None:
        if (kind.scope, nid) not in self.entries:
            self.fetch(kind.scope, [nid])
        return cast("E | None", self.entries[(kind.scope, nid)])

    def having(self, kind: type[E], handle: str, *, partial: bool | None) -> list[E]:
        """Entries with that handle, whole or partial (None: either), by their natural ids."""
        self.fetch_handles(kind.scope, [handle])
        found = []
        for nid in sorted(self._held.get((kind.scope, handle), ())):
            entry = self.get(kind, nid)
            if entry is not None and self._has(entry, handle, partial):
                found.append(entry)
        return found

    def _has(self, entry: Entry, handle: str, partial: bool | None) -> bool:
        handles = self._handles[(entry.scope, entry.nid)]
        if partial is None:
            return (handle, False) in handles or (handle, True) in handles
        return (handle, partial) in handles

    def owner(self, kind: type[E], handle: str) -> E | None:
        """The entry that is called so; a name is one entry's."""
        return next(iter(self.having(kind, handle, partial=False)), None)

    # --- changing -----------------------------------------------------------------------------
    def touch(self, entry: Entry) -> None:
        """Before an entry is changed."""
        place = (entry.scope, entry.nid)
        if self.keeps_journal and place not in self._before:
            self._before[place] = to_json(entry)

    def put(self, entry: Entry) -> None:
        """A new entry, or one that has been changed in what it is found by."""
        place = (entry.scope, entry.nid)
        if self.keeps_journal:
            self._before.setdefault(place, None)
        self._place(entry)

    def _place(self, entry: Entry) -> None:
        handles = entry.handles()
        self.entries[(entry.scope, entry.nid)] = entry
        self._handles[(entry.scope, entry.nid)] = handles
        for handle, _ in handles:
            self._held[(entry.scope, handle)].setdefault(entry.nid)
        if isinstance(entry, Person):
            self._most = max(self._most, entry.mentions)

    def page(self, chapter_id: int) -> Page:
        return self.pages.setdefault(chapter_id, Page())

    # --- taking back --------------------------------------------------------------------------
    def take_journal(self) -> Journal:
        """What ``undo`` takes back what was changed since with."""
        journal = [(scope, nid, before) for (scope, nid), before in self._before.items()]
        self._before = {}
        return journal

    def undo(self, journal: Journal) -> None:
        for scope, nid, before in journal:
            if before is None:
                self.entries[(scope, nid)] = None
            else:
                self._place(from_json(scope, before))
