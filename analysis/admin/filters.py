"""Filters and search of the list of analyses, each entering the big table through an index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from analysis.errors import ERRORS, SUPERSEDED
from analysis.models import PendingAnalysis, Status
from arboris.admin_base import FOUND, having
from arboris.novels.models import NovelProject

Tasks = QuerySet[PendingAnalysis]
# A completed task carries no error: leaving them out leaves most of the table out.
WITH_ERRORS = [status for status in Status if status != Status.COMPLETED]


class ErrorTypeFilter(admin.SimpleListFilter):
    title = _("error")
    parameter_name = "error_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(code, code) for code in (*ERRORS, SUPERSEDED)]

    def queryset(self, request: HttpRequest, queryset: Tasks) -> Tasks:
        if not self.value():
            return queryset
        return queryset.filter(status__in=WITH_ERRORS, error_type=self.value())


class PriorityFilter(admin.SimpleListFilter):
    title = _("priority")
    parameter_name = "priority"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(str(number), str(number)) for number in range(10, 0, -1)]

    def queryset(self, request: HttpRequest, queryset: Tasks) -> Tasks:
        value = self.value()
        if not value or not value.isascii() or not value.isdigit() or len(value) > 2:
            return queryset
        # All states by name: the index begins with the state.
        return queryset.filter(status__in=Status.values, priority=int(value))


def search(tasks: Tasks, term: str) -> Tasks:
    """By number, novel, writer or error; each part brings at most its newest 1,000.

    One query a part instead of one OR over three tables, which no index would serve.
    """
    term = term.strip()
    if not term:
        return tasks
    novels = having(NovelProject.objects.all(), "title", term).order_by("-created_at")
    users = having(get_user_model()._default_manager.all(), "username", term).order_by("pk")
    faulty = tasks.filter(status__in=WITH_ERRORS)
    parts = [
        tasks.filter(project_id__in=list(novels.values_list("pk", flat=True)[:FOUND])),
        tasks.filter(user_id__in=list(users.values_list("pk", flat=True)[:FOUND])),
        faulty.filter(error_type__contains=term.lower()),
        having(faulty, "error_message", term),
    ]
    if term.isascii() and term.isdigit() and len(term) < 19:
        parts.append(tasks.filter(pk=int(term)))
    ids: set[int] = set()
    for part in parts:
        ids.update(part.order_by("-pk").values_list("pk", flat=True)[:FOUND])
    return tasks.filter(pk__in=ids)
