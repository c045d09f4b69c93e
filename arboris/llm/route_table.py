"""The routes as staff have changed them: what the database says goes before the settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from arboris.llm.endpoints import DEFAULT
from arboris.llm.models import ModelRoute
from arboris.llm.request_body import Effort
from arboris.llm.routes import Entry, Route, Target, route_of


def for_purpose(purpose: str) -> Route:
    """Return the route of one purpose, in one query."""
    return for_purposes([purpose])[purpose]


def for_purposes(purposes: Iterable[str]) -> dict[str, Route]:
    """Return the routes by purpose, in one query."""
    entries = changed()
    return {purpose: route_of(purpose, entries) for purpose in purposes}


def changed() -> dict[str, Entry]:
    """What staff say, by purpose."""
    return {row.purpose: entry_of(row) for row in ModelRoute.objects.all()}


def entry_of(row: ModelRoute) -> Entry:
    has_fallback = row.fallback_endpoint or row.fallback_model
    return Entry(
        endpoint=row.endpoint,
        model=row.model,
        effort=cast(Effort, row.effort) if row.effort else None,
        temperature=row.temperature,
        fallback=Target(row.fallback_endpoint or DEFAULT, row.fallback_model)
        if has_fallback
        else None,
        choices=None if row.choices is None else tuple(row.choices),
    )
