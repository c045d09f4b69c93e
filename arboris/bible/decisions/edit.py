"""Edit: the writer sets fields of an entry; the last word on a field counts."""

from __future__ import annotations

import uuid
from typing import get_args

from django.utils.translation import gettext as _
from rest_framework import serializers

from arboris.bible.decisions import lookup
from arboris.bible.decisions.base import (
    SCOPES,
    Asked,
    DecisionKind,
    EntryFields,
    Inputs,
    Params,
    checked_fields,
    words_field,
)
from arboris.bible.decisions.rules import Decision, Rules, place
from arboris.bible.types.entries import PERSON_FIELDS, Scope
from arboris.bible.types.findings import ROLES, ForeshadowingKind
from arboris.fields import Text


class EditedCharacter(EntryFields):
    role = serializers.ChoiceField(choices=ROLES[::-1], required=False)
    description = words_field()
    personality = words_field()
    goals = words_field()
    abilities = words_field()


class EditedThing(EntryFields):
    description = words_field()


class EditedThread(EntryFields):
    description = Text(max_length=2000, required=False)
    kind = serializers.ChoiceField(choices=get_args(ForeshadowingKind), required=False)
    status = serializers.ChoiceField(
        choices=["open", "advanced", "paid_off", "abandoned"], required=False
    )


FORMS: dict[str, type[EntryFields]] = {
    "character": EditedCharacter,
    "foreshadowing": EditedThread,
}
assert {*PERSON_FIELDS} == {*EditedCharacter._declared_fields}


class Edit(DecisionKind):
    action = "edit"
    needs = ("type", "id", "fields")

    def inputs(self) -> Inputs:
        return {**super().inputs(), "fields": serializers.DictField(required=False)}

    def validated(self, asked: Asked) -> Asked:
        asked = super().validated(asked)
        if asked["type"] == "relationship":
            raise serializers.ValidationError(
                {"type": [_("A relationship can be rejected or added.")]}
            )
        form = FORMS.get(asked["type"], EditedThing)
        return {**asked, "fields": checked_fields(form, asked["fields"])}

    def check(self, project_id: uuid.UUID, asked: Asked) -> Params:
        entry = lookup.entry(project_id, asked, "id")
        params = {**lookup.where(asked), "fields": asked["fields"], "nid": entry.natural_key}
        if SCOPES[asked["type"]] == "thread":
            return {**params, "thread": entry.natural_key}
        return {**params, "names": [entry.name]}

    def rule(self, rules: Rules, decision: Decision, number: int) -> None:
        scope, fields = decision["scope"], dict(decision["fields"])
        if scope == "thread":
            of = decision["thread"]
            if status := fields.pop("status", None):
                rules.statuses[of] = status
        else:
            of = place(decision, decision["names"][0])
        if fields:
            rules.edits.setdefault((scope, of), []).append((number, fields))

    def changes(self, project_id: uuid.UUID, params: Params) -> list[tuple[Scope, str]] | None:
        """A thread may take other pay-offs by it, in any chapter; any other edit is local."""
        return None if params["scope"] == "thread" else [(params["scope"], params["nid"])]
