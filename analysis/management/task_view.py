"""One analysis on the terminal, drawn with rich."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from analysis.management.terminal import one_line
from analysis.task_detail import ACTION, ATTEMPT, CALL, NOTIFICATION, TASK, Rows


def draw(seen: dict[str, Any]) -> RenderableType:
    parts: list[RenderableType] = [_facts(seen)]
    tables = (
        (_("Attempts"), ATTEMPT[:-1], seen["attempts"]),
        (_("Calls to language models"), CALL, seen["calls"]),
        (_("Notifications"), NOTIFICATION, seen["notifications"]),
        (_("What people did"), ACTION, seen["record"]),
    )
    for title, names, rows in tables:
        if rows:
            parts += ["", _table(title, names, rows)]
    for attempt in seen["attempts"]:
        if attempt["traceback"]:
            parts += ["", _("Traceback of attempt %(number)d") % attempt, _code(attempt)]
    return Group(*parts)


def _code(attempt: dict[str, Any]) -> str:
    return "\n".join(escape(one_line(line)) for line in attempt["traceback"].splitlines())


def _tokens(spent: dict[str, Any]) -> str | None:
    if not spent["calls"]:
        return None
    return f"{spent['prompt_tokens']} + {spent['completion_tokens']}"


def _facts(seen: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    waiting = seen["waiting"]
    novel = f"{seen['project']} · {seen['chapter_number']} {seen['chapter']} (v{seen['version']})"
    facts = {
        "id": seen["id"],
        "status": seen["status"],
        _("waits"): waiting and f"{waiting['code']}: {waiting['message']}",
        _("chapter"): novel,
        _("writer"): seen["user"],
        **{name: seen[name] for name in TASK[2:]},
        _("calls"): seen["spent"]["calls"] or None,
        _("tokens"): _tokens(seen["spent"]),
        _("cost"): seen["spent"]["cost"],
    }
    for name, value in facts.items():
        if value not in (None, ""):
            table.add_row(name, _cell(value))
    return table


def _table(title: str, names: tuple[str, ...], rows: Rows) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name)
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in names))
    return table


def _cell(value: Any) -> str:
    """Times to the second, in UTC; what others wrote on one line."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        return f"{value:.1f}"
    return "-" if value in (None, "") else escape(one_line(str(value)))
