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
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models import Field, Model

BEGIN = "START TRANSACTION"
# Values of these columns are the same to every driver.
PLAIN = (models.TextField, models.IntegerField, models.FloatField)


LOCKING = {"sqlite": "", "mysql": " FOR UPDATE", "postgresql": " FOR NO KEY UPDATE"}


class Statement(NamedTuple):
    """One SQL statement with ``%s`` for its parameters, which are in the database's terms."""

    sql: str
    params: tuple[Any, ...] = ()


class Answer(NamedTuple):
    """``changed``: rows that an UPDATE matched or an INSERT added; ``rows``: what a SELECT found."""

    changed: int
    rows: list[tuple[Any, ...]]


class Expression(str):
    """SQL in the place of a value; never anything that came from outside."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Plus:
    """What a column is to grow by, in the place of a value."""

    by: float


NULL, ZERO, EMPTY = Expression("NULL"), Expression("0"), Expression("''")


def text(word: str) -> Expression:
    """A word of the program's own (a status, say) as it stands in SQL: one parameter less."""
    if not word.isidentifier():
        raise ValueError(f"{word!r} is no word of the program")
    return Expression(f"'{word}'")


def insert(model: type[Model], **values: Any) -> Statement:
    """Add a row; ``values`` by attribute (``user_id``), all that have no default in the database."""
    return _insert(model, _shape(values)).filled(values, {})


def update(model: type[Model], where: Mapping[str, Any], **values: Any) -> Statement:
    """Set ``values`` in the rows that equal ``where``: both by attribute."""
    return _update(model, _shape(values), tuple(where)).filled(values, where)


def run(statements: Iterable[Statement], *, last: bool = False) -> list[Answer]:
    """Run them in order, as a rule in the caller's transaction; one answer each.

    ``last``: the transaction has nothing more to do and no reason left to roll back, so it may be
    committed in the same round trip. That shortens how long others wait for its locks.
    """
    todo = list(statements)
    database: Any = connections[DEFAULT_DB_ALIAS]
    if vendor() == "postgresql" or database.queries_logged or database.execute_wrappers:
        return _by_cursor(database, todo)
    # The driver itself: through Django's cursors a statement costs as much again on SQLite.
    database.validate_no_broken_transaction()
    database.ensure_connection()
    with database.wrap_database_errors:
        if vendor() == "sqlite":  # has no round trips, and takes one at a time
            return [_by_sqlite(database.connection, statement) for statement in todo]
        return _by_mysql(database, todo, last and database.may_commit())


def _by_sqlite(driver: Any, statement: Statement) -> Answer:
    return _read(driver.execute(_with_question_marks(statement.sql), statement.params))


@lru_cache(maxsize=256)
def _with_question_marks(sql: str) -> str:
    return sql % (("?",) * sql.count("%s"))


def _by_mysql(database: Any, todo: list[Statement], commits: bool) -> list[Answer]:
    driver, texts = database.connection, [statement.sql for statement in todo]
    # What may fail here comes before a BEGIN that would be taken for sent.
    values = tuple([driver.literal(param) for statement in todo for param in statement.params])
    if begins := database.take_begin():
        texts.insert(0, BEGIN)
    if commits:
        texts.append("COMMIT")
    driver.query("; ".join(texts).encode() % values)
    answers = []
    while True:
        result = driver.store_result()
        changed, rows = driver.affected_rows(), result.fetch_row(0) if result else ()
        answers.append(Answer(changed, list(rows)))
        if driver.next_result() != 0:
            break
    if commits:
        database.has_committed()
    return answers[begins : begins + len(todo)]


def _by_cursor(database: Any, todo: list[Statement]) -> list[Answer]:
    with database.cursor() as cursor:
        if vendor() == "sqlite":
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


