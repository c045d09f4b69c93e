"""What the demo shows: tables for a terminal, plain text elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from django.utils.translation import gettext as _
from rich.table import Table

from arboris.workspace.demo.figures import Journey, percentile
from arboris.workspace.texts import SCRIPT_TEXTS


def journeys(title: str, rows: Sequence[Journey]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in (
        _("Chapter"), _("Enqueued"),
        _("Saved and shown"), _("Started"), _("Completed"), _("Pushed"),
        _("Status"),
    ):  # fmt: skip
        table.add_column(name, justify="right")
    if not rows:
        return table
    begin = min(row.queued for row in rows)
    for row in sorted(rows, key=lambda row: row.chapter):
        moments = (row.queued, row.shown, row.started, row.completed, row.pushed)
        seconds = [f"+{(moment - begin).total_seconds():.3f} s" for moment in moments]
        table.add_row(
            row.title or str(row.chapter), *seconds, str(SCRIPT_TEXTS[f"status_{row.status}"])
        )
    return table


def figures(rows: Sequence[Journey]) -> Table:
    """The speed figures on an idle system, with what is asked for beside them."""
    table = Table(
        title=_("Speed (one chapter of 3,000 characters at a time)"), title_justify="left"
    )
    for name in (_("Figure"), "p50", "p95", _("Goal")):
        table.add_column(name, justify="left" if name == _("Figure") else "right")
    for label, values, goal in (
        (_("Answer to the POST"), [r.answer_seconds for r in rows], "≤ 300 ms"),
        (_("Saved to started"), [r.pick_up for r in rows], "p50 ≤ 60 ms, p95 ≤ 250 ms"),
        (_("Analysis"), [r.analysis for r in rows], "p50 ≤ 1500 ms"),
        (_("Result to frame in the client"), [r.push for r in rows], "p50 ≤ 200 ms"),
    ):
        p50, p95 = median(values) * 1000, percentile(values, 0.95) * 1000
        table.add_row(label, f"{p50:.0f} ms", f"{p95:.0f} ms", goal)
    return table


def bible(content: dict[str, Any]) -> list[Table]:
    """One table for each part of the bible that holds anything."""
    parts = [_characters(content), _world(content), _threads(content), _relations(content)]
    return [table for table in parts if table.row_count]


def _chapter(row: dict[str, Any]) -> str:
    """What the writer calls the row's chapter; the number of one without a title."""
    return str(row["chapter_title"] or row["chapter_number"])


def _characters(content: dict[str, Any]) -> Table:
    table = Table(title=_("Characters"), title_justify="left")
    for name in (_("Name"), _("Aliases"), _("Mentions"), _("Chapters"), _("Last known")):
        table.add_column(name)
    for row in content["characters"][:12]:
        states = row["states"]
        last = ""
        if states:
            kind = SCRIPT_TEXTS[f"kind_{states[-1]['kind']}"]
            last = f"{kind}: {states[-1]['description'][:40]}"
        table.add_row(
            row["name"],
            "、".join(row["aliases"]),
            str(row["mentions"]),
            _span(row),
            last,
        )
    return table


def _span(row: dict[str, Any]) -> str:
    first, last = _chapter(row), str(row["last_chapter_title"] or row["last_chapter"])
    return first if first == last else f"{first} – {last}"


def _world(content: dict[str, Any]) -> Table:
    table = Table(title=_("World"), title_justify="left")
    for name in (_("Kind"), _("Name"), _("Chapter"), _("Quote")):
        table.add_column(name)
    kinds = {
        "locations": _("Location"), "factions": _("Faction"), "items": _("Item"),
        "rules": _("Rule"),
    }  # fmt: skip
    for plural, label in kinds.items():
        rows = sorted(content["world"][plural], key=lambda row: -row["mentions"])
        for row in rows[:6]:
            table.add_row(label, row["name"], _chapter(row), row["quote"][:40])
    return table


def _threads(content: dict[str, Any]) -> Table:
    table = Table(title=_("Foreshadowing"), title_justify="left")
    for name in (_("Chapter"), _("Status"), _("Seed"), _("Pay-off")):
        table.add_column(name)
    # Those with a pay-off first: they show what the ledger is for.
    for row in sorted(content["foreshadowings"], key=lambda row: not row["events"])[:8]:
        events = "\n".join(f"{_chapter(e)}: {e['quote'][:40]}" for e in row["events"])
        status = str(SCRIPT_TEXTS[f"seed_{row['status']}"])
        table.add_row(_chapter(row), status, row["quote"][:40], events)
    return table


def _relations(content: dict[str, Any]) -> Table:
    table = Table(title=_("Relationships"), title_justify="left")
    for name in (_("Who"), _("is the … of"), _("Whom"), _("Quote")):
        table.add_column(name)
    for row in content["relationships"][:10]:
        table.add_row(row["source"], row["relation"], row["target"], row["quote"][:40])
    return table
