"""Novels and their chapters. Texts come in through the site: here they are read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from arboris.admin_base import (
    BoundedAdmin,
    M,
    ReadOnlyAdmin,
    RecordAdmin,
    as_number,
    first_ids,
    having,
)
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
    search_fields = ("title", "owner__username")
    ordering = ("-created_at",)
    autocomplete_fields = ("owner",)
    readonly_fields = ("id", "created_at", "updated_at")
    fields = ("id", "owner", "title", "genre", "synopsis", "language", "created_at", "updated_at")

    def get_readonly_fields(
        self, request: HttpRequest, obj: NovelProject | None = None
    ) -> tuple[str, ...]:
        # The chapters' analyses and notifications carry their writer too.
        return ("owner", *self.readonly_fields) if obj else self.readonly_fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[NovelProject], search_term: str
    ) -> tuple[QuerySet[NovelProject], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        users = having(get_user_model()._default_manager.all(), "username", term)
        owners = Q(owner_id__in=first_ids(users, "pk"))
        titled = Q(pk__in=having(NovelProject.objects.all(), "title", term).values("pk"))
        return queryset.filter(owners | titled), False

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
    """Rows found by a word of their novel's title; ``novel`` is the column that leads to it."""

    novel = "project_id"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        return by_novel(queryset, search_term, self.novel), False


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
        shown = request.method == "GET" and request.user.has_perm("novels.read_text")
        if row is not None and shown:
            self.log_change(request, row, gettext("The text was read."))
        return response


class TextOfAChapter(ShowsText[M], OfANovel[M], ReadOnlyAdmin[M]):
    """Whole texts."""

    novel = "chapter__project_id"

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        rows = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and (match.url_name or "").endswith("_changelist"):
            rows = rows.defer("content")
        return rows


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
    search_help_text = NovelProject._meta.verbose_name
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

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ImportUpload], search_term: str
    ) -> tuple[QuerySet[ImportUpload], bool]:
        return by_title(queryset, search_term, "project_id"), False


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
    list_filter = ("state",)
    ordering = ("-created_at",)
    fields = (
        "id",
        ("upload", "mode", "options"),
        ("state", "done", "total", "attempts"),
        ("error_code", "error"),
        ("created_at", "seen_at", "ended_at"),
        "request_id",
    )


@admin.register(ImportUploadPart)
class ImportUploadPartAdmin(ReadOnlyAdmin[ImportUploadPart]):
    """Without the file's content, which is its writer's."""

    list_display = ("id", "upload", "place")
    search_fields = ("=id",)
    ordering = ("-id",)
    fields = ("upload", "place")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportUploadPart]:
        return super().get_queryset(request).defer("content")


def by_title(queryset: QuerySet[Any], term: str, path: str) -> QuerySet[Any]:
    """Rows by a word of the novel's title."""
    if not (term := term.strip()):
        return queryset
    novels = having(NovelProject.objects.all(), "title", term)
    return queryset.filter(**{f"{path}__in": first_ids(novels, "-created_at")})


@admin.register(WorkingCopy)
class WorkingCopyAdmin(TextOfAChapter[WorkingCopy]):
    list_display = ("id", "chapter", "saved_at", in_trash)
    list_select_related = ("chapter__project",)
    search_fields = ("=id", "chapter__project__title")
    ordering = ("-id",)
    fields = ("chapter", "title", "client", "seq", "saved_at", "content")


def by_novel(queryset: QuerySet[Any], term: str, path: str) -> QuerySet[Any]:
    """Rows by their number, or by a word of the novel's title."""
    term = term.strip()
    if not term:
        return queryset
    if (number := as_number(term)) is not None:
        return queryset.filter(pk=number)
    return by_title(queryset, term, path)
