"""Operators' commands, called in this process: what they select, do, print and end with."""

from __future__ import annotations

import io
import sys
import uuid
from collections.abc import Callable

import pytest

from analysis import queue
from analysis.djangoq import wakeups
from analysis.management import selection, terminal
from analysis.management.units import parse_duration, short
from analysis.models import PendingAnalysis, Status
from arboris.novels import services as novels
from arboris.novels.models import NovelProject
from arboris.workspace.chapters import service as chapters
from arboris.workspace.chapters.analysis_options import AnalysisOptions
from notifications.models import AnalysisNotification
from tests.analysis.operators import (
    Terminal,
    age,
    call,
    failed_task,
    interrupt_cancelling,
    novel_of,
    statuses,
)
from tests.factories import LONG_ENOUGH, claim_next, queue_chapter

pytestmark = [pytest.mark.databases, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")


# --- selectors -------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["retry_analysis", "cancel_analysis", "prune_analysis"])
def test_what_changes_things_needs_a_selector(name: str) -> None:
    called = call(name, "--noinput")
    assert called.code == 2
    assert "--all" in called.err


@pytest.mark.parametrize("name", ["retry_analysis", "cancel_analysis", "analysis_status"])
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["17x"], "ID"),
        (["0"], "ID"),
        (["99999999999999999999"], "ID"),
        (["--status", "broken"], "--status"),
        (["--project", "nonsense"], "--project"),
        (["--project", str(uuid.uuid4())], "--project"),
        (["--user", "nobody"], "--user"),
        (["--older-than", "2y"], "--older-than"),
        (["--older-than", "h"], "--older-than"),
        (["--limit", "0"], "--limit"),
        (["--limit", "two"], "--limit"),
        (["17", "--all"], "--all"),
    ],
)
def test_a_wrong_selector_is_named(name: str, arguments: list[str], named: str) -> None:
    called = call(name, *arguments)
    assert called.code == 2
    assert called.err.startswith(f"{named}: ")


def test_a_status_that_the_command_cannot_act_on_is_refused() -> None:
    assert call("retry_analysis", "--status", "pending").code == 2
    assert call("cancel_analysis", "--status", "failed").code == 2
    assert call("prune_analysis", "--status", "pending").code == 2


def test_selectors_narrow_each_other(project: NovelProject) -> None:
    other = novel_of("lin")
    old, new, foreign = queue_chapter(project), queue_chapter(project), queue_chapter(other)
    age(old, hours=3)

    def chosen(*arguments: object) -> list[int]:
        return call("cancel_analysis", *arguments, "--dry-run", "--json").ids

    assert chosen("--all") == [old.pk, new.pk, foreign.pk]
    assert chosen("--user", "lin") == [foreign.pk]
    assert chosen("--project", project.pk) == [old.pk, new.pk]
    assert chosen("--older-than", "2h") == [old.pk]
    assert chosen("--all", "--limit", 2) == [old.pk, new.pk]
    assert chosen(foreign.pk, old.pk, old.pk) == [old.pk, foreign.pk]
    assert chosen("--user", "lin", "--older-than", "2h") == []


def test_retry_selects_by_error(project: NovelProject) -> None:
    from analysis.errors import AnalyzerUnavailable

    failed_task(project)
    unavailable = failed_task(project, AnalyzerUnavailable("gone"))
    called = call("retry_analysis", "--error-type", "analyzer_unavailable", "--dry-run", "--json")
    assert called.ids == [unavailable.pk]


def test_many_are_taken_in_batches_each_once(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "BATCH", 2)
    tasks = [queue_chapter(project).pk for _ in range(5)]
    called = call("cancel_analysis", "--all", "--noinput", "--json")
    assert called.ids == tasks
    assert set(statuses().values()) == {Status.CANCELLED}


# --- asking, rehearsing, reporting -----------------------------------------------------------
def test_without_a_terminal_and_without_noinput_nothing_happens(project: NovelProject) -> None:
    task = queue_chapter(project)
    called = call("cancel_analysis", task.pk)
    assert called.code == 2
    assert called.err.startswith("--noinput")
    assert statuses() == {task.pk: Status.PENDING}


@pytest.mark.parametrize(
    ("answer", "code", "status"),
    [("y\n", 0, Status.CANCELLED), ("n\n", 1, Status.PENDING), ("", 1, Status.PENDING)],
)
def test_on_a_terminal_it_asks(
    project: NovelProject,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
    status: Status,
) -> None:
    task = queue_chapter(project)
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    called = call("cancel_analysis", task.pk, "--json")
    assert called.code == code
    assert "Cancel 1 analysis? [y/N]" in called.err
    assert statuses() == {task.pk: status}


@pytest.mark.parametrize(
    ("name", "make"), [("retry_analysis", failed_task), ("cancel_analysis", queue_chapter)]
)
def test_a_dry_run_prints_the_same_rows_and_changes_nothing(
    project: NovelProject, name: str, make: Callable[[NovelProject], PendingAnalysis]
) -> None:
    ids = [make(project).pk, make(project).pk, 999_999]
    before = statuses()
    rehearsed = call(name, *ids, "--dry-run", "--json")
    assert statuses() == before
    done = call(name, *ids, "--noinput", "--json")
    assert rehearsed.rows == done.rows
    assert rehearsed.code == done.code == 3
    assert "would" in rehearsed.err and "would" not in done.err
    assert rehearsed.document["dry_run"] and not done.document["dry_run"]
    assert statuses() != before


