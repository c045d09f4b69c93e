"""Sums of what calls have cost: by month and purpose, model, writer and novel, and by day."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from arboris.llm.models import ModelCall, SpendSum
from arboris.sql import Plus, Update, write

Kind = SpendSum.Kind


def add(call: ModelCall) -> None:
    """Count the call, in the caller's transaction."""
    month = month_of(call.created_at)
    keys = [{"month": month, "kind": kind, "subject": of} for kind, of in _subjects(call)]
    grown = {
        "calls": Plus(1),
        "prompt_tokens": Plus(call.prompt_tokens),
        "completion_tokens": Plus(call.completion_tokens),
        "cost": Plus(call.cost or Decimal(0)),  # type: ignore[arg-type]
    }
    matched = write(*(Update(SpendSum, key, grown) for key in keys))
    for key, rows in zip(keys, matched, strict=True):
        if not rows:
            # Another process may create it at this moment.
            with contextlib.suppress(IntegrityError), transaction.atomic():
                SpendSum.objects.create(**key)
            write(Update(SpendSum, key, grown))


def _subjects(call: ModelCall) -> Iterator[tuple[Kind, str]]:
    """In the order of their locks: those that all processes want come last."""
    if call.project_id is not None:
        yield Kind.NOVEL, call.project_id.hex
    if call.user_id is not None:
        yield Kind.WRITER, str(call.user_id)
    yield Kind.PURPOSE, call.purpose
    # Only what costs tokens: any writer may ask for a model that does not exist.
    if call.prompt_tokens or call.completion_tokens:
        yield Kind.MODEL, call.model
    yield Kind.DAY, f"{call.created_at.astimezone(UTC):%Y-%m-%d}"


def dearest(month: date, kind: Kind) -> QuerySet[SpendSum]:
    """The sums of a month, the highest first: as an index has them."""
    return SpendSum.objects.filter(month=month, kind=kind).order_by("-cost", "-prompt_tokens")


def month_of(moment: datetime) -> date:
    """The first day of its month (UTC)."""
    return moment.astimezone(UTC).date().replace(day=1)
