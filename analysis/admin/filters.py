"""Filters and search of the list of analyses, each entering the big table through an index."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from analysis.errors import ERRORS, SUPERSEDED
from analysis.models import PendingAnalysis, Status
from arboris.admin_base import as_number, first_ids, having
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


def search(tasks: Tasks, term: str, *, everything: bool = False) -> Tasks:
    """By number, novel, writer or error; for the list, each part brings at most its newest 1,000.

    One query a part instead of one OR over three tables, which no index would serve. An action on
    all that a search finds wants ``everything``, and takes the time for that.
    """
    term = term.strip()
    if not term:
        return tasks
    novels = having(NovelProject.objects.all(), "title", term)
    users = having(get_user_model()._default_manager.all(), "username", term)
    tasks = tasks.alias(message=Lower("error_message"))
    parts = [
        Q(project_id__in=novels.values("pk") if everything else first_ids(novels, "-created_at")),
        Q(user_id__in=users.values("pk") if everything else first_ids(users, "pk")),
        Q(status__in=WITH_ERRORS, error_type__contains=term.lower()),
        Q(status__in=WITH_ERRORS, message__contains=term.lower()),
    ]
    if (number := as_number(term)) is not None:
        parts.append(Q(pk=number))
    if everything:
        return tasks.filter(reduce(or_, parts))
    found = {pk for part in parts for pk in first_ids(tasks.filter(part), "-pk")}
    return tasks.filter(pk__in=found)