def now(later: float = 0) -> Statement:
    """The database's clock as an expression, or so many seconds later.

    SQLite runs on this host, so its clock is ours.
    """
    if vendor() == "mysql":
        text, unit = "UTC_TIMESTAMP(6)", "INTERVAL %s SECOND"
    elif vendor() == "postgresql":
        text, unit = "clock_timestamp()", "%s * INTERVAL '1 second'"
    else:
        moment = datetime.now(UTC) + timedelta(seconds=later)
        return Statement("%s", (connection.ops.adapt_datetimefield_value(moment),))
    return Statement(f"{text} + {unit}", (later,)) if later else Statement(text)


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
# The columns that are written, each with the expression that stands in the place of a parameter,
# or with Plus. No values, for the texts are kept.
Mark = Expression | type[Plus] | None
Shape = tuple[tuple[str, Mark], ...]
Convert = Callable[[Any], Any]
# What turns the value of that name into the driver's terms; None where it is in them already.
Conversions = tuple[tuple[str, Convert | None], ...]


class _Template(NamedTuple):
    sql: str
    values: Conversions
    where: Conversions

    def filled(self, values: Mapping[str, Any], where: Mapping[str, Any]) -> Statement:
        return Statement(self.sql, _converted(self.values, values) + _converted(self.where, where))


def _shape(values: Mapping[str, Any]) -> Shape:
    return tuple([(name, _mark(value)) for name, value in values.items()])


def _mark(value: Any) -> Mark:
    kind = type(value)
    return value if kind is Expression else Plus if kind is Plus else None


@cache
def _insert(model: type[Model], shape: Shape) -> _Template:
    columns = ", ".join(_column(model, name) for name, _ in shape)
    marks = ", ".join(str(mark or "%s") for _, mark in shape)
    sql = f"INSERT INTO {table(model)} ({columns}) VALUES ({marks})"
    return _Template(sql, _conversions(model, shape), ())


@cache
def _update(model: type[Model], shape: Shape, where: tuple[str, ...]) -> _Template:
    changes = ", ".join(_change(_column(model, name), mark) for name, mark in shape)
    # With old statistics MariaDB takes an index on the status for the better one, and then waits
    # for the locks of rows that are none of ours.
    hint = " FORCE INDEX (PRIMARY)" if vendor() == "mysql" and "pk" in where else ""
    found = " AND ".join(f"{_column(model, name)} = %s" for name in where)
    sql = f"UPDATE {table(model)}{hint} SET {changes} WHERE {found}"
    conditions = tuple([(name, None) for name in where])
    return _Template(sql, _conversions(model, shape), _conversions(model, conditions))


def _change(column: str, mark: Mark) -> str:
    return f"{column} = {column} + %s" if mark is Plus else f"{column} = {mark or '%s'}"


def _column(model: type[Model], name: str) -> str:
    return connection.ops.quote_name(str(_field(model, name).column))


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    if name == "pk":
        return model._meta.pk
    return next(field for field in model._meta.concrete_fields if field.attname == name)


# --- values ---------------------------------------------------------------------------------
def _converted(conversions: Conversions, values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(
        [
            value if (value := values[name]) is None or convert is None else convert(value)
            for name, convert in conversions
        ]
    )


def _conversions(model: type[Model], shape: Shape) -> Conversions:
    return tuple(
        [
            (name, attrgetter("by") if mark is Plus else _conversion(model, name))
            for name, mark in shape
            if not isinstance(mark, Expression)
        ]
    )


def _conversion(model: type[Model], name: str) -> Convert | None:
    field = _field(model, name)
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(target, models.CharField):
        return str
    if isinstance(target, PLAIN):
        return None
    if isinstance(target, models.DateTimeField):
        return _time
    if isinstance(target, models.JSONField):
        return json.dumps
    if isinstance(target, models.UUIDField):
        return None if connection.features.has_native_uuid_field else attrgetter("hex")
    return lambda value: field.get_db_prep_save(value, connection)


@lru_cache(maxsize=16)
def _time(value: datetime) -> Any:
    """One moment is written to several columns and rows."""
    return connection.ops.adapt_datetimefield_value(value)
