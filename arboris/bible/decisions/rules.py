"""The writer's decisions as the fold obeys them: from the first chapter on, whenever they were
made.

So it does not matter whether a chapter was analysed before the decision or after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from arboris.bible.types.entries import thing_key
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

    def keeps_name(self, scope: str, nid: str) -> bool:
        """Whether the writer has said how the entry is called."""
        return (scope, nid) in self.shown

    def bars(self, finding_type: str, payload: Mapping[str, Any]) -> bool:
        """Whether the writer has rejected whom or what a finding (as JSON) is about."""
        if not self.rejected:
            return False
        of_thing = finding_type in ("location", "faction", "item", "rule")
        about = [payload.get(part) for part in ("name", "character", "source", "target")]
        names = [key(name) for name in about if name]
        scope = "thing" if of_thing else "person"
        keys = [thing_key(finding_type, name) if of_thing else name for name in names]
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


def rules_from(decisions: Iterable[Decision]) -> Rules:
    """``decisions`` in the order in which they were made, each with ``action`` and its parameters:

    scope (person, thing, thread, tie), kind (of a thing), names (all that the entry had), into and
    target_names, alias, ref or refs, thread (its nid), fields.
    """
    rules = Rules()
    for number, decision in enumerate(decisions):
        _ACTIONS[decision["action"]](rules, decision, number)
    return rules


def _place(decision: Decision, name: str) -> str:
    return thing_key(decision["kind"], key(name)) if decision["scope"] == "thing" else key(name)


def _merge(rules: Rules, decision: Decision, _number: int) -> None:
    """Every name of both entries leads to one key, whichever of them a chapter uses first."""
    scope, into = decision["scope"], decision["into"]
    target = rules.canonical(scope, _place(decision, into))
    own, theirs = decision["names"], [into, *decision.get("target_names", ())]
    for name in (*own, *theirs):
        source = rules.canonical(scope, _place(decision, name))
        if source != target:
            rules.same[(scope, source)] = target
    _join(rules, decision, own, theirs)
    rules.rejected.discard((scope, target))
    if decision["action"] == "rename":
        rules.shown[(scope, target)] = into
    else:
        rules.shown.setdefault((scope, target), into)


def _join(rules: Rules, decision: Decision, own: Iterable[str], theirs: Iterable[str]) -> None:
    """What was split once is one again."""
    names = [_place(decision, name) for name in (*own, *theirs)]
    for one in names:
        for other in names:
            rules.apart.discard((decision["scope"], *sorted((one, other))))


def _split(rules: Rules, decision: Decision, _number: int) -> None:
    scope, alias = decision["scope"], _place(decision, decision["alias"])
    rules.same.pop((scope, alias), None)
    rules.rejected.discard((scope, alias))
    for name in decision["names"]:
        one, other = sorted((_place(decision, name), alias))
        if one != other:
            rules.apart.add((scope, one, other))
    # What is split off is an entry of its own, also where no finding names it first.
    rules.added.append({**decision, "fields": {"name": decision["alias"]}})


def _reject(rules: Rules, decision: Decision, _number: int) -> None:
    for ref in decision.get("refs", ()):
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
    scope, fields = decision["scope"], decision["fields"]
    if scope in ("person", "thing"):
        for name in (fields["name"], *fields.get("aliases", ())):
            rules.rejected.discard((scope, _place(decision, name)))
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
