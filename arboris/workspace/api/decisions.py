"""The writer's word about the bible: decisions, what waits for one, and the bible to take away."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.bible.fold.writer_entries import PERSON_FIELDS
from arboris.bible.models import Decision
from arboris.rest import Conflict, whole_parameter
from arboris.workspace import bible, decisions, export, inbox
from arboris.workspace.access import own_project
from arboris.workspace.fields import Text

ACTIONS = ("accept", "reject", "edit", "merge", "split", "rename", "add")
NEEDS = {
    "accept": ("ref",),
    "edit": ("type", "id", "fields"),
    "merge": ("type", "id", "into"),
    "split": ("type", "id", "alias"),
    "rename": ("type", "id", "name"),
    "add": ("type", "fields"),
}
NAMED = ("character", "location", "faction", "item", "rule")


def _name(**options: Any) -> Text:
    return Text(max_length=100, **options)


def _words(**options: Any) -> Text:
    return Text(max_length=2000, allow_blank=True, required=False, **options)


class _Fields(serializers.Serializer[Any]):
    """Fields of an entry; one that it does not have is refused by its name."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            raise serializers.ValidationError({unknown[0]: [_("There is no such field.")]})
        return super().to_internal_value(data)


class EditedCharacter(_Fields):
    role = serializers.ChoiceField(choices=["main", "supporting", "minor"], required=False)
    description = _words()
    personality = _words()
    goals = _words()
    abilities = _words()


class EditedThing(_Fields):
    description = _words()


class CharacterFields(EditedCharacter):
    name = _name()
    aliases = serializers.ListField(child=_name(), max_length=50, required=False)


class ThingFields(EditedThing):
    name = _name()
    aliases = serializers.ListField(child=_name(), max_length=50, required=False)


class ThreadFields(_Fields):
    kind = serializers.ChoiceField(choices=["mystery", "prophecy", "hint", "setup"])
    description = Text(max_length=2000)
    keywords = serializers.ListField(child=_name(), max_length=50, required=False)
    chapter_number = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)


class TieFields(_Fields):
    source = _name()  # type: ignore[assignment]  # a serializer's own attribute is called so too
    target = _name()
    relation = _name()


class EditedThread(_Fields):
    description = Text(max_length=2000, required=False)
    kind = serializers.ChoiceField(choices=["mystery", "prophecy", "hint", "setup"], required=False)
    status = serializers.ChoiceField(
        choices=["open", "advanced", "paid_off", "abandoned"], required=False
    )


ADDED: dict[str, type[_Fields]] = {"character": CharacterFields, "foreshadowing": ThreadFields}
ADDED["relationship"] = TieFields
EDITED: dict[str, type[_Fields]] = {"character": EditedCharacter, "foreshadowing": EditedThread}
assert {*PERSON_FIELDS} == {*EditedCharacter._declared_fields}


class DecisionSerializer(serializers.Serializer[Any]):
    """``type`` and ``id`` name an entry as GET …/bible gives it, ``ref`` a single fact or
    notice."""

    action = serializers.ChoiceField(choices=ACTIONS)
    type = serializers.ChoiceField(choices=list(decisions.SCOPES), required=False)
    id = serializers.IntegerField(required=False)
    into = serializers.IntegerField(required=False)
    thread = serializers.IntegerField(required=False)
    name = _name(required=False)
    alias = _name(required=False)
    ref = Text(max_length=16, required=False)
    fields_ = serializers.DictField(required=False)

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        fields["fields"] = fields.pop("fields_")  # a serializer's own attribute has that name
        return fields

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        action = attrs["action"]
        needs = NEEDS.get(action) or (("ref",) if "ref" in attrs else ("type", "id"))
        for name in needs:
            if name not in attrs:
                raise serializers.ValidationError({name: [_("This field is required.")]})
        kind = attrs.get("type")
        if action in ("merge", "split", "rename") and kind not in NAMED:
            raise serializers.ValidationError(
                {"type": [_("Only characters and entries of the world have names.")]}
            )
        if action in ("add", "edit"):
            attrs["fields"] = _checked_fields(action, str(kind), attrs["fields"])
        return attrs


def _checked_fields(action: str, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    if action == "edit" and kind == "relationship":
        raise serializers.ValidationError({"type": [_("A relationship can be rejected or added.")]})
    forms = ADDED if action == "add" else EDITED
    form = forms.get(kind, ThingFields if action == "add" else EditedThing)(data=given)
    if not form.is_valid():
        raise serializers.ValidationError({"fields": form.errors})
    if not form.validated_data:
        raise serializers.ValidationError({"fields": [_("There is nothing to change.")]})
    return dict(form.validated_data)


class DecisionRowSerializer(serializers.ModelSerializer[Decision]):
    by = serializers.CharField(source="user.username", default=None)

    class Meta:
        model = Decision
        fields = ["id", "action", "params", "by", "created_at", "undone_at"]


class DecisionList(APIView):
    @extend_schema(responses={200: DecisionRowSerializer(many=True)})
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        """The history, newest first."""
        project = own_project(request, project_id)
        limit = whole_parameter(request, "limit", 100, high=1000)
        rows = Decision.objects.filter(project=project).select_related("user").order_by("-pk")
        return Response(DecisionRowSerializer(rows[:limit], many=True).data)

    @extend_schema(request=DecisionSerializer, responses={201: DecisionRowSerializer})
    def post(self, request: Request, project_id: uuid.UUID) -> Response:
        project = own_project(request, project_id)
        form = DecisionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        assert request.user.pk is not None
        try:
            made = decisions.decide(project.pk, request.user.pk, form.validated_data)
        except decisions.Refused as refused:
            raise _as_api_error(refused) from refused
        return Response(DecisionRowSerializer(made).data, status=201)


class DecisionUndo(APIView):
    @extend_schema(request=None, responses={200: DecisionRowSerializer})
    def post(self, request: Request, project_id: uuid.UUID, decision_id: int) -> Response:
        project = own_project(request, project_id)
        try:
            undone = decisions.undo(project.pk, decision_id)
        except decisions.Refused as refused:
            raise _as_api_error(refused) from refused
        return Response(DecisionRowSerializer(undone).data)


class InboxView(APIView):
    @extend_schema(responses={200: dict[str, Any]})
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        """What waits for the writer: findings, questions, and contradictions."""
        return Response(inbox.as_dict(own_project(request, project_id)))


class ExportView(APIView):
    @extend_schema(responses={200: str})
    def get(self, request: Request, project_id: uuid.UUID, kind: str) -> HttpResponse:
        project = own_project(request, project_id)
        body, content_type = export.FORMATS[kind](project)
        response = HttpResponse(body, content_type=content_type)
        response.headers["Content-Disposition"] = f'attachment; filename="bible.{kind}"'
        return response


def _as_api_error(refused: decisions.Refused) -> exceptions.APIException:
    if refused.conflict:
        return Conflict(str(refused))
    return exceptions.ValidationError({refused.field: [str(refused)]})


class BibleView(APIView):
    @extend_schema(responses={200: dict[str, Any]})
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        return Response(bible.as_dict(own_project(request, project_id)))
