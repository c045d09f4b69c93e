"""Filters and search of the list of analyses, each entering the big table through an index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Max, Min, Q, QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware
from django.utils.translation import gettext_lazy as _

from analysis.errors import ERRORS, PLAIN, SUPERSEDED
from analysis.groups import look
from analysis.models import LIVE, PendingAnalysis, Status
from arboris.admin_base import writers_named
from arboris.admin_ways import Sought, Way, containing, numbered, of_those, sought
from arboris.novels.admin import novels_named

Tasks = QuerySet[PendingAnalysis]
CODES = (*ERRORS, SUPERSEDED)
# In the order of their claims; what has ended: the latest first. Each is that of an index.
CLAIMS = ("-priority", "created_at", "id")
ENDS = ("-completed_at", "-id")
# How much later than one with a higher number a row may have been made: by clocks, not by writers.
CLOCKS = timedelta(hours=1)


class ErrorTypeFilter(admin.SimpleListFilter):
    title = _("error")
    parameter_name = "error_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(code, code) for code in CODES]

    def queryset(self, request: HttpRequest, queryset: Tasks) -> Tasks:
        return queryset.filter(_failed_by(self.value())) if self.value() else queryset


class ErrorGroupFilter(admin.SimpleListFilter):
    """Comes from the page of a group; the list itself offers the one that is chosen alone."""

    title = _("error group")
    parameter_name = "error_fingerprint"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(value, value) for value in [request.GET.get("error_fingerprint")] if value]

    def queryset(self, request: HttpRequest, queryset: Tasks) -> Tasks:
        return queryset.filter(look.of(str(self.value()))) if self.value() else queryset


class PriorityFilter(admin.SimpleListFilter):
    """Of what waits: nothing else has a use for its priority, and an index."""

    title = _("priority of those pending")
    parameter_name = "priority"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(str(number), str(number)) for number in range(10, 0, -1)]

    def queryset(self, request: HttpRequest, queryset: Tasks) -> Tasks:
        where = _waiting_with(self.value())
        return queryset if where is None else queryset.filter(where)


def _failed_by(code: str | None) -> Q:
    # The second is what the index is limited to, where a database can.
    return Q(error_type=code, error_type__gt="")


def _waiting_with(priority: str | None) -> Q | None:
    if not priority or not priority.isascii() or not priority.isdigit() or len(priority) > 2:
        return None
    return Q(status=Status.PENDING, priority=int(priority))


# --- ways into the table ----------------------------------------------------------------------
def way(params: Mapping[str, Any]) -> Way | None:
    """The index that serves one of the filters; the one that leaves the least goes first."""
    if group := params.get("error_fingerprint"):
        return _of_group(group, params.get("status__exact"))
    if code := params.get("error_type"):
        return Way(_failed_by(code), ("-pk",), frozenset({"error_type"}))
    if (waiting := _waiting_with(params.get("priority"))) is not None:
        return Way(waiting, ("created_at", "id"), frozenset({"priority"}))
    if (status := params.get("status__exact")) in Status.values:
        covers = frozenset({"status__exact"})
        if status in LIVE:
            return Way(Q(status=status), CLAIMS, covers)
        return Way(Q(status=status, completed_at__isnull=False), ENDS, covers)
    return None


def _of_group(fingerprint: str, status: str | None) -> Way:
    where = look.of(fingerprint)
    if status in Status.values:
        covers = frozenset({"error_fingerprint", "status__exact"})
        return Way(where & Q(status=status), ("-id",), covers)
    return Way(where, ("-status", "-id"), frozenset({"error_fingerprint"}))


def made_within(params: Mapping[str, Any]) -> Way | None:
    """Those made in a time, by their numbers, which grow with it."""
    bounds = {sign: _time(params.get(f"created_at__{sign}")) for sign in ("gte", "lt")}
    if not any(bounds.values()):
        return None
    where = Q()
    if bounds["gte"] is not None:
        where &= Q(pk__gte=_first_since(bounds["gte"] - CLOCKS))
    if bounds["lt"] is not None:
        where &= Q(pk__lt=_first_since(bounds["lt"] + CLOCKS))
    return Way(where, ("-pk",), frozenset({"created_at__gte", "created_at__lt"}))


def _time(text: Any) -> datetime | None:
    try:
        time = parse_datetime(str(text).replace(" ", "+")) if text else None
    except ValueError:
        return None
    return make_aware(time) if time is not None and is_naive(time) else time


def _first_since(moment: datetime) -> int:
    """The number of the first row that was made since then: found by halving."""
    rows = PendingAnalysis.objects.order_by("pk")
    # Each by itself: asked for both at once, SQLite goes through the table.
    low, last = (rows.aggregate(end=end("pk"))["end"] for end in (Min, Max))
    if low is None:
        return 0
    high = last + 1
    while low < high:
        middle = (low + high) // 2
        found = rows.filter(pk__gte=middle).values_list("pk", "created_at")[:1]
        pk, made = found[0]
        if made >= moment:
            high = middle
        else:
            low = pk + 1
    return int(low)


# --- search -----------------------------------------------------------------------------------
def seek(term: str, *, in_all_words: bool) -> list[Sought]:
    """By number, novel, writer and error. A message is looked for in the newest failures; unless
    ``in_all_words``, not where it may quote a text."""
    codes = [code for code in CODES if term.lower() in code]
    message = containing("error_message", term)
    if not in_all_words:
        message &= Q(error_type__in=PLAIN)
    failed = Way(Q(status=Status.FAILED, completed_at__isnull=False), ENDS, only=message)
    return [
        *numbered(term),
        of_those(PendingAnalysis, "project_id", novels_named(term)),
        of_those(PendingAnalysis, "user_id", writers_named(term)),
        *(sought(_failed_by(code)) for code in codes),
        Sought(Q(status=Status.FAILED) & message, (failed,)),
    ]
