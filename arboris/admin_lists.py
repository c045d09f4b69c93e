"""Lists of the admin at any size: of a table only what an index gives in order is read.

A page shows what is among the first LOOK rows that such an index (a ``Way``) leads to. Where
filter, search and order are what the index has, those rows are the list, and it goes on from there;
else the rest of the filter is looked for among them, and the page says so. ``queryset`` stays the
whole filter: what acts on all of it, or writes all of it to a file, is not bounded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.paginator import InvalidPage, Paginator
from django.db import DataError, connection
from django.db.models import BooleanField, Case, Q, QuerySet, When
from django.db.models.sql.where import WhereNode
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from arboris.admin_ways import Sought, Way, expected, turned

LOOK = 300  # rows that a page is looked for in
COUNTED = 10_000
AFTER = "after"  # the key of the last row that was looked at


class BoundedPaginator(Paginator[Any]):
    """Counts and reaches no more than LOOK rows: a table may hold millions."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return len(rows if isinstance(rows, list) else rows.values_list("pk")[:LOOK])


class BoundedChangeList(ChangeList):
    """``list_select_related`` names what is loaded for the rows of a page alone: with a join,
    MariaDB begins at the small table and sorts the big one."""

    model_admin: Any  # a BoundedAdmin

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Refuses an address with a value that no column holds: the database is asked first."""
        try:
            super().__init__(*args, **kwargs)
        except (DataError, OverflowError) as error:
            raise IncorrectLookupParameters from error

    def apply_select_related(self, qs: QuerySet[Any]) -> QuerySet[Any]:
        names = self.list_select_related
        return qs if isinstance(names, bool) else qs.prefetch_related(*names)

    def get_queryset(self, request: HttpRequest, *args: Any) -> QuerySet[Any]:
        self.request = request
        self.after = self.params.pop(AFTER, None)
        self.filter_params.pop(AFTER, None)
        term, self.query = self.query.strip(), ""
        self.sought: list[Sought] | None = (
            self.model_admin.seek_for(request, term) if term else None
        )
        self.ways = self._ways()
        self.filtered = super().get_queryset(request, *args)
        self.query = term
        if self.sought is None:
            return self.filtered
        return self.filtered.filter(reduce(or_, (s.whole for s in self.sought), Q(pk__in=[])))

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """As the index has it that leads to the rows, unless another one was asked for."""
        if self.params.get(ORDER_VAR) or len(self.ways) != 1 or not self.ways[0].order:
            return list(super().get_ordering(request, queryset))
        return list(self.ways[0].order)

    def _ways(self) -> list[Way]:
        if self.sought is not None:
            return [way for one in self.sought for way in one.ways]
        params = {key: values[-1] for key, values in self.get_filters_params().items()}
        return [self.model_admin.way(params)]

    def get_results(self, request: HttpRequest) -> None:
        ids = self._found()
        self.result_count = self._estimate(len(ids)) if self.exact and self.more else len(ids)
        self.can_show_all = len(ids) <= self.list_max_show_all and not self.more
        self.multi_page = len(ids) > self.list_per_page
        self.paginator = BoundedPaginator(ids, self.list_per_page)
        if self.multi_page and not (self.show_all and self.can_show_all):
            try:
                ids = self.paginator.page(self.page_num).object_list
            except InvalidPage as error:
                raise IncorrectLookupParameters from error
        self.result_list = self.rows(ids)
        self.show_full_result_count, self.full_result_count = False, None
        self.show_admin_actions = True

    def rows(self, ids: Sequence[Any]) -> list[Any]:
        """The rows of these keys, in that order, with what the list shows of them."""
        shown = self.root_queryset.select_related(None).defer(*self.model_admin.list_defer)
        found = self.apply_select_related(shown.order_by()).in_bulk(ids) if ids else {}
        rows = [found[pk] for pk in ids if pk in found]
        for row in rows:
            self.model_admin.hide(self.request, row)
        return rows

    def batches(self, size: int) -> Iterator[list[Any]]:
        """The rows of the whole filter, each once, ``size`` at a time."""
        order: tuple[str, ...] = ("pk",)
        rows: Any = self.queryset
        if self.exact and self.ways[0].order:
            order, rows = self._total(self.ways[0].order), rows.filter(self.ways[0].where)
        names = [name.lstrip("-") for name in order]
        rows = rows.prefetch_related(None).order_by(*order).values_list("pk", *names)
        part = rows
        while found := list(part[:size]):
            yield self.rows([pk for pk, *_values in found])
            part = rows.filter(_beyond(order, found[-1][1:]))

    def _total(self, order: tuple[str, ...]) -> tuple[str, ...]:
        """With the key last, unless no two rows are alike in the order: each has a place.

        For files alone: MariaDB then sorts where the key is a UUID, and a page has to be quick.
        """
        opts, names = self.lookup_opts, {name.lstrip("-") for name in order}
        unique = [{"pk"}, *({field.name} for field in opts.concrete_fields if field.unique)]
        unique += [set(one.fields) for one in opts.total_unique_constraints]
        if any(one <= names for one in unique):
            return order
        return (*order, "-pk" if order[-1].startswith("-") else "pk")

    # --- what is looked at --------------------------------------------------------------------
    def _found(self) -> list[Any]:
        """The keys of the rows that belong to the list; sets what is told of the search:

        ``more``: whether there are rows that were not looked at; ``exact``: whether all that was
        looked at belongs to the list; ``last``: the key of the last one.
        """
        self.exact = self._is_exact()
        share = max(1, LOOK // max(1, len(self.ways)))
        looked: list[Any] = []
        self.more, self.last = False, None
        for way in self.ways:
            keys = self._first(way, share + 1)
            if len(keys) > share:
                self.more, self.last = True, keys[share - 1]
            keys = keys[:share]
            looked += keys if way.only is None else self._fit(self.root_queryset, keys, way.only)
        if len(self.ways) != 1 or not self.ways[0].order:
            self.last = None
        if self.exact or not looked:
            return looked
        return list(_keys(_among(set(looked), self.filtered)))

    def _is_exact(self) -> bool:
        if len(self.ways) != 1 or self.ways[0].only is not None:
            return False
        if set(self.get_filters_params()) - self.ways[0].covers:
            return False
        return not self.params.get(ORDER_VAR) or self._asked(self.ways[0]) is not None

    def _asked(self, way: Way) -> tuple[str, ...] | None:
        """The way's order, or its contrary, where that is what was asked for."""
        if not way.order or not self.params.get(ORDER_VAR):
            return None
        ordering = [str(name) for name in self.filtered.query.order_by]
        (asked, down), (own, own_down) = (self._first_of(order) for order in (ordering, way.order))
        if asked != own:
            return None
        return way.order if down == own_down else turned(way.order)

    def _first_of(self, order: Sequence[str]) -> tuple[str, bool]:
        """The column that an order begins with, and whether it goes down."""
        first = order[0] if order else ""
        name = first.lstrip("-")
        return (self.lookup_opts.pk.name if name == "pk" else name), first.startswith("-")

    def _first(self, way: Way, count: int) -> list[Any]:
        rows = self.filtered if self.exact and self.sought is None else self.root_queryset
        rows = rows.filter(way.where)
        order = self._asked(way) or way.order
        if self.after is not None and len(self.ways) == 1 and order:
            rows = rows.filter(_beyond(order, self._values(order)))
        return list(_keys(rows.order_by(*order))[:count])

    def _values(self, order: Sequence[str]) -> Sequence[Any]:
        """Of the row that the address names, those that place it in this order."""
        names = [name.lstrip("-") for name in order]
        try:
            values: Sequence[Any] = self.root_queryset.values_list(*names).get(pk=self.after)
        except (ObjectDoesNotExist, ValueError, ValidationError, OverflowError) as error:
            raise IncorrectLookupParameters from error
        return values

    @staticmethod
    def _fit(rows: QuerySet[Any], keys: list[Any], only: Q) -> list[Any]:
        fit = set(_keys(_among(keys, rows.order_by().filter(only))))
        return [key for key in keys if key in fit]

    # --- what is told of it -------------------------------------------------------------------
    def _estimate(self, at_least: int) -> int:
        """About how many there are, where there are more than were looked at."""
        rows = self.root_queryset if self.sought is not None else self.filtered
        rows = _keys(rows.filter(self.ways[0].where).order_by())
        if connection.vendor == "sqlite":  # it has no idea, and is quick to count
            return len(rows[: COUNTED + 1])
        return max(at_least + 1, expected(rows))

    @property
    def counted(self) -> str:
        """How many rows the list has, in words that say how well that is known."""
        if self.looked_only or not self.more:
            return str(self.result_count)
        if self.result_count > COUNTED:
            return f"{COUNTED:,}+"
        if connection.vendor == "sqlite":
            return f"{self.result_count:,}"
        rounded = round(self.result_count, 2 - len(str(self.result_count)))
        return _("about %(count)s") % {"count": f"{rounded:,}"}

    @property
    def looked_only(self) -> bool:
        """Whether there may be rows of the list that were not found."""
        return self.more and (not self.exact or self.last is None)

    @property
    def looked_at(self) -> int:
        return LOOK

    @property
    def export_urls(self) -> list[tuple[str, str]]:
        """By format: the address of all rows of this filter and search as a file."""
        if self.is_popup:
            return []
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_export"
        query = self.get_query_string()
        return [(kind.upper(), reverse(name, args=[kind]) + query) for kind in ("csv", "json")]

    @property
    def further_url(self) -> str | None:
        """The same list, from where this one stops."""
        return None if self.last is None else self.get_query_string({AFTER: self.last})


def _keys(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.prefetch_related(None).values_list("pk", flat=True)


def _among(keys: Collection[Any], rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those of ``rows`` that have one of the keys, looked up by it: a database that sees an index
    for the filter as well may go through all that this one leads to."""
    where = rows.query.where
    if not where:
        return rows.filter(pk__in=keys)
    found = rows.all()
    found.query.where = WhereNode()
    fits = Case(When(where, then=True), default=False, output_field=BooleanField())
    return found.filter(fits, pk__in=keys)


def _beyond(order: Sequence[str], values: Sequence[Any]) -> Q:
    """What follows, in this order, after the row with these values."""
    names = [name.lstrip("-") for name in order]
    signs = ["lt" if name.startswith("-") else "gt" for name in order]
    parts = []
    for place, sign in enumerate(signs):
        same = dict(zip(names[:place], values[:place], strict=True))
        parts.append(Q(**same, **{f"{names[place]}__{sign}": values[place]}))
    # The first follows from the rest, and tells the database where its index begins.
    return Q(**{f"{names[0]}__{signs[0]}e": values[0]}) & reduce(or_, parts)
