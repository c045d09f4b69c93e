"""The writer's decisions as the fold obeys them: from the first chapter on, whenever they were made.

So it does not matter whether a chapter was analysed before the decision or after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from arboris.bible.entries import thing_key
from arboris.bible.names import key

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

    def keeps_name(self, scope: str, nid: str) -> bool:
        """Whether the writer has said how the entry is called."""
        return (scope, nid) in self.shown

    def edited(self, scope: str, keys: Iterable[str]) -> dict[str, Any]:
        """The fields that the writer has set of an entry with these keys; the last word counts."""
        if not self.edits:
            return {}
        found = [edit for name in sorted(keys) for edit in self.edits.get((scope, name), [])]
        fields: dict[str, Any] = {}
        for _, edit in sorted(found, key=lambda edit: edit[0]):
            fields.update(edit)
        return fields


def rules_from(decisions: Iterable[Decision]) -> Rules:
    """``decisions`` in the order in which they were made, each with ``action`` and its parameters:

    scope (person, thing, thread), kind (of a thing), names (all that the entry had), into, alias,
    ref, thread (its nid), fields.
    """
    rules = Rules()
    for number, decision in enumerate(decisions):
        _ACTIONS[decision["action"]](rules, decision, number)
    return rules


def _place(decision: Decision, name: str) -> str:
    return thing_key(decision["kind"], key(name)) if decision["scope"] == "thing" else key(name)


def _merge(rules: Rules, decision: Decision, _number: int) -> None:
    scope = decision["scope"]
    target = rules.canonical(scope, _place(decision, decision["into"]))
    for name in decision["names"]:
        source = rules.canonical(scope, _place(decision, name))
        if source != target:
            rules.same[(scope, source)] = target
    if decision["action"] == "rename":
        rules.shown[(scope, target)] = decision["into"]
    else:
        rules.shown.setdefault((scope, target), decision["into"])


def _split(rules: Rules, decision: Decision, _number: int) -> None:
    alias = _place(decision, decision["alias"])
    for name in decision["names"]:
        one, other = sorted((_place(decision, name), alias))
        if one != other:
            rules.apart.add((decision["scope"], one, other))
    # What is split off is an entry of its own, also where no finding names it first.
    rules.added.append({**decision, "fields": {"name": decision["alias"]}})


def _reject(rules: Rules, decision: Decision, _number: int) -> None:
    if ref := decision.get("ref"):
        rules.rejected_refs.add(ref)
        rules.accepted_refs.discard(ref)
    for name in decision.get("names", ()):
        rules.rejected.add((decision["scope"], _place(decision, name)))


def _accept(rules: Rules, decision: Decision, _number: int) -> None:
    rules.accepted_refs.add(decision["ref"])
    rules.rejected_refs.discard(decision["ref"])
    if thread := decision.get("thread"):
        rules.links[decision["ref"]] = thread


def _edit(rules: Rules, decision: Decision, number: int) -> None:
    scope, fields = decision["scope"], dict(decision["fields"])
    if scope == "thread":
        place = decision["thread"]
        if status := fields.pop("status", None):
            rules.statuses[place] = status
    else:
        place = _place(decision, decision["names"][0])
    if fields:
        rules.edits.setdefault((scope, place), []).append((number, fields))


def _add(rules: Rules, decision: Decision, _number: int) -> None:
    rules.added.append(decision)


_ACTIONS: dict[str, Callable[[Rules, Decision, int], None]] = {
    "merge": _merge,
    "rename": _merge,
    "split": _split,
    "reject": _reject,
    "accept": _accept,
    "edit": _edit,
    "add": _add,
}
