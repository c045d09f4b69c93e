"""Add: an entry of the writer's own, there before the first chapter."""

from __future__ import annotations

import uuid
from typing import get_args

from django.db.models import Max
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
    Refused,
    checked_fields,
    entry_type,
    name_field,
)
from arboris.bible.decisions.edit import EditedCharacter, EditedThing
from arboris.bible.decisions.rules import Decision, Rules, place
from arboris.bible.types.findings import ForeshadowingKind
from arboris.bible.types.names import key
from arboris.fields import Text
from arboris.novels.models import Chapter


class CharacterFields(EditedCharacter):
    name = name_field()
    aliases = serializers.ListField(child=name_field(), max_length=50, required=False)


class ThingFields(EditedThing):
    name = name_field()
    aliases = serializers.ListField(child=name_field(), max_length=50, required=False)


class ThreadFields(EntryFields):
    kind = serializers.ChoiceField(choices=get_args(ForeshadowingKind))
    description = Text(max_length=2000)
    keywords = serializers.ListField(child=name_field(), max_length=50, required=False)
    chapter_number = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)


class RelationshipFields(EntryFields):
    source = name_field()  # type: ignore[assignment]  # a serializer's own attribute is called so too
    target = name_field()
    relation = name_field()


FORMS: dict[str, type[EntryFields]] = {
    "character": CharacterFields,
    "foreshadowing": ThreadFields,
    "relationship": RelationshipFields,
}


class Add(DecisionKind):
    action = "add"
    needs = ("type", "fields")

    def inputs(self) -> Inputs:
        return {"type": entry_type(), "fields": serializers.DictField(required=False)}

    def validated(self, asked: Asked) -> Asked:
        asked = super().validated(asked)
        form = FORMS.get(asked["type"], ThingFields)
        return {**asked, "fields": checked_fields(form, asked["fields"])}

    def check(self, project_id: uuid.UUID, asked: Asked) -> Params:
        ref, scope, fields = lookup.new_ref(), SCOPES[asked["type"]], asked["fields"]
        params = {**lookup.where(asked), "fields": fields, "ref": ref}
        if scope == "thread":
            _check_chapter(project_id, fields.get("chapter_number"))
            return {**params, "thread": f"writer:{ref}"}
        if scope == "tie":
            for part in ("source", "target"):
                if lookup.holder(project_id, "person", key(fields[part])) is None:
                    raise Refused("fields", f"{part}: " + _("No character has that name."))
            return params
        for name in (fields["name"], *fields.get("aliases", ())):
            lookup.check_free(project_id, asked, name, None, "fields")
        return params

    def rule(self, rules: Rules, decision: Decision, number: int) -> None:
        scope, fields = decision["scope"], decision["fields"]
        if scope in ("person", "thing"):
            for name in (fields["name"], *fields.get("aliases", ())):
                rules.rejected.discard((scope, place(decision, name)))
        rules.added.append(decision)


def _check_chapter(project_id: uuid.UUID, number: int | None) -> None:
    last = Chapter.objects.filter(project_id=project_id).aggregate(n=Max("chapter_number"))["n"]
    if number is not None and number > (last or 0):
        raise Refused("fields", "chapter_number: " + _("The novel has no such chapter."))
