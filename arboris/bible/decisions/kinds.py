"""The kinds of decisions, one file each. A new kind is a file beside this one and a line here."""

from __future__ import annotations

from collections.abc import Iterable

from arboris.bible.decisions.accept import Accept
from arboris.bible.decisions.add import Add
from arboris.bible.decisions.base import DecisionKind
from arboris.bible.decisions.edit import Edit
from arboris.bible.decisions.merge import Merge
from arboris.bible.decisions.reject import Reject
from arboris.bible.decisions.rename import Rename
from arboris.bible.decisions.rules import Decision, Rules
from arboris.bible.decisions.split import Split

KINDS: list[DecisionKind] = [Accept(), Reject(), Edit(), Merge(), Split(), Rename(), Add()]


def kind_of(action: str) -> DecisionKind:
    """The kind with that action; raises KeyError."""
    for kind in KINDS:
        if kind.action == action:
            return kind
    raise KeyError(action)


def rules_from(decisions: Iterable[Decision]) -> Rules:
    """The rules that the decisions make; they come in the order in which they were made.

    Each has ``action`` and what its kind's ``check`` returned: scope (see ``Scope``), kind (of a
    world entry), names (all that the entry had), into and target_names, alias, ref or refs,
    thread (its natural key), fields.
    """
    rules = Rules()
    for number, decision in enumerate(decisions):
        kind_of(decision["action"]).rule(rules, decision, number)
    return rules
