"""Every table that the admin lists, filled by the database itself: MariaDB or SQLite.

Values are made from the models: a table that is added later is filled too. What a constraint of its
own asks for stands in ``SPECIAL``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection, models
from django.db.models import Field, Model

from analysis.models import EndpointState, QueueControl, StatusTally, WorkerHeartbeat
from analysis.overview.models import FailureCounter
from arboris.db import db_now
from arboris.llm.models import CallCounter, CallSlot, ModelRoute, PromptVersion, SpendCounter

# As many as there are purposes, processes, endpoints: they do not grow with the novels.
FEW = {
    CallCounter: 50, CallSlot: 50, EndpointState: 5, FailureCounter: 50, Group: 5, ModelRoute: 10,
    PromptVersion: 50, QueueControl: 1, SpendCounter: 50, StatusTally: 16, WorkerHeartbeat: 20,
}  # fmt: skip
# Of a hundred rows one belongs to another writer and novel, so each has a hundred; every tenth row
# is of the first.
EACH = 100
SECONDS = 4  # from one row to the next

# By label of the model, or of one of its fields: an expression of ``n``, which counts from 1.
SPECIAL = {
    "analysis.PendingAnalysis.status": (
        "CASE WHEN n % 50 = 1 THEN 'pending' WHEN n % 10000 = 2 THEN 'processing'"
        " WHEN n % 20 = 3 THEN 'failed' WHEN n % 20 = 4 THEN 'cancelled' ELSE 'completed' END"
    ),
    "analysis.PendingAnalysis.active_chapter": (
        "CASE WHEN n % 50 = 1 OR n % 10000 = 2 THEN n ELSE NULL END"
    ),
    "analysis.PendingAnalysis.error_type": (
        "CASE WHEN n % 2000 = 3 THEN 'timeout' WHEN n % 20 = 3 THEN 'llm_refused' ELSE '' END"
    ),
    "analysis.PendingAnalysis.error_fingerprint": (
        "CASE WHEN n % 2000 = 3 THEN '0123456789abcdef' WHEN n % 20 = 3 THEN 'fedcba9876543210'"
        " ELSE '' END"
    ),
    "analysis.PendingAnalysis.completed_at": (
        "CASE WHEN n % 50 = 1 OR n % 10000 = 2 THEN NULL ELSE {time} END"
    ),
    "analysis.PendingAnalysis.priority": "CASE WHEN n % 7 = 0 THEN n % 10 + 1 ELSE 5 END",
    "analysis.QueuePause.user": "NULL",
    "analysis.OperatorAction.action": "CASE WHEN n % 400 = 1 THEN 'pause' ELSE 'retry' END",
    "llm.BudgetStop.subject": "{subject}",
    "llm.BudgetStop.project_id": "NULL",
    "llm.BudgetStop.lifted_at": "CASE WHEN n % 2 = 0 THEN {time} ELSE NULL END",
    "llm.SpendSum.subject": "{digits}",  # a number, and a novel's id
    "llm.BudgetStop.month": "'2026-11-01'",
    "llm.ModelCall.outcome": (
        "CASE WHEN n % 20 = 3 THEN 'timeout' WHEN n % 50 = 1 THEN 'cancelled' ELSE 'ok' END"
    ),
    "llm.ModelCall.purpose": "CASE n % 20 WHEN 0 THEN 'purp 7' ELSE 'purp 8' END",
    "llm.ModelCall.model": "CASE n % 20 WHEN 1 THEN 'mode 7' ELSE 'mode 8' END",
    "novels.NovelProject.deleted_at": "CASE WHEN n % 50 = 2 THEN {time} ELSE NULL END",
    "novels.Chapter.deleted_at": "CASE WHEN n % 50 = 2 THEN {time} ELSE NULL END",
    "auth.User.is_staff": "n % 1000 = 1",
    "auth.User.is_superuser": "n % 1000 = 1",
    "auth.User.is_active": "n % 100 <> 1",
}


def listed() -> list[type[Model]]:
    return list(admin.site._registry)


def fill(rows: int, keep: Iterable[type[Model]] = ()) -> None:
    """Each table gets ``rows`` rows, but those of FEW; what they had is gone."""
    with _Unchecked():
        for model in _with_targets(listed()):
            if model not in keep:
                _fill(model, min(rows, FEW.get(model, rows)), rows)
    _analyze()


def empty() -> None:
    """As after the migrations: the tables with one row for the whole site have it again."""
    call_command("flush", interactive=False, verbosity=0)


def _with_targets(found: list[type[Model]]) -> list[type[Model]]:
    """With what they point to, each once."""
    models_ = dict.fromkeys(found)
    for model in found:
        for field in model._meta.concrete_fields:
            if field.is_relation and field.related_model is not None:
                models_.setdefault(field.related_model)
    return list(models_)


def _fill(model: type[Model], count: int, rows: int) -> None:
    meta = model._meta
    columns = {_quoted(field.column): _value(field, count, rows) for field in meta.concrete_fields}
    table = _quoted(meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)})"
            f" SELECT {', '.join(columns.values())} FROM {_numbers(count)} numbers"
        )


def _numbers(count: int) -> str:
    if connection.vendor == "mysql":
        return f"(SELECT seq AS n FROM seq_1_to_{count})"
    return (
        f"(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count})"
        " SELECT n FROM s)"
    )


def _value(field: Field[Any, Any], count: int, rows: int) -> str:
    special = SPECIAL.get(f"{field.model._meta.label}.{field.name}")
    if special is not None:
        made = {"{time}": _time(count), "{digits}": _digits(), "{subject}": _subject()}
        for name, expression in made.items():
            special = special.replace(name, expression)
        return special
    if field.is_relation:
        return _target(field, rows)
    return _plain(field, count, unique=_is_unique(field))


def _is_unique(field: Field[Any, Any]) -> bool:
    """Whether it alone tells rows apart: also of several columns the one that is no key."""
    meta = field.model._meta
    groups = [tuple(names) for names in meta.unique_together]
    groups += [tuple(c.fields) for c in meta.constraints if isinstance(c, models.UniqueConstraint)]
    plain = [
        next((n for n in group if not meta.get_field(n).is_relation), None) for group in groups
    ]
    return field.unique or field.name in plain


def _target(field: Field[Any, Any], rows: int) -> str:
    """A row of the other table. Of what has one row each, that; else it is shared out."""
    target: type[Model] = field.related_model  # type: ignore[assignment]
    number = "n"
    if not field.unique and target._meta.label in ("auth.User", "novels.NovelProject"):
        number = f"CASE WHEN n % 10 = 0 THEN 1 ELSE 1 + n % {max(1, rows // EACH)} END"
    if target in FEW:
        number = f"1 + n % {FEW[target]}"
    key = target._meta.pk
    return _uuid(f"({number})") if isinstance(key, models.UUIDField) else f"({number})"


def _plain(field: Field[Any, Any], count: int, *, unique: bool) -> str:
    kind = type(field)
    if isinstance(field, models.UUIDField):
        return _uuid("n")
    if isinstance(field, models.DateTimeField):
        return _time(count)
    if isinstance(field, models.DateField):
        return "'2026-11-01'"
    if isinstance(field, models.JSONField):
        return "'{}'"
    if isinstance(field, models.BinaryField):
        return "''"
    if isinstance(field, models.BooleanField):
        return "n % 2"
    if isinstance(field, models.AutoField) or (
        isinstance(field, models.IntegerField) and (unique or field.primary_key)
    ):
        return "n"
    if isinstance(field, (models.IntegerField, models.FloatField, models.DecimalField)):
        return "n % 2" if field.choices else "n % 1000"
    if isinstance(field, (models.CharField, models.TextField)):
        return _words(field, unique=unique)
    raise TypeError(f"{field}: how is {kind} filled?")


def _words(field: Field[Any, Any], *, unique: bool) -> str:
    if unique:
        return _text(f"{field.name[:4]} ")
    if field.choices:
        values = [str(value) for value, _ in field.flatchoices if value]
        whens = "".join(f" WHEN {i} THEN '{value}'" for i, value in enumerate(values))
        return f"CASE n % {len(values)}{whens} END"
    if (field.max_length or 200) < 14:
        return f"CASE n % 3 WHEN 0 THEN '{field.name[:3]}' ELSE 'x' END"
    return _text(f"{field.name[:4]} ")


def _text(before: str) -> str:
    return f"CONCAT('{before}', n)" if connection.vendor == "mysql" else f"'{before}' || n"


def _subject() -> str:
    return _text("writer:")


def _digits() -> str:
    return "LPAD(n, 32, '0')" if connection.vendor == "mysql" else "printf('%032d', n)"


def _uuid(number: str) -> str:
    if connection.vendor == "mysql":
        return f"CONCAT('00000000-0000-4000-8000-', LPAD(HEX({number}), 12, '0'))"
    return f"printf('0000000000004000%016x', {number} + (8 << 60))"


def _time(count: int) -> str:
    """The newest row is of now."""
    start = db_now() - timedelta(seconds=count * SECONDS)
    if connection.vendor == "mysql":
        return f"('{start:%Y-%m-%d %H:%M:%S}' + INTERVAL n * {SECONDS} SECOND)"
    return f"datetime('{start:%Y-%m-%d %H:%M:%S}', (n * {SECONDS}) || ' seconds')"


class _Unchecked:
    """Without what costs time while tables are filled: checks of keys."""

    def __enter__(self) -> None:
        self._set(on=0)

    def __exit__(self, *error: object) -> None:
        self._set(on=1)

    def _set(self, on: int) -> None:
        statements = {
            "mysql": [f"SET foreign_key_checks = {on}", f"SET unique_checks = {on}"],
            "sqlite": [f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}"],
        }[connection.vendor]
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def _analyze() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            return
        for model in listed():
            cursor.execute(f"ANALYZE TABLE {_quoted(model._meta.db_table)}")
            cursor.fetchall()


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(str(name))
