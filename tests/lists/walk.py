"""All that the lists of the admin offer, as addresses, and what each costs the database.

Filters, orders, pages and searches are read from the lists themselves: one that is added later is
walked through too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.templatetags.admin_list import result_headers
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from arboris.admin_lists import LOOK

# What staff may type: numbers, beginnings of the names that ``full`` gives, errors, and nothing.
TERMS = ("7777", "titl 12", "user 1", "timeout", "no such thing")

EACH = 20  # rows read for one that is shown
# What a list looks at to find its rows: the first ones, once more by the rest of the filter, in
# the order asked for, and by an index of that filter where the table is small.
FOUND_IN = 4 * LOOK
STEPS = 100  # of SQLite's machine


@dataclass(frozen=True)
class Cost:
    """``rows``: what the database has read, as ``rows_read`` has it, for ``shown`` rows of
    ``changes``; of a page of its own making, which offers nothing, no list."""

    model: type[Model]
    query: str
    changes: Any
    shown: int
    queries: int
    rows: int

    @property
    def address(self) -> str:
        return address_of(self.model, self.query)


Look = Callable[[type[Model], str], Cost]


def lists() -> list[type[Model]]:
    return sorted(admin.site._registry, key=lambda model: str(model._meta.label))


def walk(look: Look, model: type[Model]) -> Iterator[Cost]:
    """The list, and everything that it offers."""
    plain = look(model, "")
    yield plain
    if plain.changes is None:
        return
    seen = [plain]
    for query in dict.fromkeys(_offered(plain.changes)):
        seen.append(look(model, query))
        yield seen[-1]
    for query in dict.fromkeys(query for cost in seen for query in _pages(cost.changes)):
        yield look(model, query)


def _offered(changes: Any) -> Iterator[str]:
    choices = [
        [choice["query_string"] for choice in spec.choices(changes)]
        for spec in changes.filter_specs
    ]
    orders = [
        f"o={sign}{place}"
        for place, header in enumerate(result_headers(changes))
        if header.get("sortable")
        for sign in ("", "-")
    ]
    yield "?_facets=True"
    yield from (f"?{order}" for order in orders)
    for place, queries in enumerate(choices):
        yield from queries
        for query in queries[1:2]:
            yield from (f"{query}&{order}" for order in orders[:1])
            for others in choices[place + 1 :]:
                yield f"{query}&{others[-1].lstrip('?')}"
    for term in TERMS if changes.search_fields else ():
        yield f"?q={term}"
        yield from (f"{queries[-1]}&q={term}" for queries in choices[:1])


def _pages(changes: Any) -> Iterator[str]:
    if changes.paginator.num_pages > 1:
        yield changes.get_query_string({"p": changes.paginator.num_pages})
    if changes.can_show_all and changes.multi_page:
        yield changes.get_query_string({"all": ""})
    if changes.further_url:
        yield changes.further_url


def too_dear(costs: Iterable[Cost]) -> list[str]:
    """Those that have read more than the bound, a line each."""
    return [
        f"{cost.address}: {cost.rows} read for {cost.shown} rows"
        for cost in costs
        if cost.rows > EACH * cost.shown + FOUND_IN
    ]


def address_of(model: type[Model], query: str) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    return reverse(name) + query


def looking(client: Client, *, times: int = 1) -> Look:
    """Looks at whole pages; of several times the last one counts: the page is warm."""

    def look(model: type[Model], query: str) -> Cost:
        address = address_of(model, query)
        for _ in range(times - 1):
            client.get(address)
        with CaptureQueriesContext(connection) as queries:
            before = rows_read()
            response = client.get(address)
            rows = rows_read() - before
        assert response.status_code == 200, address
        changes = response.context.get("cl")
        shown = len(changes.result_list) if changes else 0
        own = 2 if connection.vendor == "mysql" else 0
        return Cost(model, query, changes, shown, len(queries) - own, rows - _own())

    return look


def glancing(boss: User) -> Look:
    """Looks up the rows of a list, and draws no page: most of the time goes there."""

    def glance(model: type[Model], query: str) -> Cost:
        request = RequestFactory().get(address_of(model, query))
        request.user = boss
        before = rows_read()
        changes = admin.site._registry[model].get_changelist_instance(request)
        rows = rows_read() - before
        return Cost(model, query, changes, len(changes.result_list), 0, rows - _own())

    return glance


def rows_read() -> int:
    """What this session has read.

    MariaDB: the server's own count of rows. SQLite, which has none: how often its machine has made
    STEPS steps since ``count_steps``, as it does for ten or twenty rows; PostgreSQL: 0.
    """
    if connection.vendor != "mysql":
        return _steps.done
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler\\_read%'")
        return sum(int(count) for _name, count in cursor.fetchall())


def _own() -> int:
    """What the count itself reads."""
    before = rows_read()
    return rows_read() - before


class _Steps:
    done = 0

    def __call__(self) -> int:
        self.done += 1
        return 0  # go on


_steps = _Steps()


def count_steps() -> None:
    """From now on, on the connection of this thread; of SQLite alone."""
    connection.ensure_connection()
    connection.connection.set_progress_handler(_steps, STEPS)
