"""The writer's decisions as the fold obeys them: from the first chapter on, whenever they were
made.

So it does not matter whether a chapter was analysed before the decision or after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from arboris.bible.types.entries import world_key
from arboris.bible.types.names import key

Decision = Mapping[str, Any]
Place = tuple[str, str]  # scope, key


@dataclass(slots=True)
class Rules:
    """``same`` leads a name to the one that it stands for, ``shown`` has how that one is spelt.

    ``links`` leads a pay-off's ref to the thread that it belongs to.
    """

    same: dict[Place, str] = field(default_factory=dict)
    shown: dict[Place, str] = field(default_factory=dict)
    apart: set[tuple[str, str, str]] = field(default_factory=set)
    rejected: set[Place] = field(default_factory=set)
    rejected_refs: set[str] = field(default_factory=set)
    accepted_refs: set[str] = field(default_factory=set)
    edits: dict[Place, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    added: list[Decision] = field(default_factory=list)

    def canonical(self, scope: str, name: str) -> str:
        """The key of the entry that a name's key belongs to by decision; else the key itself."""
        seen = {name}
        while (following := self.same.get((scope, name))) is not None and following not in seen:
            seen.add(following)
            name = following
        return name

    def are_apart(self, scope: str, one: Iterable[str], other: str) -> bool:
        return bool(self.apart) and any((scope, *sorted((n, other))) in self.apart for n in one)

    def keeps_name(self, scope: str, natural_key: str) -> bool:
        """Whether the writer has said how the entry is called."""
        return (scope, natural_key) in self.shown

    def bars(self, finding_type: str, payload: Mapping[str, Any]) -> bool:
        """Whether the writer has rejected whom or what a finding (as JSON) is about."""
        if not self.rejected:
            return False
        of_thing = finding_type in ("location", "faction", "item", "rule")
        about = [payload.get(part) for part in ("name", "character", "source", "target")]
        names = [key(name) for name in about if name]
        scope = "thing" if of_thing else "person"
        keys = [world_key(finding_type, name) if of_thing else name for name in names]
        return any((scope, self.canonical(scope, name)) in self.rejected for name in keys)

    def edited(self, scope: str, keys: Iterable[str]) -> dict[str, Any]:
        """The fields that the writer has set of an entry with these keys; the last word counts."""
        if not self.edits:
            return {}
        found = [edit for name in sorted(keys) for edit in self.edits.get((scope, name), [])]
        fields: dict[str, Any] = {}
        for _, edit in sorted(found, key=lambda edit: edit[0]):
            fields.update(edit)
        return fields


def place(decision: Decision, name: str) -> str:
    """The key by which the rules keep a name that the decision gives."""
    return world_key(decision["kind"], key(name)) if decision["scope"] == "thing" else key(name)
