"""Who and what of the story bible a chapter's text may name, and what is known of each there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arboris.bible import behind
from arboris.bible.models import Character, Finding, ForeshadowingThread, WorldEntity
from arboris.novels.models import Chapter
from arboris.workspace.access import own_chapter

CLOSED = ("paid_off", "abandoned")
MOST_OPEN = 5  # threads on a card


@dataclass(frozen=True, slots=True)
class Named:
    """An entry with a name: ``type`` is ``character`` or the kind of a world entry."""

    type: str
    row: Character | WorldEntity

    @property
    def names(self) -> list[str]:
        """The name and the other names, the name first."""
        row = self.row
        others = (
            {alias.name for alias in row.aliases.all()}
            if isinstance(row, Character)
            else set(row.aliases)
        )
        return [row.name, *sorted(others - {row.name})]

    def brief(self) -> dict[str, Any]:
        return {"type": self.type, "id": self.row.pk, "names": self.names}


def cast(chapter: Chapter) -> list[dict[str, Any]]:
    """``[{type, id, names}]`` of the novel, the most named first."""
    behind.is_folded_behind(chapter.project_id)
    people = Character.objects.filter(project_id=chapter.project_id).prefetch_related("aliases")
    things = WorldEntity.objects.filter(project_id=chapter.project_id)
    found = [Named("character", row) for row in people] + [Named(row.kind, row) for row in things]
    found.sort(key=lambda one: (-one.row.mentions, one.row.name))
    return [one.brief() for one in found if one.type != "rule"]


def card(chapter: Chapter, kind: str, entry_id: int) -> dict[str, Any]:
    """What is known of one entry when this chapter begins and in it. Raises Http404.

    ``states``: the newest of each kind up to this chapter. ``last_seen``: the chapter before this
    one that names it. ``open``: threads planted up to here that name it and are not closed.
    """
    behind.is_folded_behind(chapter.project_id)
    own = {"project_id": chapter.project_id, "pk": entry_id}
    row: Character | WorldEntity | None = (
        Character.objects.filter(**own).first()
        if kind == "character"
        else WorldEntity.objects.filter(**own, kind=kind).first()
    )
    if row is None:
        raise Http404
    named = Named(kind, row)
    return {
        **named.brief(),
        "description": row.description,
        "role": row.role if isinstance(row, Character) else "",
        "states": _states(chapter, row) if isinstance(row, Character) else [],
        "last_seen": _last_seen(chapter, named),
        "open": _open_threads(chapter, named),
    }


def _states(chapter: Chapter, person: Character) -> list[dict[str, Any]]:
    states = person.states.filter(
        Q(chapter=None) | Q(chapter__chapter_number__lte=chapter.chapter_number),
        chapter__deleted_at=None,
    ).select_related("chapter")
    newest: dict[str, dict[str, Any]] = {}
    for state in sorted(states, key=lambda one: (_number(one.chapter), one.pk)):
        newest[state.kind] = {
            "kind": state.kind,
            "description": state.description,
            **_place(state.chapter),
        }
    return list(newest.values())


def _last_seen(chapter: Chapter, named: Named) -> dict[str, Any] | None:
    types = ("appearance", "character") if named.type == "character" else (named.type,)
    before = (
        Finding.objects.filter(
            project_id=chapter.project_id,
            current=True,
            type__in=types,
            payload__name__in=named.names,
            chapter__deleted_at=None,
            chapter__chapter_number__lt=chapter.chapter_number,
        )
        .select_related("chapter")
        .order_by("-chapter__chapter_number")
        .first()
    )
    return _place(before.chapter) if before else None


def _open_threads(chapter: Chapter, named: Named) -> list[dict[str, Any]]:
    threads = (
        ForeshadowingThread.objects.filter(
            project_id=chapter.project_id, chapter_number__lte=chapter.chapter_number
        )
        .exclude(status__in=CLOSED)
        .select_related("chapter")
        .order_by("-chapter_number", "pk")
    )
    about = [
        {"id": thread.pk, "description": thread.description, **_place(thread.chapter)}
        for thread in threads
        if any(
            name in thread.keywords or name in thread.description or name in thread.quote
            for name in named.names
        )
    ]
    return about[:MOST_OPEN]


def _number(chapter: Chapter | None) -> int:
    return chapter.chapter_number if chapter else 0


def _place(chapter: Chapter | None) -> dict[str, Any]:
    """Where it is written; both None where the writer said so."""
    if chapter is None:
        return {"chapter_id": None, "chapter_number": None, "chapter_title": ""}
    return {
        "chapter_id": chapter.pk,
        "chapter_number": chapter.chapter_number,
        "chapter_title": chapter.title,
    }


class CastView(APIView):
    @extend_schema(operation_id="chapters_cast_list", responses={200: list[dict[str, Any]]})
    def get(self, request: Request, chapter_id: int) -> Response:
        """The names that the text of a chapter may hold: ``[{type, id, names}]``."""
        return Response(cast(own_chapter(request, chapter_id)))


class CastCard(APIView):
    @extend_schema(responses={200: dict[str, Any]})
    def get(self, request: Request, chapter_id: int, kind: str, entry_id: int) -> Response:
        """One of them: who it is, its state as of this chapter, last seen, what is open."""
        return Response(card(own_chapter(request, chapter_id), kind, entry_id))
