"""A change in many steps: a row for each, progress, Ctrl-C in between, the record and the document."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db import DatabaseError
from django.utils.translation import gettext as _

from analysis import audit
from analysis.management import interrupt, report, terminal
from analysis.management.base import OperatorCommand, PartlyDone
from arboris.db import db_now

Rows = Callable[[threading.Event], Iterator[report.Row]]


def take(
    command: OperatorCommand,
    rows: Rows,
    total: int,
    entry: audit.Entry,
    totals: Callable[[], Mapping[str, Any]],
) -> bool:
    """Print the rows as they come; whatever happens, close the document and the record.

    ``rows`` ends when the event that it is given is set. Returns whether it was interrupted;
    raises PartlyDone, or the error itself, when the database broke in.
    """
    out = report.Report(command.stdout, as_document=command.json, now=db_now())
    broken: DatabaseError | None = None
    taken, interrupted = 0, True  # until it is through
    try:
        with (
            interrupt.between_steps() as stop,
            terminal.progress(command.err, command.name, total) as advance,
        ):
            for row in rows(stop):
                out.add(row)
                taken += 1
                advance(1)
        interrupted = stop.is_set() and taken < total
    except KeyboardInterrupt:
        interrupted = True  # which the document, the record and the exit code say
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
