"""Novels and their chapters. Texts come in through the site: here they are read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.db.models import BooleanField, Case, Model, Q, QuerySet, When
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from arboris.admin_base import BoundedAdmin, M, ReadOnlyAdmin, RecordAdmin, writers_named
from arboris.admin_lists import LOOK
from arboris.admin_ways import Sought, Way, beginning, numbered, of_those, sought
from arboris.novels import services
from arboris.novels.models import (
    Chapter,
    ChapterVersion,
    ImportJob,
    ImportUpload,
    ImportUploadPart,
    NovelProject,
    Volume,
    WorkingCopy,
)


@admin.register(NovelProject)
class NovelProjectAdmin(BoundedAdmin[NovelProject]):
    list_display = ("title", "owner", "language", "genre", "created_at", "updated_at")
    list_filter = ("language",)
    list_select_related = ("owner",)
    search_fields = ("title", "owner__username")  # shows the search box; seek does the search
    search_help_text = _("Beginning of the title, or of the writer's name")
    ordering = ("-created_at",)
    autocomplete_fields = ("owner",)
    readonly_fields = ("id", "created_at", "updated_at")
    fields = ("id", "owner", "title", "genre", "synopsis", "language", "created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[NovelProject]:
        """Without those in the trash, and without its index, which leads to nearly all others."""
        kept = Case(When(deleted_at=None, then=True), default=False, output_field=BooleanField())
        ordering = self.get_ordering(request)
        return NovelProject.everything.filter(kept).order_by(*ordering)

    def get_readonly_fields(
        self, request: HttpRequest, obj: NovelProject | None = None
    ) -> tuple[str, ...]:
        # The chapters' analyses and notifications carry their writer too.
        return ("owner", *self.readonly_fields) if obj else self.readonly_fields

    def seek(self, term: str) -> list[Sought]:
        newest = ("-created_at",)
        owned = of_those(NovelProject, "owner_id", writers_named(term), newest)
        return [sought(beginning("title", term), ()), owned]

    def save_model(
        self, request: HttpRequest, obj: NovelProject, form: ModelForm[NovelProject], change: bool
    ) -> None:
        if change:  # named columns only: the row may have changed since the page was opened
            obj.save(update_fields=[*form.changed_data, "updated_at"])
        else:
            obj.save()

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Around the whole view: after a deadlock its log entry is undone too."""
        view = super().delete_view
        if request.method != "POST":
            return view(request, object_id, extra_context)
        return services.removing(lambda: view(request, object_id, extra_context))

    def delete_model(self, request: HttpRequest, obj: NovelProject) -> None:
        with contextlib.suppress(NovelProject.DoesNotExist):  # somebody else was first
            services.lock_project(obj.pk).delete()

    def get_deleted_objects(
        self, objs: Iterable[Any] | QuerySet[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """How much goes along, in numbers: a long novel has a hundred thousand rows."""
        novels = list(objs)
        chapters = Chapter.objects.filter(project__in=novels).count()
        text = ngettext(
            "%(title)s with %(count)d chapter and all that was found in it",
            "%(title)s with %(count)d chapters and all that was found in them",
            chapters,
        )
        titles = ", ".join(str(novel) for novel in novels)
        counts = {
            str(NovelProject._meta.verbose_name_plural): len(novels),
            str(Chapter._meta.verbose_name_plural): chapters,
        }
        return [text % {"title": titles, "count": chapters}], counts, set(), []


class OfANovel(RecordAdmin[M]):
    """Rows found by their novel's title; ``novel`` is the column that leads to it."""

    novel = "project_id"
    search_help_text = _("Number, or beginning of a novel's title")

    def seek(self, term: str) -> list[Sought]:
        return numbered(term) or by_novel(self.model, self.novel, term)


class ShowsText(RecordAdmin[M]):
    """``texts``, fields with the words of chapters: for those alone who may read them, each look
    recorded. A list does without them."""

    texts: tuple[str, ...] = ("content",)

    def get_fields(self, request: HttpRequest, obj: M | None = None) -> Any:
        names = super().get_fields(request, obj)
        if request.user.has_perm("novels.read_text"):
            return names
        return [name for name in names if name not in self.texts]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        row = self.get_object(request, object_id)
        # Also a change that is refused shows the page again.
        shown = response.status_code == 200 and request.user.has_perm("novels.read_text")
        if row is not None and shown:
            self.log_change(request, row, gettext("The text was read."))
        return response


class TextOfAChapter(ShowsText[M], OfANovel[M], ReadOnlyAdmin[M]):
    """Whole texts."""

    novel = "chapter__project_id"
    list_defer = ("content",)


@admin.register(Volume)
class VolumeAdmin(OfANovel[Volume], ReadOnlyAdmin[Volume]):
    list_display = ("id", "project", "position", "title")
    list_select_related = ("project",)
    search_fields = ("=id", "project__title")
    ordering = ("-id",)
    fields = ("project", "position", "title")


@admin.register(Chapter)
class ChapterAdmin(ShowsText[Chapter], OfANovel[Chapter]):
    texts = ("summary",)  # mostly sentences of the text
    list_display = ("id", "project", "chapter_number", "title", "word_count", "version")
    list_select_related = ("project",)
    search_fields = ("=id", "project__title")
    ordering = ("-id",)
    fields = (
        "project",
        "chapter_number",
        "title",
        "summary",
        "word_count",
        "version",
        "created_at",
        "updated_at",
    )
    readonly_fields = tuple(name for name in fields if name != "title")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Chapter]:
        return super().get_queryset(request).select_related("project")

    def save_model(
        self, request: HttpRequest, obj: Chapter, form: ModelForm[Chapter], change: bool
    ) -> None:
        obj.save(update_fields=[*form.changed_data, "updated_at"])


@admin.display(description=_("in the trash"), boolean=True)
def in_trash(row: ChapterVersion | WorkingCopy) -> bool:
    """Where its chapter or its novel was deleted and can be restored."""
    return bool(row.chapter.deleted_at or row.chapter.project.deleted_at)


@admin.register(ChapterVersion)
class ChapterVersionAdmin(TextOfAChapter[ChapterVersion]):
    list_display = ("id", "chapter", "number", "name", "source", "created_at", in_trash)
    list_filter = ("source",)
    list_select_related = ("chapter__project",)
    search_fields = ("=id", "chapter__project__title")
    ordering = ("-id",)
    fields = ("chapter", "number", "name", "source", "created_at", "content")


@admin.register(ImportUpload)
class ImportUploadAdmin(ReadOnlyAdmin[ImportUpload]):
    list_display = ("id", "owner", "project", "encoding", "created_at", "imported_at")
    list_select_related = ("owner", "project")
    search_fields = ("project__title",)
    ordering = ("-created_at",)
    fields = ("id", "owner", "project", "encoding", "created_at", "imported_at")

    def seek(self, term: str) -> list[Sought]:
        return by_novel(ImportUpload, "project_id", term)


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyAdmin[ImportJob]):
    list_display = (
        "id",
        "upload",
        "state",
        "done",
        "total",
        "error_code",
        "attempts",
        "created_at",
    )
    list_select_related = ("upload",)
    list_filter = ("state",)
    ordering = ("-state", "-created_at")  # those that wait come first
    fields = (
        "id",
        ("upload", "mode", "options"),
        ("state", "done", "total", "attempts"),
        ("error_code", "error"),
        ("created_at", "seen_at", "ended_at"),
        "request_id",
    )

    def way(self, params: Mapping[str, Any]) -> Way:
        if (state := params.get("state__exact")) in ImportJob.State.values:
            return Way(Q(state=state), ("-created_at",), frozenset({"state__exact"}))
        return super().way(params)


