"""What every kind of decision says of itself; the kinds are listed in ``kinds``."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers

from arboris.bible.decisions.rules import Decision, Rules
from arboris.bible.types.entries import Scope
from arboris.fields import Text

# The types of entries as the API calls them, and the scope in which the fold keeps each.
SCOPES: dict[str, Scope] = {
    "character": "person",
    "location": "thing",
    "faction": "thing",
    "item": "thing",
    "rule": "thing",
    "foreshadowing": "thread",
    "relationship": "tie",
}
NAMED = tuple(name for name, scope in SCOPES.items() if scope in ("person", "thing"))
Asked = dict[str, Any]  # a request's body, validated
Inputs = dict[str, "serializers.Field[Any, Any, Any, Any]"]
Params = dict[str, Any]  # what is stored of a decision: names, not ids, so that rows may go


class Refused(Exception):
    """The bible as it stands does not allow the decision; ``field`` of the request is at fault."""

    def __init__(self, field: str, message: str, *, conflict: bool = False) -> None:
        super().__init__(message)
        self.field = field
        self.conflict = conflict


class DecisionKind(ABC):
    """One kind of decision: what a request gives, whether it may be made, what the fold does."""

    action: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ("type", "id")  # fields that a request must give
    only_named: ClassVar[bool] = False  # whether the entry must be of a type that has names

    def inputs(self) -> Inputs:
        """The request's fields beside ``action``, each ``required=False``; ``needs`` says which
        must be there."""
        return {"type": entry_type(), "id": whole()}

    def validated(self, asked: Asked) -> Asked:
        """The request's body where its fields fit together; raises ValidationError."""
        for name in self.needs:
            if name not in asked:
                raise serializers.ValidationError({name: [_("This field is required.")]})
        if self.only_named and asked["type"] not in NAMED:
            raise serializers.ValidationError(
                {"type": [_("Only characters and entries of the world have names.")]}
            )
        return asked

    @abstractmethod
    def check(self, project_id: uuid.UUID, asked: Asked) -> Params:
        """What is stored of the decision; raises Refused. The caller holds the project's lock."""

    @abstractmethod
    def rule(self, rules: Rules, decision: Decision, number: int) -> None:
        """Enter the decision, the ``number``-th of the novel, into the fold's rules."""

    def changes(self, project_id: uuid.UUID, params: Params) -> list[tuple[Scope, str]] | None:
        """The entries, by scope and natural key, that the decision changes; None: any may be."""
        return None


def entry_type() -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=list(SCOPES), required=False)


def whole() -> serializers.IntegerField:
    return serializers.IntegerField(required=False)


def name_field(**options: Any) -> Text:
    return Text(max_length=100, **options)


def words_field(**options: Any) -> Text:
    return Text(max_length=2000, allow_blank=True, required=False, **options)


class EntryFields(serializers.Serializer[Any]):
    """Fields of an entry; one that it does not have is refused by its name."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            raise serializers.ValidationError({unknown[0]: [_("There is no such field.")]})
        return super().to_internal_value(data)


def checked_fields(form: type[EntryFields], given: dict[str, Any]) -> dict[str, Any]:
    """The fields as ``form`` takes them; raises ValidationError, also where there are none."""
    filled = form(data=given)
    if not filled.is_valid():
        raise serializers.ValidationError({"fields": filled.errors})
    if not filled.validated_data:
        raise serializers.ValidationError({"fields": [_("There is nothing to change.")]})
    return dict(filled.validated_data)
