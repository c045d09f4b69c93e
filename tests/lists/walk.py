"""All that the lists of the admin offer, as addresses, and what each costs the database.

Filters, orders, pages and searches are read from the lists themselves: one that is added later is
walked through too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
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

# What staff may type: numbers, beginnings of the names that ``full`` gives, errors, and nothing.
TERMS = ("7777", "titl 12", "user 1", "timeout", "no such thing")


@dataclass(frozen=True)
class Cost:
    """``rows``: what the server has read for ``shown`` rows of ``changes``; of a page of its own
    making, which offers nothing, no list."""

    address: str
    changes: Any
    shown: int
    queries: int
    rows: int
    seconds: float


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
            start = time.perf_counter()
            response = client.get(address)
            seconds = time.perf_counter() - start
            rows = rows_read() - before
        assert response.status_code == 200, address
        changes = response.context.get("cl")
        shown = len(changes.result_list) if changes else 0
        return Cost(address, changes, shown, len(queries) - 2, rows - _own(), seconds)

    return look


def glancing(boss: User) -> Look:
    """Looks up the rows of a list, and draws no page: most of the time goes there."""

    def glance(model: type[Model], query: str) -> Cost:
        request = RequestFactory().get(address_of(model, query))
        request.user = boss
        before = rows_read()
        changes = admin.site._registry[model].get_changelist_instance(request)
        rows = rows_read() - before
        return Cost(request.path + query, changes, len(changes.result_list), 0, rows - _own(), 0)

    return glance


def rows_read() -> int:
    """The server's own count of what this session has read; 0 where it does not tell."""
    if connection.vendor != "mysql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler\\_read%'")
        return sum(int(count) for _name, count in cursor.fetchall())


def _own() -> int:
    """What the count itself reads."""
    before = rows_read()
    return rows_read() - before
