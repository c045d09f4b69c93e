"""Ways into a big table: what an index gives in order, without a look at other rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.admin.utils import prepare_lookup_value
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Lower
from django.db.models.lookups import Contains

RANGES = ("gt", "gte", "lt", "lte")
# After the name of a column: one value of it.
KEYS = ("exact", "id", "pk")
NAMED = 5  # writers or novels of one search that are looked at


@dataclass(frozen=True)
class Way:
    """Rows that an index gives in ``order``; ``()``: in any.

    ``covers``: the parameters of the address that ``where`` stands for. ``only``: what has to be
    looked up row by row.
    """

    where: Q = field(default_factory=Q)
    order: tuple[str, ...] = ("-pk",)
    covers: frozenset[str] = frozenset()
    only: Q | None = None


@dataclass(frozen=True)
class Sought:
    """One meaning of the words in a search box: ``whole``, all it finds, and ways to the first."""

    whole: Q
    ways: tuple[Way, ...]


def turned(order: Iterable[str]) -> tuple[str, ...]:
    """The contrary of an order."""
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in order)


# --- by parameters of the address -------------------------------------------------------------
def by_value(model: type[Model], params: Mapping[str, Any]) -> Way | None:
    """By a parameter that names one value of an indexed column; of several, the first."""
    for key, value in params.items():
        if is_indexed(model, key):
            try:
                where = Q((key, prepare_lookup_value(key, value)))
                model._default_manager.filter(where)  # refuses what is no such value
            except (ValueError, ValidationError):
                continue
            return Way(where, ("-pk",), frozenset({key}))
    return None


def within(way: Way, params: Mapping[str, Any]) -> Way:
    """The way with the bounds that the address sets to what its order begins with."""
    first = way.order[0].lstrip("-") if way.order else ""
    bounds = {key for key in params if key in [f"{first}__{sign}" for sign in RANGES]}
    where = way.where & Q(*((key, params[key]) for key in bounds))
    return Way(where, way.order, way.covers | bounds, way.only)


def is_indexed(model: type[Model], key: str) -> bool:
    """Whether rows with one value of the column come from an index, in the order of their keys."""
    name, *lookup = key.split("__")
    try:
        column: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    if not getattr(column, "concrete", False) or any(part not in KEYS for part in lookup):
        return False
    if column.unique or column.db_index:
        return True
    indexes = [index.fields for index in model._meta.indexes if index.condition is None]
    return any(
        index[0] == column.name and (len(index) == 1 or index[1].lstrip("-") == "id")
        for index in indexes
        if index
    )


# --- by words ---------------------------------------------------------------------------------
def as_number(term: str) -> int | None:
    """The key that somebody may search for; None where the words cannot be one."""
    return int(term) if term.isascii() and term.isdigit() and len(term) < 19 else None


def numbered(term: str, column: str = "pk") -> list[Sought]:
    """The rows with that number, where it is one."""
    number = as_number(term)
    return [] if number is None else [sought(Q(**{column: number}))]


def sought(where: Q, order: tuple[str, ...] = ("-pk",)) -> Sought:
    """What one index finds."""
    return Sought(where, (Way(where, order),))


def beginning(column: str, term: str) -> Q:
    """Rows whose ``column`` begins with ``term``, in the cases that people write: each a range of
    the column's index."""
    cases = dict.fromkeys((term, term.lower(), term.upper(), term.capitalize(), term.title()))
    return reduce(or_, (_from(column, case) for case in cases))


def _from(column: str, term: str) -> Q:
    starts = Q(**{f"{column}__startswith": term})
    if connection.vendor == "postgresql":  # has an index for the pattern itself
        return starts
    # By the bytes: nothing stands behind the last character.
    return starts & Q(**{f"{column}__gte": term, f"{column}__lt": f"{term}\U0010ffff"})


def containing(column: str, term: str) -> Q:
    """Rows whose ``column`` contains ``term``, whatever the case: icontains follows the collation,
    and MariaDB's tables here tell cases apart."""
    return Q(Contains(Lower(column), term.lower()))


def of_those(
    model: type[Model], column: str, others: QuerySet[Any], order: tuple[str, ...] | None = None
) -> Sought:
    """The rows of ``model`` that belong to rows of another table; the first NAMED are looked at.

    ``order``: the one that the column's index goes on with, where that is not the key.
    """
    if order is None:
        order = ("-pk",) if is_indexed(model, column) else ()
    keys = list(others.values_list("pk", flat=True)[:NAMED])
    ways = tuple(Way(Q(**{column: key}), order) for key in keys)
    return Sought(Q(**{f"{column}__in": others.order_by().values("pk")}), ways)


# --- how many ---------------------------------------------------------------------------------
def expected(rows: QuerySet[Any]) -> int:
    """How many rows the database expects: a look at its statistics, not at the rows."""
    plan = json.loads(rows.explain(format="json"))
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return int(_rows(plan) or 0)


def _rows(plan: Any) -> float | None:
    """MariaDB: of the first table, ``rows`` of which it keeps ``filtered`` percent; PostgreSQL:
    "Plan Rows" of the outermost step."""
    if isinstance(plan, list):
        return next((found for part in plan if (found := _rows(part)) is not None), None)
    if not isinstance(plan, Mapping):
        return None
    if "Plan Rows" in plan:
        return float(plan["Plan Rows"])
    if "rows" in plan:
        return float(plan["rows"]) * float(plan.get("filtered", 100)) / 100
    return _rows(list(plan.values()))
