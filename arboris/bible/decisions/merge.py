"""Merge: two entries are one, called as the second is."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.utils.translation import gettext as _

from arboris.bible.decisions import lookup
from arboris.bible.decisions.base import Asked, DecisionKind, Inputs, Params, Refused, whole
from arboris.bible.decisions.rules import Decision, Rules, place


class Merge(DecisionKind):
    action = "merge"
    needs = ("type", "id", "into")
    only_named = True

    def inputs(self) -> Inputs:
        return {**super().inputs(), "into": whole()}

    def check(self, project_id: uuid.UUID, asked: Asked) -> Params:
        entry = lookup.entry(project_id, asked, "id")
        into = lookup.entry(project_id, asked, "into")
        if entry.pk == into.pk:
            raise Refused("into", _("An entry cannot be merged into itself."))
        return {
            **lookup.where(asked),
            "names": lookup.all_names(project_id, asked, entry),
            "target_names": lookup.all_names(project_id, asked, into),
            "into": into.name,
        }

    def rule(self, rules: Rules, decision: Decision, number: int) -> None:
        target = lead_to_one_key(rules, decision)
        rules.shown.setdefault((decision["scope"], target), decision["into"])


def lead_to_one_key(rules: Rules, decision: Decision) -> str:
    """Let all names of both entries lead to one key, whichever a chapter uses first; returns it."""
    scope, into = decision["scope"], decision["into"]
    target = rules.canonical(scope, place(decision, into))
    own, theirs = decision["names"], [into, *decision.get("target_names", ())]
    for name in (*own, *theirs):
        source = rules.canonical(scope, place(decision, name))
        if source != target:
            rules.same[(scope, source)] = target
    _join(rules, decision, (*own, *theirs))
    rules.rejected.discard((scope, target))
    return target


def _join(rules: Rules, decision: Decision, names: Iterable[str]) -> None:
    """Take back that any two of the names were split."""
    places = [place(decision, name) for name in names]
    for one in places:
        for other in places:
            rules.apart.discard((decision["scope"], *sorted((one, other))))
