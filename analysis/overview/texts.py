"""The figures as texts with links, for one member of the staff: what they may not see is left out.

Both the page and its script show the same cells: a text, and the list that it counts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypedDict
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analysis.health import HEARTBEAT_GRACE
from analysis.management.units import short
from analysis.models import Status
from analysis.overview import paused
from analysis.overview.figures import WINDOWS, Figures
from analysis.overview.paused import Hold
from analysis.overview.samples import MOST

Reader = User | AnonymousUser
NOTHING = "–"


class Cell(TypedDict):
    text: str
    href: str  # empty: it counts no list


def may_look(user: Reader) -> bool:
    return bool(user.is_active and user.is_staff and _may(user, "analysis.view_pendinganalysis"))


def _may(user: Reader, right: str) -> bool:
    return bool(user.has_perm(right))


def cell(text: str, href: str = "") -> Cell:
    return {"text": text, "href": href}


def tasks(**lookups: object) -> str:
    """The list of analyses, filtered."""
    return listed("analysis_pendinganalysis", **lookups)


def listed(model: str, **lookups: object) -> str:
    texts = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in lookups.items()
    }
    query = f"?{urlencode(texts)}" if texts else ""
    return reverse(f"admin:{model}_changelist") + query


def count(number: int, *, at_least: bool = False) -> str:
    """A number in the reader's language; what was not counted to its end has a plus."""
    if number > MOST:
        number, at_least = MOST, True
    return number_format(number, force_grouping=True) + ("+" if at_least else "")


# --- how it stands now ------------------------------------------------------------------------
def now(seen: Figures) -> dict[str, Cell]:
    """The figures of this moment, by name."""
    oldest = cell(NOTHING)
    if seen.oldest is not None:
        pk, created = seen.oldest
        age = short((seen.at - created).total_seconds())
        oldest = cell(age, reverse("admin:analysis_pendinganalysis_change", args=[pk]))
    return {
        "pending": cell(count(seen.pending), tasks(status__exact=Status.PENDING.value)),
        "due": cell(
            count(seen.due, at_least=seen.due_is_least),
            tasks(status__exact=Status.PENDING.value, due_at__lte=seen.at),
        ),
        "processing": cell(count(seen.processing), tasks(status__exact=Status.PROCESSING.value)),
        "failed": cell(count(seen.failed), tasks(status__exact=Status.FAILED.value)),
        "oldest": oldest,
    }


def now_titles() -> dict[str, str]:
    return {
        "pending": _("pending"),
        "due": pgettext("how many", "due"),
        "processing": _("processing"),
        "failed": _("failed"),
        "oldest": _("oldest due"),
    }


def window_titles() -> dict[str, str]:
    return {"1h": _("last hour"), "24h": _("last 24 hours"), "7d": _("last 7 days")}


# --- over the windows -------------------------------------------------------------------------
def windows(seen: Figures, user: Reader) -> list[tuple[str, list[Cell]]]:
    """The rows of the table: a title, and a cell for each window."""
    rows = [
        (str(status.label), [_ended(seen, window, status) for window in WINDOWS])
        for status in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
    ]
    rows += [
        (_("success rate"), [_success(seen, window) for window in WINDOWS]),
        (_("run time, median"), [_run_time(seen, window, 0) for window in WINDOWS]),
        (_("run time, 95th percentile"), [_run_time(seen, window, 1) for window in WINDOWS]),
    ]
    if _may(user, "llm.view_modelcall"):
        currency = settings.ARBORIS_LLM_CURRENCY
        rows += [
            (_("tokens"), [_tokens(seen, window) for window in WINDOWS]),
            (_("cost in %s") % currency, [_cost(seen, window) for window in WINDOWS]),
        ]
    return rows


def _ended(seen: Figures, window: str, status: Status) -> Cell:
    since = seen.at - WINDOWS[window]
    link = tasks(status__exact=status.value, completed_at__gte=since)
    return cell(count(seen.ended[window][status.value]), link)


def _success(seen: Figures, window: str) -> Cell:
    share = seen.success[window]
    if share is None:
        return cell(NOTHING)
    # 99.96 % is not all of them.
    text = number_format(int(share * 1000) / 10, 1)
    return cell(f"{text} %")


def _run_time(seen: Figures, window: str, place: int) -> Cell:
    times = seen.runs[window]
    if times is None:
        return cell(NOTHING)
    seconds = times[place]
    text = f"{number_format(seconds, 2)} s" if seconds < 120 else short(seconds)
    link = tasks(status__exact=Status.COMPLETED.value, completed_at__gte=seen.at - WINDOWS[window])
    return cell(text, link)


def _tokens(seen: Figures, window: str) -> Cell:
    spent = seen.spent[window]
    if spent is None:
        return cell(NOTHING)
    number = spent.prompt_tokens + spent.completion_tokens
    return cell(number_format(number, force_grouping=True), _calls(spent.since))


def _cost(seen: Figures, window: str) -> Cell:
    spent = seen.spent[window]
    if spent is None:
        return cell(NOTHING)
    return cell(number_format(spent.cost, 4, force_grouping=True), _calls(spent.since))


def _calls(since: datetime) -> str:
    return listed("llm_modelcall", created_at__gte=since)


