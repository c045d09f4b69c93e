"""The log of calls to language models, its sums, and budgets that are used up."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import queue
from analysis.admin.actions import ReasonForm
from analysis.admin.control import recorded
from arboris.admin_base import ReadOnlyAdmin, writers_named
from arboris.admin_ways import Sought, Way, numbered, of_those, sought, within
from arboris.llm.accounting import budget, sums
from arboris.llm.accounting.admission import CANCELLED, OK
from arboris.llm.models import (
    BudgetStop,
    CallCounter,
    CallSlot,
    ModelCall,
    SpendCounter,
    SpendSum,
)
from arboris.novels.admin import novels_named
from arboris.novels.models import NovelProject

Calls = QuerySet[ModelCall]
Kind = SpendSum.Kind
MONTHS = 14  # as long as rows are kept, by default
LINES = 20  # of each table of sums: the dearest


def month_named(text: str | None) -> datetime | None:
    try:
        month = datetime.strptime(text or "", "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        return None
    return None if month.year == datetime.max.year else month


class MonthFilter(admin.SimpleListFilter):
    title = gettext_lazy("month (UTC)")
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        now = datetime.now(UTC)
        numbers = [now.year * 12 + now.month - 1 - back for back in range(MONTHS)]
        names = [f"{number // 12}-{number % 12 + 1:02}" for number in numbers]
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: Calls) -> Calls:
        month = month_named(self.value())
        if month is None:
            return queryset
        return queryset.filter(created_at__gte=month, created_at__lt=budget.next_month(month))


class _CounterFilter(admin.SimpleListFilter):
    """The values that the counters know: the call log may have millions of rows."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        column = str(self.parameter_name)
        values = SpendCounter.objects.values_list(column, flat=True).distinct()
        return [(value, value) for value in values.order_by(column)[:100]]

    def queryset(self, request: HttpRequest, queryset: Calls) -> Calls:
        value = self.value()
        return queryset.filter(**{str(self.parameter_name): value}) if value else queryset


class PurposeFilter(_CounterFilter):
    title = gettext_lazy("purpose")
    parameter_name = "purpose"


class ModelFilter(_CounterFilter):
    title = gettext_lazy("model")
    parameter_name = "model"


class OutcomeFilter(admin.SimpleListFilter):
    title = gettext_lazy("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            (OK, _("answered")),
            (CANCELLED, _("cancelled")),
            ("failed", _("failed")),
        ]

    def queryset(self, request: HttpRequest, queryset: Calls) -> Calls:
        if self.value() == "failed":
            return queryset.exclude(outcome__in=[OK, CANCELLED])
        return queryset.filter(outcome=self.value()) if self.value() else queryset


@admin.register(ModelCall)
class ModelCallAdmin(ReadOnlyAdmin[ModelCall]):
    list_display = (
        "created_at",
        "model",
        "endpoint",
        "purpose",
        "task_id",
        "prompt_tokens",
        "completion_tokens",
        "estimated_tokens",
        "cost",
        "outcome",
        "seconds",
        "instead_of",
    )
    list_filter = (MonthFilter, PurposeFilter, ModelFilter, OutcomeFilter)
    search_fields = ("=task_id",)  # shows the search box; get_search_results does the search
    search_help_text = gettext_lazy(
        "Number of an analysis, id of a novel, or beginning of its title or of a writer's name"
    )
    ordering = ("-created_at", "-id")
    change_list_template = "admin/analysis/calls.html"

    def way(self, params: Mapping[str, Any]) -> Way:
        month = month_named(params.get("month"))
        if month is None:
            return super().way(params)
        until = budget.next_month(month)
        where = Q(created_at__gte=month, created_at__lt=until)
        return within(Way(where, self.ordering, frozenset({"month"})), params)

    def seek(self, term: str) -> list[Sought]:
        if found := numbered(term, "task_id"):
            return found
        newest = ("-created_at",)
        with contextlib.suppress(ValueError):  # then it is a name or a title
            return [sought(Q(project_id=uuid.UUID(term)), newest)]
        return [
            of_those(ModelCall, "user_id", writers_named(term), newest),
            of_those(ModelCall, "project_id", novels_named(term), newest),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With the sums of the month that is chosen, or of this one."""
        month = month_named(request.GET.get("month")) or datetime.now(UTC)
        return super().changelist_view(request, (extra_context or {}) | _sums(month))


def _sums(moment: datetime) -> dict[str, Any]:
    month = sums.month_of(moment)
    return {
        "sums_month": month.strftime("%Y-%m"),
        "sums_currency": settings.ARBORIS_LLM_CURRENCY,
        "sums": [
            (_("By purpose"), _lines(month, Kind.PURPOSE)),
            (_("By novel"), _lines(month, Kind.NOVEL, NovelProject.everything, uuid.UUID)),
            (
                _("By writer"),
                _lines(month, Kind.WRITER, get_user_model()._default_manager, int),
            ),
            (_("By model"), _lines(month, Kind.MODEL)),
        ],
    }


def _lines(
    month: date, kind: Kind, named: Any = None, key: Callable[[str], Any] = str
) -> list[dict[str, Any]]:
    """The dearest; ``named``: where the names of its ids are found, if it has ids."""
    found = list(sums.dearest(month, kind)[:LINES])
    names = named.in_bulk([key(line.subject) for line in found]) if named else {}
    return [
        {
            "name": names.get(key(line.subject), key(line.subject)),
            "number": line.calls,
            "prompt": line.prompt_tokens,
            "completion": line.completion_tokens,
            "total": line.cost,
        }
        for line in found
    ]


@admin.action(
    description=gettext_lazy("Go on for the rest of the month"), permissions=["change_stop"]
)
def lift_now(modeladmin: Any, request: HttpRequest, stops: QuerySet[BudgetStop]) -> None:
    reason = request.POST.get("reason", "")
    lifted = 0
    for stop in stops.order_by("pk"):
        lift = partial(queue.lift, stop.pk)
        lifted += recorded(request, "lift_budget", lift, reason=reason, subject=stop.subject)
    text = ngettext("%(count)d budget was lifted.", "%(count)d budgets were lifted.", lifted)
    modeladmin.message_user(request, text % {"count": lifted})


@admin.register(BudgetStop)
class BudgetStopAdmin(ReadOnlyAdmin[BudgetStop]):
    list_display = ("subject", "month", "budget", "user_id", "stopped_at", "lifted_at")
    ordering = ("-pk",)
    action_form = ReasonForm
    actions = (lift_now,)

    def has_change_stop_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("llm.change_budgetstop")


@admin.register(SpendCounter)
class SpendCounterAdmin(ReadOnlyAdmin[SpendCounter]):
    list_display = ("model", "purpose", "prompt_tokens", "completion_tokens", "cost", "shard")
    ordering = ("shard", "model", "purpose")


@admin.register(SpendSum)
class SpendSumAdmin(ReadOnlyAdmin[SpendSum]):
    list_display = (
        "month",
        "kind",
        "subject",
        "calls",
        "prompt_tokens",
        "completion_tokens",
        "cost",
    )
    list_filter = ("kind",)
    ordering = ("-pk",)


@admin.register(CallCounter)
class CallCounterAdmin(ReadOnlyAdmin[CallCounter]):
    list_display = ("endpoint", "model", "outcome", "calls", "seconds", "shard")
    ordering = ("shard", "endpoint", "model", "outcome")


@admin.register(CallSlot)
class CallSlotAdmin(ReadOnlyAdmin[CallSlot]):
    list_display = ("endpoint", "number", "expires_at")
    ordering = ("endpoint", "number")
