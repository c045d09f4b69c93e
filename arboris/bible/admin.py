"""Findings and the bible folded from them, to look at: every analysis writes them anew."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from arboris.admin_base import ReadOnlyAdmin, ReadOnlyInline, prompt_links
from arboris.admin_ways import Sought, numbered
from arboris.bible.models import (
    Character,
    CharacterAlias,
    CharacterState,
    Decision,
    Finding,
    FoldedChapter,
    FoldState,
    ForeshadowingEvent,
    ForeshadowingThread,
    Notice,
    Reading,
    Relationship,
    SearchKey,
    WorldEntity,
)
from arboris.novels.admin import ShowsText, by_novel


class BibleAdmin(ShowsText[Any], ReadOnlyAdmin[Any]):
    """Searched by number or by the beginning of the novel's title.

    All of it rests on quotes: for those who may read texts. Lists do without them.
    """

    novel: ClassVar[str] = "project_id"
    ordering = ("-id",)
    search_fields = ("=id", "novel")  # shows the search box; seek does the search
    search_help_text = _("Number, or beginning of a novel's title")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may_read = request.user.has_perm("novels.read_text")
        return may_read and super().has_view_permission(request, obj)

    def seek(self, term: str) -> list[Sought]:
        return numbered(term) or by_novel(self.model, self.novel, term)


@admin.register(Finding)
class FindingAdmin(BibleAdmin):
    list_display = ("id", "project", "chapter", "type", "confidence", "current")
    exclude = ("prompt",)
    readonly_fields = ("prompt_version",)
    # Not type and feature: for want of choices their filters would read the whole table.
    list_filter = ("current", "verified", "basic")
    list_select_related = ("project", "chapter")

    @admin.display(description=_("prompt"))
    def prompt_version(self, finding: Finding) -> str:
        return prompt_links(finding.prompt)


class FactInline(ReadOnlyInline):
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("chapter")


class AliasInline(FactInline):
    model = CharacterAlias
    fields = ("name", "chapter", "quote", "confidence")


class StateInline(FactInline):
    model = CharacterState
    fields = ("kind", "description", "chapter", "quote", "confidence")


class EventInline(FactInline):
    model = ForeshadowingEvent
    fields = ("outcome", "description", "chapter", "quote", "confidence")


@admin.register(Character)
class CharacterAdmin(BibleAdmin):
    list_display = ("id", "name", "role", "project", "mentions", "last_chapter")
    list_select_related = ("project", "last_chapter")
    inlines = (AliasInline, StateInline)


@admin.register(WorldEntity)
class WorldEntityAdmin(BibleAdmin):
    list_display = ("id", "name", "kind", "project", "chapter", "mentions")
    list_select_related = ("project", "chapter")


@admin.register(ForeshadowingThread)
class ForeshadowingThreadAdmin(BibleAdmin):
    list_display = ("id", "kind", "status", "project", "chapter")
    list_select_related = ("project", "chapter")
    inlines = (EventInline,)


@admin.register(Relationship)
class RelationshipAdmin(BibleAdmin):
    list_display = ("id", "source", "relation", "target", "project", "chapter")
    list_select_related = ("project", "chapter", "source", "target")


@admin.register(CharacterAlias, CharacterState)
class OfCharacterAdmin(BibleAdmin):
    novel = "character__project_id"
    list_display = ("id", "character", "__str__", "chapter", "confidence")
    list_select_related = ("character", "chapter")


@admin.register(ForeshadowingEvent)
class ForeshadowingEventAdmin(BibleAdmin):
    novel = "thread__project_id"
    list_display = ("id", "thread", "outcome", "chapter", "confidence")
    list_select_related = ("thread", "chapter")


@admin.register(Decision)
class DecisionAdmin(BibleAdmin):
    list_display = ("id", "action", "project", "user", "created_at", "undone_at")
    list_select_related = ("project", "user")


@admin.register(Notice)
class NoticeAdmin(BibleAdmin):
    list_display = ("id", "kind", "subject", "project", "chapter")
    list_select_related = ("project", "chapter")


@admin.register(SearchKey)
class SearchKeyAdmin(BibleAdmin):
    list_display = ("id", "scope", "search_key", "natural_key", "partial", "project")
    list_select_related = ("project",)


@admin.register(Reading)
class ReadingAdmin(BibleAdmin):
    novel = "chapter__project_id"
    list_display = ("id", "chapter", "version", "analyzer", "outdated")
    list_select_related = ("chapter", "version")


@admin.register(FoldedChapter)
class FoldedChapterAdmin(BibleAdmin):
    list_display = ("id", "project", "number", "chapter")
    list_select_related = ("project", "chapter")


@admin.register(FoldState)
class FoldStateAdmin(BibleAdmin):
    list_display = ("project", "outdated")
    list_select_related = ("project",)
    ordering = ("project_id",)
    search_fields = ("=project_id", "novel")
