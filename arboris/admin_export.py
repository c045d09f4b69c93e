"""A list of the admin as a file: every row of its filter and search, with the list's columns."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.encoding import force_str
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from arboris.admin_lists import BoundedChangeList

# Rows in memory; SQLite takes no more than 999 rows of another table with them.
BATCH = 500
# With one of these a spreadsheet takes a text for a formula, also one of a stranger's.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}

# Called before the first piece of an export is made, with the request and what is exported; what
# it returns is called at the end, with how many rows were written and whether those were all. The
# rooms above set it.
Ended = Callable[[int, bool], None]
Recorder = Callable[[HttpRequest, Mapping[str, Any]], Ended]
recorders: list[Recorder] = []


def response(request: HttpRequest, changes: BoundedChangeList, kind: str) -> StreamingHttpResponse:
    """Send the file as it is made. ``kind``: a key of TYPES."""
    columns = list(changes.model_admin.get_list_display(request))
    what = {
        "list": changes.opts.label,
        "format": kind,
        "filter": changes.get_query_string().removeprefix("?"),
    }
    pieces = _recorded(changes, columns, kind, partial(_begin, request, what))
    answer = StreamingHttpResponse(
        # Django reads the one kind of iterator to its end on a server of the other kind.
        _as_async(pieces) if isinstance(request, ASGIRequest) else pieces,
        content_type=TYPES[kind],
    )
    name = f"{changes.opts.model_name}-{timezone.now():%Y%m%d-%H%M}.{kind}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["X-Accel-Buffering"] = "no"
    return answer


async def _as_async(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    try:
        while (piece := await sync_to_async(partial(next, pieces, None))()) is not None:
            yield piece
    finally:  # also where the browser has gone before the end
        await sync_to_async(pieces.close)()  # type: ignore[attr-defined]


def _begin(request: HttpRequest, what: Mapping[str, Any]) -> list[Ended]:
    return [begin(request, what) for begin in recorders]


def _recorded(
    changes: BoundedChangeList, columns: list[Any], kind: str, begin: Callable[[], list[Ended]]
) -> Iterator[bytes]:
    """The pieces. Of a file that nobody waits for there is no record: its end would never come."""
    written, whole, ends = 0, False, begin()
    write = _csv if kind == "csv" else _json
    try:
        for count, piece in write(changes, columns):
            yield piece.encode()
            written += count
        whole = True
    finally:
        for ended in ends:
            ended(written, whole)


def _csv(changes: BoundedChangeList, columns: list[Any]) -> Iterator[tuple[int, str]]:
    labels = [
        force_str(label_for_field(name, changes.model, changes.model_admin)) for name in columns
    ]
    yield 0, "\ufeff" + _lines([labels])  # the mark by which Excel knows UTF-8
    for rows in changes.batches(BATCH):
        values = ([_cell(value) for value in _values(changes, row, columns)] for row in rows)
        yield len(rows), _lines(values)


def _lines(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _json(changes: BoundedChangeList, columns: list[Any]) -> Iterator[tuple[int, str]]:
    names = [getattr(name, "__name__", name) for name in columns]
    before = "[\n"
    for rows in changes.batches(BATCH):
        lines = (
            json.dumps(
                dict(zip(names, _values(changes, row, columns), strict=True)),
                ensure_ascii=False,
                default=str,
            )
            for row in rows
        )
        yield len(rows), before + ",\n".join(lines)
        before = ",\n"
    yield 0, "[]\n" if before == "[\n" else "\n]\n"


def _values(changes: BoundedChangeList, row: Any, columns: list[Any]) -> list[Any]:
    return [_value(changes, row, name) for name in columns]


def _value(changes: BoundedChangeList, row: Any, name: Any) -> Any:
    """What JSON can hold: times in UTC, rows of other tables by their names, texts without tags."""
    try:
        field, _attribute, value = lookup_field(name, row, changes.model_admin)
    except ObjectDoesNotExist:
        return None
    if field is not None and field.is_relation:
        value = getattr(row, field.name)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Decimal | date):
        return str(value)
    return strip_tags(value) if isinstance(value, SafeString) else str(value)


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return "" if value is None else value
