"""``write``: what the ORM's update() and create() do, without building the statement each time.

Building a statement through the ORM costs several times what the database needs to run it. What
runs for every task is written this way; everything else goes through the ORM. The figures are in
docs/decisions/0010-plain-statements.md; tests/test_sql.py proves that both ways write equal rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection, models
from django.db.models import Field, Model


class Plus(NamedTuple):
    """In the place of a value: what its column grows by."""

    by: float


class Update(NamedTuple):
    """Set ``values`` in the rows that equal ``where``; both by attribute (``user_id``, ``pk``)."""

    model: type[Model]
    where: Mapping[str, Any]
    values: Mapping[str, Any]


class Insert(NamedTuple):
    """Add a row; ``values`` by attribute: all columns that may not be NULL, but for the id."""

    model: type[Model]
    values: Mapping[str, Any]


class Lock(NamedTuple):
    """Keep a row to this transaction; rows that merely point to it may be added meanwhile."""

    model: type[Model]
    pk: Any


Change = Update | Insert | Lock


class Query(NamedTuple):
    """Any other statement, with ``%s`` for its parameters, which are in the database's terms."""

    text: str
    params: Sequence[Any] = ()


def write(*changes: Change) -> list[int]:
    """Make the changes in order; of each, how many rows it has matched, added or locked."""
    return [len(answer) if isinstance(answer, list) else answer for answer in send(*changes)]


def send(*changes: Change | Query) -> list[Any]:
    """As ``write``, with queries among them: of each of those, its rows.

    For the caller's transaction. MySQL, MariaDB and PostgreSQL get all of it in one round trip,
    and go on with what they have got when the client is gone: so none may depend on how many rows
    another has matched, and the transaction's end is never sent along.
    """
    queries = [change if isinstance(change, Query) else _query(change) for change in changes]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":  # has no round trips, and takes one at a time
            return [_answer(cursor.execute(query.text, query.params)) for query in queries]
        text = "; ".join(query.text for query in queries)
        cursor.execute(text, [param for query in queries for param in query.params])
        answers = [_answer(cursor)]
        while cursor.nextset():
            answers.append(_answer(cursor))
        return answers


def _answer(cursor: Any) -> Any:
    return list(cursor.fetchall()) if cursor.description else int(cursor.rowcount)


# --- texts and values -------------------------------------------------------------------------
Convert = Callable[[Any], Any]


class _Column(NamedTuple):
    name: str  # quoted
    convert: Convert | None  # to the driver's terms; None: it is in them already


def _query(change: Change) -> Query:
    if isinstance(change, Lock):
        return Query(_lock(change.model), [_param(_column(change.model, "pk"), change.pk)])
    model, values = change.model, change.values
    params = [_param(_column(model, name), value) for name, value in values.items()]
    if isinstance(change, Insert):
        return Query(_insert(model, tuple(values)), params)
    grown = tuple([type(value) is Plus for value in values.values()])
    params += [_param(_column(model, name), value) for name, value in change.where.items()]
    return Query(_update(model, tuple(values), grown, tuple(change.where)), params)


def _param(column: _Column, value: Any) -> Any:
    if type(value) is Plus:
        return value.by
    return value if value is None or column.convert is None else column.convert(value)


@cache
def _lock(model: type[Model]) -> str:
    # SQLite's transactions (IMMEDIATE) hold the whole file already.
    clause = {"mysql": " FOR UPDATE", "postgresql": " FOR NO KEY UPDATE"}
    mode = clause.get(connection.vendor, "")
    return f"SELECT 1 FROM {quoted_table(model)} WHERE {_column(model, 'pk').name} = %s{mode}"


@cache
def _insert(model: type[Model], names: tuple[str, ...]) -> str:
    columns = ", ".join(_column(model, name).name for name in names)
    return (
        f"INSERT INTO {quoted_table(model)} ({columns}) VALUES ({', '.join(['%s'] * len(names))})"
    )


@cache
def _update(
    model: type[Model], names: tuple[str, ...], grown: tuple[bool, ...], where: tuple[str, ...]
) -> str:
    columns = [_column(model, name).name for name in names]
    changes = [
        f"{column} = {column} + %s" if grows else f"{column} = %s"
        for column, grows in zip(columns, grown, strict=True)
    ]
    found = [f"{_column(model, name).name} = %s" for name in where]
    # With old statistics MariaDB takes an index on the status for the better one, and then waits
    # for the locks of rows that are none of ours.
    hint = " FORCE INDEX (PRIMARY)" if connection.vendor == "mysql" and "pk" in where else ""
    return (
        f"UPDATE {quoted_table(model)}{hint} SET {', '.join(changes)} WHERE {' AND '.join(found)}"
    )


@cache
def quoted_table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


@cache
def _column(model: type[Model], name: str) -> _Column:
    field = model._meta.pk if name == "pk" else _field(model, name)
    return _Column(connection.ops.quote_name(str(field.column)), _conversion(field))


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    return next(field for field in model._meta.concrete_fields if field.attname == name)


def _conversion(field: Field[Any, Any]) -> Convert | None:
    """As the field's own get_db_prep_save, which asks more than once what is known here."""
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(target, models.CharField):
        return str  # also of a choice
    if isinstance(target, models.TextField | models.IntegerField | models.FloatField):
        return None
    if isinstance(target, models.DateTimeField):
        return _time
    if isinstance(target, models.JSONField):
        return json.dumps
    if isinstance(target, models.UUIDField):
        return None if connection.features.has_native_uuid_field else attrgetter("hex")
    return lambda value: field.get_db_prep_save(value, connection)


@lru_cache(maxsize=16)
def _time(value: Any) -> Any:
    """One moment is written to several columns and rows."""
    return connection.ops.adapt_datetimefield_value(value)
