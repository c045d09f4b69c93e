"""Split: one of an entry's other names is an entry of its own."""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _

from arboris.bible.decisions import lookup
from arboris.bible.decisions.base import Asked, DecisionKind, Inputs, Params, Refused, name_field
from arboris.bible.decisions.rules import Decision, Rules, place
from arboris.bible.types.names import key


class Split(DecisionKind):
    action = "split"
    needs = ("type", "id", "alias")
    only_named = True

    def inputs(self) -> Inputs:
        return {**super().inputs(), "alias": name_field(required=False)}

    def check(self, project_id: uuid.UUID, asked: Asked) -> Params:
        entry, alias = lookup.entry(project_id, asked, "id"), asked["alias"]
        names = lookup.names(entry)
        if alias not in names or key(alias) == key(entry.name):
            raise Refused("alias", _("The entry has no such other name."))
        others = [name for name in names if key(name) != key(alias)]
        ref = lookup.new_ref()
        return {**lookup.where(asked), "names": others, "alias": alias, "ref": ref}

    def rule(self, rules: Rules, decision: Decision, number: int) -> None:
        scope, alias = decision["scope"], place(decision, decision["alias"])
        rules.same.pop((scope, alias), None)
        rules.rejected.discard((scope, alias))
        for name in decision["names"]:
            one, other = sorted((place(decision, name), alias))
            if one != other:
                rules.apart.add((scope, one, other))
        # What is split off is an entry of its own, also where no finding names it first.
        rules.added.append({**decision, "fields": {"name": decision["alias"]}})