@admin.register(ImportUploadPart)
class ImportUploadPartAdmin(ReadOnlyAdmin[ImportUploadPart]):
    """Without the file's content, which is its writer's."""

    list_display = ("id", "upload", "place")
    list_select_related = ("upload",)
    search_fields = ("=id",)
    ordering = ("-id",)
    fields = ("upload", "place")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportUploadPart]:
        return super().get_queryset(request).defer("content")


@admin.register(WorkingCopy)
class WorkingCopyAdmin(TextOfAChapter[WorkingCopy]):
    list_display = ("id", "chapter", "saved_at", in_trash)
    list_select_related = ("chapter__project",)
    search_fields = ("=id", "chapter__project__title")
    ordering = ("-id",)
    fields = ("chapter", "title", "client", "seq", "saved_at", "content")


def novels_named(term: str) -> QuerySet[NovelProject]:
    """Those in the trash too: lists show what belongs to them."""
    return NovelProject.everything.filter(beginning("title", term))


def by_novel(model: type[Model], path: str, term: str) -> list[Sought]:
    """Rows of the novels whose title begins with the words. Where the path leads through another
    table, its newest rows are looked at."""
    between, _dot, column = path.rpartition("__")
    if not between:
        return [of_those(model, path, novels_named(term))]
    table: Any = model._meta.get_field(between).related_model
    ways = []
    for way in of_those(table, column, novels_named(term)).ways:
        first = table._base_manager.filter(way.where).order_by(*way.order)
        keys = list(first.values_list("pk", flat=True)[:LOOK])
        ways.append(Way(Q(**{f"{between}__in": keys}), ()))
    return [Sought(Q(**{f"{path}__in": novels_named(term).values("pk")}), tuple(ways))]
