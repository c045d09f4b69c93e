"""What a text would do to the story bible, before it is saved."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.bible import impact
from arboris.bible.fold.impact import Impact, LostFact, OrphanedThread
from arboris.bible.types.entries import Event, Fact, Notice
from arboris.fields import StorableText, WholeNumber
from arboris.novels.models import Chapter
from arboris.workspace.access import own_chapter

Chapters = dict[int, tuple[int, str]]  # number and title by id


class ImpactInputSerializer(serializers.Serializer[Any]):
    content = StorableText(required=False)
    version = WholeNumber(
        min_value=1, required=False, help_text="In place of the text: one of the chapter's."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("content" in attrs) == ("version" in attrs):
            raise serializers.ValidationError(_("Give either the content or a version."))
        return attrs


class PlaceSerializer(serializers.Serializer[Any]):
    """Where a fact stands. All are null and empty where the writer said so."""

    chapter_id = serializers.IntegerField(allow_null=True)
    chapter_number = serializers.IntegerField(allow_null=True)
    chapter_title = serializers.CharField()
    quote = serializers.CharField()


class VanishingSerializer(PlaceSerializer):
    type = serializers.CharField(help_text="That of a finding, or alias.")
    name = serializers.CharField()
    description = serializers.CharField()
    ref = serializers.CharField()


class PayoffSerializer(PlaceSerializer):
    outcome = serializers.CharField()
    description = serializers.CharField()
    ref = serializers.CharField()


class OrphanedThreadSerializer(PlaceSerializer):
    """A foreshadowing whose seed is gone; ``payoffs``: what then rests on nothing."""

    kind = serializers.CharField()
    description = serializers.CharField()
    status = serializers.CharField()
    ref = serializers.CharField()
    payoffs = PayoffSerializer(many=True)


class ContradictionSerializer(PlaceSerializer):
    """As a warning of the bible's inbox; its own place is that of ``later``."""

    kind = serializers.CharField()
    subject = serializers.CharField()
    people = serializers.ListField(child=serializers.CharField(), required=False)
    ref = serializers.CharField()
    earlier = PlaceSerializer()
    later = PlaceSerializer()


class ImpactSerializer(serializers.Serializer[Any]):
    vanishing = VanishingSerializer(many=True)
    orphaned_threads = OrphanedThreadSerializer(many=True)
    contradictions = ContradictionSerializer(many=True)


class ChapterImpact(APIView):
    @extend_schema(request=ImpactInputSerializer, responses={200: ImpactSerializer})
    def post(self, request: Request, chapter_id: int) -> Response:
        """Facts that would vanish, threads that would lose their seed, new contradictions.

        Nothing is saved. A finding holds if its quote still stands in the text; a version that was
        analysed is judged by its own findings.
        """
        chapter = own_chapter(request, chapter_id)
        form = ImpactInputSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(_as_dict(chapter, _asked(chapter, form.validated_data)))


def _asked(chapter: Chapter, data: dict[str, Any]) -> Impact:
    if "content" in data:
        return impact.of_text(chapter, data["content"])
    version = chapter.versions.filter(number=data["version"]).first()
    if version is None:
        said = _("There is no version %(number)d.") % {"number": data["version"]}
        raise exceptions.ValidationError({"version": [said]})
    return impact.of_version(chapter, version)


def _as_dict(chapter: Chapter, found: Impact) -> dict[str, Any]:
    rows = Chapter.objects.filter(project_id=chapter.project_id)
    chapters: Chapters = {
        pk: (number, title)
        for pk, number, title in rows.values_list("pk", "chapter_number", "title")
    }
    answer = {
        "vanishing": [_lost(one, chapters) for one in found.vanishing],
        "orphaned_threads": [_orphaned(one, chapters) for one in found.orphaned_threads],
        "contradictions": [contradiction(one, chapters) for one in found.contradictions],
    }
    for entries in answer.values():
        entries.sort(key=lambda entry: entry["chapter_number"] or 0)
    return answer


def _place(chapter_id: int | None, quote: str, chapters: Chapters) -> dict[str, Any]:
    number, title = chapters.get(chapter_id, (None, "")) if chapter_id else (None, "")
    return {
        "chapter_id": chapter_id,
        "chapter_number": number,
        "chapter_title": title,
        "quote": quote,
    }


def _fact(fact: Fact, chapters: Chapters) -> dict[str, Any]:
    return {**_place(fact.chapter_id, fact.quote, chapters), "ref": fact.ref}


def _lost(one: LostFact, chapters: Chapters) -> dict[str, Any]:
    said = {"type": one.type, "name": one.name, "description": one.description}
    return {**said, **_fact(one.fact, chapters)}


def _orphaned(one: OrphanedThread, chapters: Chapters) -> dict[str, Any]:
    said = {"kind": one.thread.kind, "description": one.description, "status": one.status}
    payoffs = [_payoff(event, chapters) for event in one.payoffs]
    return {**said, **_fact(one.thread.fact, chapters), "payoffs": payoffs}


def _payoff(event: Event, chapters: Chapters) -> dict[str, Any]:
    said = {"outcome": event.outcome, "description": event.description}
    return {**said, **_fact(event.fact, chapters)}


def contradiction(notice: Notice, chapters: Chapters) -> dict[str, Any]:
    """As ContradictionSerializer has it; ``chapters`` has those of both passages."""
    sides = {
        side: _place(notice.data[side]["chapter_id"], notice.data[side]["quote"], chapters)
        for side in ("earlier", "later")
    }
    said = {"kind": notice.kind, "subject": notice.subject, "ref": notice.ref}
    more = {"people": notice.data["people"]} if "people" in notice.data else {}
    return {**said, **more, **sides["later"], **sides}
