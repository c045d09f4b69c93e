"""Rename: an entry gets a name; the old one stays as another name."""

from __future__ import annotations

import uuid

from arboris.bible.decisions import lookup
from arboris.bible.decisions.base import Asked, DecisionKind, Inputs, Params, name_field
from arboris.bible.decisions.merge import lead_to_one_key
from arboris.bible.decisions.rules import Decision, Rules


class Rename(DecisionKind):
    action = "rename"
    needs = ("type", "id", "name")
    only_named = True

    def inputs(self) -> Inputs:
        return {**super().inputs(), "name": name_field(required=False)}

    def check(self, project_id: uuid.UUID, asked: Asked) -> Params:
        entry, name = lookup.entry(project_id, asked, "id"), asked["name"]
        lookup.check_free(project_id, asked, name, entry)
        names = lookup.all_names(project_id, asked, entry)
        return {**lookup.where(asked), "names": names, "into": name}

    def rule(self, rules: Rules, decision: Decision, number: int) -> None:
        target = lead_to_one_key(rules, decision)
        rules.shown[(decision["scope"], target)] = decision["into"]
