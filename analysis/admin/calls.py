"""The log of calls to language models, its sums, and budgets that are used up."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis import queue
from analysis.admin.actions import ReasonForm
from analysis.admin.control import recorded
from arboris.admin_base import ReadOnlyAdmin, as_number, first_ids, having
from arboris.llm.accounting import budget
from arboris.llm.accounting.admission import CANCELLED, OK
from arboris.llm.models import BudgetStop, CallCounter, CallSlot, ModelCall, SpendCounter
from arboris.novels.models import NovelProject

Calls = QuerySet[ModelCall]
MONTHS = 14  # as long as rows are kept, by default
LINES = 20  # of each table of sums: the dearest


class MonthFilter(admin.SimpleListFilter):
    title = gettext_lazy("month (UTC)")
    parameter_name = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        now = datetime.now(UTC)
        numbers = [now.year * 12 + now.month - 1 - back for back in range(MONTHS)]
        names = [f"{number // 12}-{number % 12 + 1:02}" for number in numbers]
        return [(name, name) for name in names]

    def month(self) -> datetime | None:
        try:
            return datetime.strptime(self.value() or "", "%Y-%m").replace(tzinfo=UTC)
        except ValueError:
            return None

    def queryset(self, request: HttpRequest, queryset: Calls) -> Calls:
        month = self.month()
        if month is None or month.year == datetime.max.year:
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
    search_help_text = gettext_lazy("Number of an analysis, novel (title or id) or writer")
    ordering = ("-created_at", "-id")
    change_list_template = "admin/analysis/calls.html"

    def get_search_results(
        self, request: HttpRequest, queryset: Calls, search_term: str
    ) -> tuple[Calls, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if (number := as_number(term)) is not None:
            return queryset.filter(task_id=number), False
        with contextlib.suppress(ValueError):  # then it is a name or a title
            return queryset.filter(project_id=uuid.UUID(term)), False
        writers = having(get_user_model()._default_manager.all(), "username", term)
        if ids := first_ids(writers, "pk"):
            return queryset.filter(user_id__in=ids), False
        novels = having(NovelProject.objects.all(), "title", term)
        return queryset.filter(project_id__in=first_ids(novels, "-created_at")), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With the sums of what is shown, of this month where none is chosen."""
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        changes = context.get("cl") if context else None
        if isinstance(changes, ChangeList):
            response.context_data |= _sums(changes)  # type: ignore[attr-defined]
        return response


def _sums(changes: ChangeList) -> dict[str, Any]:
    calls = changes.queryset.order_by()
    month = next(
        (spec.month() for spec in changes.filter_specs if isinstance(spec, MonthFilter)), None
    )
    if month is None:
        month = budget.month_of(datetime.now(UTC))
        calls = calls.filter(created_at__gte=month)
    return {
        "sums_month": month.strftime("%Y-%m"),
        "sums_currency": settings.ARBORIS_LLM_CURRENCY,
        "sums": [
            (_("By purpose"), _lines(calls, "purpose", {})),
            (_("By novel"), _lines(calls, "project_id", NovelProject.objects)),
            (_("By writer"), _lines(calls, "user_id", get_user_model()._default_manager)),
            (_("By model"), _lines(calls, "model", {})),
        ],
    }


def _lines(calls: Calls, column: str, named: Any) -> list[dict[str, Any]]:
    """The dearest by ``column``; ``named``: where the names of its ids are found, if it has ids."""
    sums = calls.values(column).annotate(
        number=Count("pk"),
        prompt=Sum("prompt_tokens"),
        completion=Sum("completion_tokens"),
        total=Sum("cost"),
    )
    lines = list(sums.order_by("-total", "-prompt")[:LINES])
    names = named and named.in_bulk([line[column] for line in lines if line[column] is not None])
    return [{**line, "name": names.get(line[column], line[column])} for line in lines]


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
    ordering = ("-month", "-stopped_at")
    action_form = ReasonForm
    actions = (lift_now,)

    def has_change_stop_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("llm.change_budgetstop")


@admin.register(SpendCounter)
class SpendCounterAdmin(ReadOnlyAdmin[SpendCounter]):
    list_display = ("model", "purpose", "prompt_tokens", "completion_tokens", "cost", "shard")
    ordering = ("model", "purpose", "shard")


@admin.register(CallCounter)
class CallCounterAdmin(ReadOnlyAdmin[CallCounter]):
    list_display = ("endpoint", "model", "outcome", "calls", "seconds", "shard")
    ordering = ("endpoint", "model", "outcome", "shard")


@admin.register(CallSlot)
class CallSlotAdmin(ReadOnlyAdmin[CallSlot]):
    list_display = ("endpoint", "number", "expires_at")
    ordering = ("endpoint", "number")