def test_codes_tell_all_some_and_none(project: NovelProject) -> None:
    failed, waiting = failed_task(project), queue_chapter(project)
    some = call("retry_analysis", failed.pk, waiting.pk, "--noinput", "--json")
    assert some.code == 3
    assert [row["outcome"] for row in some.rows] == ["ok", "not_retryable"]
    assert call("retry_analysis", waiting.pk, "--noinput").code == 1
    assert call("retry_analysis", 999_999, "--noinput").code == 1
    assert call("cancel_analysis", failed.pk, waiting.pk, "--noinput").code == 0
    nothing = call("cancel_analysis", "--all", "--noinput", "--json")
    assert (nothing.code, nothing.rows, nothing.document["selected"]) == (0, [], 0)


def test_an_interruption_keeps_what_is_done_and_ends_the_document(
    project: NovelProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = queue_chapter(project), queue_chapter(project)
    interrupt_cancelling(monkeypatch, second.pk)
    called = call("cancel_analysis", "--all", "--noinput", "--json")
    assert called.code == 3
    assert called.ids == [first.pk]
    assert called.document["interrupted"] is True
    assert statuses() == {first.pk: Status.CANCELLED, second.pk: Status.PENDING}


def test_rows_for_people_hold_no_control_characters(project: NovelProject) -> None:
    NovelProject.objects.update(title="听\x1b[31m雨\n楼")
    called = call("cancel_analysis", queue_chapter(project).pk, "--dry-run")
    assert "\x1b" not in called.out
    assert len(called.out.splitlines()) == 3  # head, row, summary


def test_changes_are_recorded_with_who_and_why(
    project: NovelProject, caplog: pytest.LogCaptureFixture
) -> None:
    task = queue_chapter(project)
    with caplog.at_level("INFO", "analysis.operators"):
        call("cancel_analysis", task.pk, "--noinput", "--reason", "wrong model")
    (record,) = [entry for entry in caplog.records if entry.name == "analysis.operators"]
    assert f"1 done: {task.pk}" in record.getMessage()
    assert "wrong model" in record.getMessage()


def test_texts_follow_the_language_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert terminal.language() == "zh-hans"
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    assert terminal.language() == "en"


# --- retry and cancel ------------------------------------------------------------------------
def test_retry_puts_failed_ones_back_and_wakes_a_worker(project: NovelProject) -> None:
    failed, cancelled = failed_task(project), queue_chapter(project)
    queue.cancel(cancelled.pk)
    before = wakeups.waiting()
    called = call("retry_analysis", "--all", "--priority", 9, "--noinput", "--json")
    assert (called.code, called.ids) == (0, [failed.pk])
    failed.refresh_from_db()
    assert (failed.status, failed.priority, failed.retry_count) == (Status.PENDING, 9, 0)
    assert wakeups.waiting() == before + 1
    assert call("retry_analysis", "--status", "cancelled", "--noinput", "--json").ids == [
        cancelled.pk
    ]


def test_retry_leaves_out_what_a_newer_text_made_out_of_date(project: NovelProject) -> None:
    task = failed_task(project)
    draft = novels.ChapterText.of(LONG_ENOUGH + "又一句。")
    chapters.change(task.chapter_id, draft, None, AnalysisOptions(mode="basic"))
    assert call("retry_analysis", "--all", "--noinput", "--json").ids == []
    named = call("retry_analysis", task.pk, "--noinput", "--json")
    assert (named.code, named.rows[0]["outcome"]) == (1, "text_changed")


def test_retry_refuses_a_wrong_priority(project: NovelProject) -> None:
    called = call("retry_analysis", failed_task(project).pk, "--priority", 11, "--noinput")
    assert called.code == 2
    assert called.err.startswith("--priority: ")


def test_cancel_takes_a_running_task_from_its_worker(project: NovelProject) -> None:
    task = queue_chapter(project)
    claim = claim_next()
    assert call("cancel_analysis", "--status", "processing", "--noinput").code == 0
    assert statuses() == {task.pk: Status.CANCELLED}
    assert not queue.owns(claim)
    assert AnalysisNotification.objects.get().notification_type == "cancelled"


# --- units, progress, giving back ------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("90s", 90), ("15m", 900), ("2h", 7200), ("1.5d", 129_600), ("1w", 604_800)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "-1h", "1y", "2 h 3 m", "1e9d", "999999999w", "٢h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


def test_durations_are_shown_in_one_unit() -> None:
    assert [short(n) for n in (0, 119, 120, 7200, 200_000)] == ["0s", "119s", "2m", "2h", "2d"]


def test_progress_shows_on_a_terminal_only() -> None:
    for stream, shown in ((io.StringIO(), False), (Terminal(), True)):
        with terminal.progress(stream, "retry", 2) as advance:
            advance(1)
        assert bool(stream.getvalue()) is shown


def test_texts_of_the_help_hold_examples() -> None:
    from django.core.management import load_command_class

    for name in (
        "retry_analysis", "cancel_analysis", "analysis_status", "process_analysis",
        "pause_analysis", "resume_analysis", "prune_analysis", "analysis_health",
    ):  # fmt: skip
        parser = load_command_class("analysis", name).create_parser("manage.py", name)
        assert f"manage.py {name}" in parser.format_help()
        assert "Exit codes" in parser.format_help()
