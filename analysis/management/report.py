"""Rows about tasks: lines for people as they come, or one JSON document that is never held whole.

``take`` makes a change in many steps: a row for each, progress, Ctrl-C in between, the record.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.management.base import OutputWrapper
from django.db import DatabaseError
from django.utils.translation import gettext as _

from analysis import audit
from analysis.management import terminal
from analysis.management.base import OperatorCommand, PartlyDone, as_json
from analysis.management.terminal import columns
from analysis.management.units import short
from analysis.models import PendingAnalysis
from arboris.db import db_now
from arboris.stop_request import StopRequest

WIDTHS = (8, 10, 4, 24, 12, 6, 3)
LOADED = ("chapter", "project", "user")
BATCH = 200  # tasks in memory at a time
OK = "ok"
NOT_FOUND = "not_found"
HEAVY = ("result", "checkpoint", "generation_config", "token_usage")

Row = dict[str, Any]
Rows = Callable[[StopRequest], Iterator[Row]]


def task_row(task: PendingAnalysis) -> Row:
    """What is shown of a task, in JSON's terms."""
    return {
        "id": task.pk,
        "status": task.status,
        "priority": task.priority,
        "project_id": str(task.project_id),
        "project": task.project.title,
        "chapter_id": task.chapter_id,
        "chapter_number": task.chapter.chapter_number,
        "user": task.user.get_username(),
        "attempts": task.attempt_count,
        "created_at": task.created_at,
        "error_type": task.error_type,
        "error_message": task.error_message,
    }


def not_found(task_id: int) -> Row:
    return {"id": task_id, "outcome": NOT_FOUND, "reason": _("There is no such analysis.")}


def loaded(ids: Sequence[int]) -> Iterator[tuple[int, PendingAnalysis | None]]:
    """Each id with its task as the rows need it (None: there is no such), a batch at a time."""
    tasks = PendingAnalysis.objects.select_related(*LOADED, "version")
    tasks = tasks.defer(*HEAVY, "version__content")
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        found = tasks.in_bulk(part)
        yield from ((pk, found.get(pk)) for pk in part)


def head() -> str:
    names = (_("id"), _("status"), _("prio"), _("chapter"), _("writer"), _("age"), _("try"))
    return columns((*names, _("error")), WIDTHS)


def line(row: Row, now: datetime) -> str:
    """A row for people; what was refused says why at its end."""
    if "status" not in row:
        cells = [str(row["id"]), "-", "-", "-", "-", "-", "-", ""]
    else:
        age = short((now - row["created_at"]).total_seconds())
        error = ": ".join(filter(None, (row["error_type"], row["error_message"][:80])))
        cells = [str(row["id"]), row["status"], str(row["priority"])]
        cells += [f"{row['chapter_number']} {row['project']}", row["user"], age]
        cells += [str(row["attempts"]), error]
    if row.get("reason"):
        cells[-1] = f"{cells[-1]} → {row['reason']}".strip()
    return columns(cells, WIDTHS)


class Report:
    """``{"tasks": [row…], …}`` written row by row; plain lines where it is not JSON."""

    def __init__(self, out: OutputWrapper, *, as_document: bool, now: datetime) -> None:
        self._out = out
        self._json = as_document
        self._now = now
        self._rows = 0

    def add(self, row: Row) -> None:
        if self._json:
            lead = '{\n  "tasks": [\n    ' if not self._rows else ",\n    "
            self._out.write(lead + as_json(row), ending="")
        else:
            if not self._rows:
                self._out.write(head())
            self._out.write(line(row, self._now))
        self._rows += 1

    def close(self, totals: Mapping[str, Any]) -> None:
        """End the document with ``totals``; always called, also after an interruption."""
        if not self._json:
            return
        lead = "\n  ]" if self._rows else '{\n  "tasks": []'
        rest = "".join(f",\n  {json.dumps(key)}: {as_json(value)}" for key, value in totals.items())
        self._out.write(f"{lead}{rest}\n}}")


def take(
    command: OperatorCommand,
    rows: Rows,
    total: int,
    entry: audit.Changes,
    totals: Callable[[], Mapping[str, Any]],
) -> bool:
    """Print the rows as they come; whatever happens, close the document and the record.

    ``rows`` ends when the event that it is given is set. Returns whether it was interrupted, also
    by a reader who is gone; raises PartlyDone, or the error itself, when the database broke in.
    """
    out = Report(command.stdout, as_document=command.json, now=db_now())
    broken: DatabaseError | None = None
    taken, interrupted = 0, True  # until it is through
    try:
        with (
            terminal.between_steps() as stop,
            terminal.progress(command.err, command.name, total) as advance,
        ):
            for row in rows(stop):
                out.add(row)
                taken += 1
                advance(1)
        interrupted = stop.is_set() and taken < total
    except KeyboardInterrupt:
        interrupted = True  # which the document, the record and the exit code say
    except OSError as error:
        terminal.silence(command.out, error)
    except DatabaseError as error:
        broken = error
    finally:
        try:
            command.close(entry, interrupted=interrupted)
        except DatabaseError as error:
            broken = broken or error
        out.close({**totals(), "interrupted": interrupted})
    if broken and not entry.count:
        raise broken
    if broken:
        values = {"error": broken, "done": entry.count}
        raise PartlyDone(_("The database refused: %(error)s; %(done)d were done.") % values)
    return interrupted
