"""Statements for what runs once for every task, where Django's building of a query costs more
than the database's running it (0.1 to 0.2 ms each).

Tables, columns and types are those of the models; the text of a statement is made once. Statements
that need nothing of each other's answers are sent to MySQL, MariaDB and PostgreSQL together: one
round trip instead of one each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from django.db import connection, models
from django.db.models import Field, Model

# Values of these columns are the same to every driver.
PLAIN = (models.CharField, models.TextField, models.IntegerField, models.FloatField)


LOCKING = {"sqlite": "", "mysql": " FOR UPDATE", "postgresql": " FOR NO KEY UPDATE"}


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement with ``%s`` for its parameters, which are in the database's terms."""

    sql: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """``changed``: rows that an UPDATE matched or an INSERT added; ``rows``: what a SELECT found."""

    changed: int
    rows: list[tuple[Any, ...]]


class Expression(str):
    """SQL in the place of a value; never anything that came from outside."""

    __slots__ = ()


NULL, ZERO, EMPTY = Expression("NULL"), Expression("0"), Expression("''")


def text(word: str) -> Expression:
    """A word of the program's own (a status, say) as it stands in SQL: one parameter less."""
    if not word.isidentifier():
        raise ValueError(f"{word!r} is no word of the program")
    return Expression(f"'{word}'")


def insert(
    model: type[Model],
    only_if: tuple[type[Model], Mapping[str, Any]] | None = None,
    **values: Any,
) -> Statement:
    """Add a row; ``values`` by attribute (``user_id``), all that have no default in the database.

    ``only_if``: nothing is added unless another model has the one row that equals the condition.
    """
    if only_if is None:
        return Statement(_insert(model, _shape(values), None, ()), _params(model, values))
    other, condition = only_if
    sql = _insert(model, _shape(values), other, tuple(condition))
    return Statement(sql, _params(model, values) + _params(other, condition))


def update(model: type[Model], where: Mapping[str, Any], **values: Any) -> Statement:
    """Set ``values`` in the rows that equal ``where``: both by attribute."""
    sql = _update(model, _shape(values), tuple(where))
    return Statement(sql, _params(model, values) + _params(model, where))


def run(statements: Iterable[Statement]) -> list[Answer]:
    """Run them in order in the caller's transaction; one answer each."""
    todo = list(statements)
    with connection.cursor() as cursor:
        if vendor() == "sqlite":  # has no round trips, and takes one at a time
            return [_answer(cursor, statement) for statement in todo]
        cursor.execute(
            "; ".join(statement.sql for statement in todo),
            [param for statement in todo for param in statement.params],
        )
        answers = [_read(cursor)]
        while cursor.nextset():
            answers.append(_read(cursor))
        return answers


def _answer(cursor: Any, statement: Statement) -> Answer:
    cursor.execute(statement.sql, statement.params)
    return _read(cursor)


def _read(cursor: Any) -> Answer:
    rows = list(cursor.fetchall()) if cursor.description else []
    return Answer(cursor.rowcount, rows)


def for_update() -> str:
    """The clause that locks a row; SQLite's IMMEDIATE transactions hold the whole file already.

    On PostgreSQL it leaves those alone who only check a foreign key against the row.
    """
    return LOCKING[vendor()]


def now() -> Statement:
    """The database's clock as an expression: SQLite runs on this host, so its clock is ours."""
    if vendor() == "mysql":
        return Statement("UTC_TIMESTAMP(6)")
    if vendor() == "postgresql":
        return Statement("clock_timestamp()")
    return Statement("%s", (connection.ops.adapt_datetimefield_value(datetime.now(UTC)),))


def as_time(value: Any) -> datetime:
    """A time as it came from the database, with its zone (always UTC)."""
    read = datetime.fromisoformat(value) if isinstance(value, str) else value
    return read if read.tzinfo else read.replace(tzinfo=UTC)


@cache
def vendor() -> str:
    """The database's make; asking the connection for it goes through two proxies each time."""
    return connection.vendor


@cache
def table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


# --- texts ----------------------------------------------------------------------------------
# The columns that are written, each with the expression that stands in the place of a parameter.
Shape = tuple[tuple[str, Expression | None], ...]


def _shape(values: Mapping[str, Any]) -> Shape:
    return tuple([(name, v if type(v) is Expression else None) for name, v in values.items()])


@cache
def _insert(
    model: type[Model], shape: Shape, other: type[Model] | None, where: tuple[str, ...]
) -> str:
    columns = ", ".join(_column(model, name) for name, _ in shape)
    marks = ", ".join(given or "%s" for _, given in shape)
    start = f"INSERT INTO {table(model)} ({columns})"
    if other is None:
        return f"{start} VALUES ({marks})"
    return f"{start} SELECT {marks} FROM {table(other)} WHERE {_equal(other, where)}"


@cache
def _update(model: type[Model], shape: Shape, where: tuple[str, ...]) -> str:
    changes = ", ".join(f"{_column(model, name)} = {given or '%s'}" for name, given in shape)
    # With old statistics MariaDB takes an index on the status for the better one, and then waits
    # for the locks of rows that are none of ours.
    hint = " FORCE INDEX (PRIMARY)" if vendor() == "mysql" and "pk" in where else ""
    return f"UPDATE {table(model)}{hint} SET {changes} WHERE {_equal(model, where)}"


def _equal(model: type[Model], names: tuple[str, ...]) -> str:
    return " AND ".join(f"{_column(model, name)} = %s" for name in names)


def _column(model: type[Model], name: str) -> str:
    return connection.ops.quote_name(str(_field(model, name).column))


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    if name == "pk":
        return model._meta.pk
    return next(field for field in model._meta.concrete_fields if field.attname == name)


# --- values ---------------------------------------------------------------------------------
Convert = Callable[[Any], Any]


def _params(model: type[Model], values: Mapping[str, Any]) -> tuple[Any, ...]:
    params = []
    for name, value in values.items():
        if type(value) is Expression:
            continue
        convert = _convert(model, name)
        params.append(value if convert is None or value is None else convert(value))
    return tuple(params)


@cache
def _convert(model: type[Model], name: str) -> Convert | None:
    """What turns a value into the driver's terms; None where it is in them already."""
    field = _field(model, name)
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(target, PLAIN):
        return str if isinstance(target, models.CharField) else None
    if isinstance(target, models.DateTimeField):
        return _time
    if isinstance(target, models.JSONField):
        return json.dumps
    return lambda value: field.get_db_prep_save(value, connection)


@lru_cache(maxsize=16)
def _time(value: datetime) -> Any:
    """One moment is written to several columns and rows."""
    return connection.ops.adapt_datetimefield_value(value)