# --- workers and what is paused ---------------------------------------------------------------
def workers(seen: Figures, user: Reader) -> list[list[Cell]]:
    """Rows: worker, what it runs, for how long, when it was last seen, for how long it is up."""
    rows: list[list[Cell]] = []
    if not _may(user, "analysis.view_workerheartbeat"):
        return rows
    for beat, task in seen.workers:
        silent = seen.at - beat.seen_at
        told = short(silent.total_seconds())
        runs, time = cell(NOTHING), NOTHING
        if task is not None and task.started_at is not None:
            page = reverse("admin:analysis_pendinganalysis_change", args=[task.pk])
            runs = cell(f"{task.pk}: {task.project.title} · {task.chapter.chapter_number}", page)
            time = short((seen.at - task.started_at).total_seconds())
        gone = silent > HEARTBEAT_GRACE
        rows.append(
            [
                cell(beat.worker, listed("analysis_workerheartbeat")),
                runs,
                cell(time),
                cell(_("not seen for %s") % told if gone else told),
                cell(short((seen.at - beat.started_at).total_seconds())),
            ]
        )
    return rows


LOOK = {  # the right to see each kind
    "all": "analysis.view_queuecontrol",
    "endpoint": "analysis.view_endpointstate",
    "project": "analysis.view_queuepause",
    "writer": "analysis.view_queuepause",
    "budget": "llm.view_budgetstop",
}
RESUME: dict[str, tuple[str, Callable[[Hold], str]]] = {  # the right to, and where it is done
    "all": (
        "analysis.change_queuecontrol",
        lambda hold: reverse("admin:analysis_queuecontrol_change", args=[hold.key]),
    ),
    "endpoint": ("analysis.change_endpointstate", lambda _: listed("analysis_endpointstate")),
    "project": (
        "analysis.delete_queuepause",
        lambda hold: reverse("admin:analysis_queuepause_delete", args=[hold.key]),
    ),
    "writer": (
        "analysis.delete_queuepause",
        lambda hold: reverse("admin:analysis_queuepause_delete", args=[hold.key]),
    ),
    "budget": ("llm.change_budgetstop", lambda _: listed("llm_budgetstop")),
}


def held(user: Reader) -> list[Hold]:
    """What is held back and the member of the staff may see; no query for who may see nothing."""
    if not (user.is_active and user.is_staff):
        return []
    kinds = {kind for kind, right in LOOK.items() if _may(user, right)}
    return [hold for hold in paused.holds() if hold.kind in kinds] if kinds else []


def name_of(hold: Hold) -> str:
    names = {
        "all": _("The whole queue"),
        "endpoint": _("The endpoint %s"),
        "project": _("The novel “%s”"),
        "writer": _("The writer %s"),
        "budget": _("The budget of %s"),
    }
    text = names[hold.kind]
    return text % hold.name if "%s" in text else text


def by_whom(hold: Hold) -> str:
    """Who paused it: people do not pause endpoints and budgets."""
    return hold.by or (_("Arboris itself") if hold.kind in {"endpoint", "budget"} else NOTHING)


def resume_link(hold: Hold, user: Reader) -> Cell | None:
    """Where it is let go on, for who may do that."""
    right, link = RESUME[hold.kind]
    return cell(_("Resume"), link(hold)) if _may(user, right) else None


def paused_rows(seen: list[Hold], at: datetime, user: Reader) -> list[list[Cell]]:
    """Rows: what, why, since when, by whom, and where it is let go on."""
    return [
        [
            cell(name_of(hold)),
            cell(hold.reason or NOTHING),
            cell(short((at - hold.since).total_seconds())),
            cell(by_whom(hold)),
            resume_link(hold, user) or cell(""),
        ]
        for hold in seen
    ]


# --- the charts -------------------------------------------------------------------------------
LEVELS = ("pending", "due", "processing")
ENDS = ("completed", "failed", "cancelled")


def history(seen: Figures) -> list[dict[str, Any]]:
    """What the charts draw: levels at a time, and what has ended since the sample before.

    ``{at: ms since 1970, pending, due, processing, completed, failed, cancelled}``; the last three
    are None where there is no sample before.
    """
    drawn = []
    for place, sample in enumerate(seen.history):
        last = seen.history[place - 1] if place else None
        ends = {
            name: None if last is None else getattr(sample, name) - getattr(last, name)
            for name in ENDS
        }
        levels = {name: getattr(sample, name) for name in LEVELS}
        drawn.append({"at": int(sample.at.timestamp() * 1000), **levels, **ends})
    return drawn


def history_rows(seen: Figures) -> list[list[Cell]]:
    """The same as a table, the newest first."""
    rows = []
    for sample, drawn in zip(seen.history, history(seen), strict=True):
        numbers = [drawn[name] for name in (*LEVELS, *ENDS)]
        texts = [NOTHING if number is None else count(number) for number in numbers]
        when = localtime(sample.at).strftime("%m-%d %H:%M")
        rows.append([cell(when), *map(cell, texts)])
    return rows[::-1]


def series_titles() -> dict[str, str]:
    """What the lines and bars of the charts are called."""
    labels = {status.value: str(status.label) for status in Status}
    return {name: labels.get(name, pgettext("how many", "due")) for name in (*LEVELS, *ENDS)}
