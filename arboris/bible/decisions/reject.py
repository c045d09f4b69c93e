"""Reject: a fact or an entry goes and stays out; a question or a warning is dismissed."""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _

from arboris.bible.decisions import lookup
from arboris.bible.decisions.base import SCOPES, Asked, DecisionKind, Inputs, Params, Refused
from arboris.bible.decisions.rules import Decision, Rules, place
from arboris.bible.models import Notice
from arboris.bible.types.entries import Scope
from arboris.fields import Text


class Reject(DecisionKind):
    action = "reject"

    def inputs(self) -> Inputs:
        return {**super().inputs(), "ref": Text(max_length=16, required=False)}

    def validated(self, asked: Asked) -> Asked:
        return asked if "ref" in asked else super().validated(asked)

    def check(self, project_id: uuid.UUID, asked: Asked) -> Params:
        if ref := asked.get("ref"):
            lookup.check_known(project_id, ref)
            return {"refs": [ref]}
        entry = lookup.entry(project_id, asked, "id")
        scope = SCOPES[asked["type"]]
        if scope in ("person", "thing"):
            # Other names may be other people's too: what bears only those may come again.
            own = [
                name
                for name in lookup.names(entry)
                if name == entry.name or lookup.name_key(asked, name) == entry.natural_key
            ]
            return {**lookup.where(asked), "names": own}
        if entry.tier == "writer":
            raise Refused("id", _("This is your own entry: undo the decision that added it."))
        return {"refs": [entry.ref, entry.natural_key] if scope == "tie" else [entry.ref]}

    def rule(self, rules: Rules, decision: Decision, number: int) -> None:
        for ref in decision.get("refs", ()):
            rules.rejected_refs.add(ref)
            rules.accepted_refs.discard(ref)
        for name in decision.get("names", ()):
            rules.rejected.add((decision["scope"], place(decision, name)))

    def changes(self, project_id: uuid.UUID, params: Params) -> list[tuple[Scope, str]] | None:
        """A notice that no finding stands behind is deleted, and no entry changes."""
        notices = Notice.objects.filter(project_id=project_id, ref__in=params.get("refs", ()))
        if {notice.kind for notice in notices} & lookup.ONLY_NOTICES:
            notices.delete()
            return []
        return None
