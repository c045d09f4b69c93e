"""Operators' commands, called in this process: what they select, do, print and end with."""

from __future__ import annotations

import io
import sys
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from analysis import queue, tallies
from analysis.management import selection, terminal
from analysis.management.units import parse_duration, short
from analysis.models import PendingAnalysis, QueueControl, Status, WorkerHeartbeat
from analysis.queue import wakeup
from arboris.db import db_now, in_transaction
from arboris.novels import services as novels
from arboris.novels.models import Chapter, NovelProject
from arboris.workspace import chapters
from notifications.models import AnalysisNotification
from tests.analysis.operators import Called, Terminal, call, ended, failed_task, novel_of, statuses
from tests.factories import LONG_ENOUGH, claim_next, queue_chapter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")


def age(task: PendingAnalysis, **since: float) -> None:
    PendingAnalysis.objects.filter(pk=task.pk).update(created_at=db_now() - timedelta(**since))


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
    real = queue.cancel

    def interrupted(task_id: int) -> None:
        if task_id == second.pk:
            raise KeyboardInterrupt
        real(task_id)

    monkeypatch.setattr(queue, "cancel", interrupted)
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
    before = wakeup.waiting()
    called = call("retry_analysis", "--all", "--priority", 9, "--noinput", "--json")
    assert (called.code, called.ids) == (0, [failed.pk])
    failed.refresh_from_db()
    assert (failed.status, failed.priority, failed.retry_count) == (Status.PENDING, 9, 0)
    assert wakeup.waiting() == before + 1
    assert call("retry_analysis", "--status", "cancelled", "--noinput", "--json").ids == [
        cancelled.pk
    ]


def test_retry_leaves_out_what_a_newer_text_made_out_of_date(project: NovelProject) -> None:
    task = failed_task(project)
    draft = novels.Draft.of(LONG_ENOUGH + "又一句。")
    chapters.change(task.chapter_id, draft, None, chapters.Wish(mode="basic"))
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


# --- pause, resume, health -------------------------------------------------------------------
def test_pause_and_resume(project: NovelProject) -> None:
    queue_chapter(project)
    assert call("pause_analysis").code == 2
    assert call("pause_analysis", "--dry-run").code == 0
    assert QueueControl.objects.get().paused_at is None
    paused = call("pause_analysis", "--reason", "database moves", "--noinput", "--json")
    assert paused.document["paused"] is True
    assert paused.document["reason"] == "database moves"
    assert queue.claim("host:1") is None
    resumed = call("resume_analysis", "--noinput", "--json")
    assert (resumed.code, resumed.document["paused"]) == (0, False)
    assert queue.claim("host:1") is not None


def test_health_says_what_readyz_says(client: Client) -> None:
    sick = call("analysis_health", "--json")
    assert sick.code == 1
    assert sick.document == client.get("/readyz").json()
    assert "workers" in sick.err
    now = db_now()
    WorkerHeartbeat.objects.create(worker="host:1", started_at=now, seen_at=now)
    well = call("analysis_health", "--json")
    assert (well.code, well.document["status"]) == (0, "ok")
    assert call("analysis_health").code == 0


# --- status ----------------------------------------------------------------------------------
def test_status_counts_and_groups_failures(project: NovelProject) -> None:
    failed_task(project)
    newest, waiting = failed_task(project), queue_chapter(project)
    age(waiting, minutes=10)
    seen = call("analysis_status", "--json").document
    assert (seen["total"], seen["failed"], seen["pending"]) == (3, 2, 1)
    assert seen["oldest_pending"]["id"] == waiting.pk
    assert 599 < seen["oldest_pending"]["age_seconds"] < 660
    (group,) = seen["failures"]
    assert (group["count"], group["error_type"]) == (2, "timeout")
    assert group["newest_task_id"] == newest.pk
    assert "tasks" not in seen


def test_status_narrows_to_a_writer_and_lists_on_demand(project: NovelProject) -> None:
    queue_chapter(project)
    foreign = queue_chapter(novel_of("lin"))
    seen = call("analysis_status", "--user", "lin", "--json").document
    assert (seen["total"], seen["oldest_pending"]["id"]) == (1, foreign.pk)
    assert call("analysis_status", "--status", "pending", "--limit", 1, "--json").ids != [
        foreign.pk
    ]
    assert call("analysis_status", foreign.pk, 999_999, "--json").ids == [999_999, foreign.pk]
    people = call("analysis_status", "--all")
    assert people.code == 0
    assert "Novel of lin" in people.out


@pytest.mark.parametrize("seconds", [[], ["5"], ["never"]])
def test_watching_needs_a_terminal(seconds: list[str]) -> None:
    called = call("analysis_status", "--watch", *seconds)
    assert called.code == 2
    assert called.err.startswith("--watch: ")


def test_looking_takes_the_same_queries_however_many_tasks_there_are(
    project: NovelProject, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for _ in range(12):
        failed_task(project)
    with django_assert_max_num_queries(8):  # type: ignore[attr-defined]
        call("analysis_status", "--json")


# --- prune -----------------------------------------------------------------------------------
def test_prune_keeps_failed_ones_longer(project: NovelProject) -> None:
    old = ended(project, Status.COMPLETED, 31)
    kept = [
        ended(project, Status.COMPLETED, 29),
        ended(project, Status.FAILED, 31),
        queue_chapter(project),
    ]
    older = [ended(project, Status.CANCELLED, 31), ended(project, Status.FAILED, 91)]
    rehearsed = call("prune_analysis", "--all", "--dry-run", "--json")
    assert rehearsed.document["deleted"] == 3
    assert len(statuses()) == 6
    done = call("prune_analysis", "--all", "--noinput", "--json")
    assert done.document["by_status"][0]["count"] == 1
    assert done.document["deleted"] == 3
    assert sorted(statuses()) == [task.pk for task in kept]
    assert {old.pk, *(task.pk for task in older)}.isdisjoint(statuses())


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["--older-than", "5d"], {"failed", "fresh"}),
        (["--older-than", "5d", "--failed-older-than", "5d"], {"fresh"}),
        (["--status", "failed", "--older-than", "5d"], {"completed", "fresh"}),
        (["--failed-older-than", "5d"], {"completed", "fresh"}),
        (
            ["--all", "--failed-older-than", "0s", "--older-than", "0s", "--limit", "1"],
            {"failed", "fresh"},
        ),
    ],
)
def test_prune_ages(project: NovelProject, arguments: list[str], left: set[str]) -> None:
    names = {
        ended(project, Status.COMPLETED, 10).pk: "completed",
        ended(project, Status.FAILED, 10).pk: "failed",
        ended(project, Status.CANCELLED, 1).pk: "fresh",
    }
    assert call("prune_analysis", *arguments, "--noinput").code == 0
    assert {names[pk] for pk in statuses()} == left


def test_prune_leaves_counters_and_notifications(project: NovelProject) -> None:
    task = failed_task(project)
    before = tallies.totals()
    assert call("prune_analysis", task.pk, "--failed-older-than", "0s", "--noinput").code == 0
    assert statuses() == {}
    assert tallies.totals() == before
    assert AnalysisNotification.objects.get().pending_analysis_id is None


# --- import ----------------------------------------------------------------------------------
NOVEL = "第一章 雨夜\n\n" + LONG_ENOUGH + "\n\n第二章 铜铃\n\n" + LONG_ENOUGH + "\n"


@pytest.fixture
def novel(tmp_path: Path) -> Path:
    path = tmp_path / "听雨楼.txt"
    path.write_text(NOVEL, encoding="utf-8")
    return path


def test_import_makes_a_novel_and_queues_its_chapters(writer: User, novel: Path) -> None:
    rehearsed = call("import_novel", novel, "--user", "writer", "--dry-run", "--json")
    assert not NovelProject.objects.exists()
    called = call("import_novel", novel, "--user", "writer", "--priority", 7, "--json")
    assert called.code == 0
    project = NovelProject.objects.get(owner=writer)
    assert called.document["project_id"] == str(project.pk)
    titles = [row["title"] for row in called.document["chapters"]]
    assert titles == [row["title"] for row in rehearsed.document["chapters"]]
    assert list(project.chapters.values_list("title", flat=True)) == titles
    assert set(PendingAnalysis.objects.values_list("priority", flat=True)) == {7}
    assert PendingAnalysis.objects.count() == 2


def test_import_appends_to_a_novel_of_the_writer_only(
    project: NovelProject, stranger: User, novel: Path
) -> None:
    queue_chapter(project)
    assert call("import_novel", novel, "--user", "writer", "--project", project.pk).code == 0
    numbers = project.chapters.values_list("chapter_number", flat=True)
    assert list(numbers) == [1, 2, 3]
    foreign = call("import_novel", novel, "--user", "stranger", "--project", project.pk)
    assert foreign.code == 2
    assert foreign.err.startswith("--project: ")


@pytest.mark.parametrize(
    ("name", "content", "arguments", "code"),
    [
        ("missing.txt", None, [], 2),
        ("novel.pdf", b"text", [], 1),
        ("empty.txt", b"", [], 1),
        ("broken.epub", b"PK\x03\x04 no archive", [], 1),
        ("good.txt", b"Chapter 1\n\nWords.\n", ["--priority", "11"], 2),
        ("good.txt", b"Chapter 1\n\nWords.\n", ["--mode", "deluxe"], 2),
        ("good.txt", b"Chapter 1\n\nWords.\n", ["--title", " "], 2),
        ("good.txt", b"Chapter 1\n\nWords.\n", ["--project", "x"], 2),
    ],
)
def test_import_of_something_wrong_leaves_nothing(
    writer: User, tmp_path: Path, name: str, content: bytes | None, arguments: list[str], code: int
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    called = call("import_novel", tmp_path / name, "--user", "writer", *arguments)
    assert called.code == code
    assert called.err
    assert not NovelProject.objects.exists()
    assert not Chapter.objects.exists()


# --- units, progress, giving back ------------------------------------------------------------
@pytest.mark.nodb
@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("90s", 90), ("15m", 900), ("2h", 7200), ("1.5d", 129_600), ("1w", 604_800)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.nodb
@pytest.mark.parametrize("text", ["", "2", "h", "-1h", "1y", "2 h 3 m", "1e9d", "999999999w", "٢h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)


@pytest.mark.nodb
def test_durations_are_shown_in_one_unit() -> None:
    assert [short(n) for n in (0, 119, 120, 7200, 200_000)] == ["0s", "119s", "2m", "2h", "2d"]


@pytest.mark.nodb
def test_progress_shows_on_a_terminal_only() -> None:
    for stream, shown in ((io.StringIO(), False), (Terminal(), True)):
        with terminal.progress(stream, "retry", 2) as advance:
            advance(1)
        assert bool(stream.getvalue()) is shown


def test_a_task_given_back_keeps_its_retries_and_its_place(project: NovelProject) -> None:
    first, second = queue_chapter(project), queue_chapter(project)
    claim = claim_next()
    assert claim.task_id == first.pk
    queue.report_progress(claim, 25, "world_expansion", {"character_tracking": {}})
    assert queue.give_back(claim)
    assert not queue.give_back(claim)
    again = claim_next()
    assert (again.task_id, again.retry_count) == (first.pk, 0)
    assert again.checkpoint == {"character_tracking": {}}
    assert statuses()[second.pk] == Status.PENDING


def test_texts_of_the_help_hold_examples() -> None:
    from django.core.management import load_command_class

    for name in (
        "retry_analysis", "cancel_analysis", "analysis_status", "process_analysis",
        "pause_analysis", "resume_analysis", "prune_analysis", "analysis_health",
    ):  # fmt: skip
        parser = load_command_class("analysis", name).create_parser("manage.py", name)
        assert f"manage.py {name}" in parser.format_help()
        assert "Exit codes" in parser.format_help()


def drained() -> Called:
    return call("process_analysis", "--json")


@pytest.mark.django_db(transaction=True)
def test_process_runs_what_is_due_by_priority(project: NovelProject, scripted: None) -> None:
    low, high = queue_chapter(project, priority=2), queue_chapter(project, priority=8)
    assert call("process_analysis", "--dry-run", "--json").ids == [high.pk, low.pk]
    once = call("process_analysis", "--once", "--json")
    assert (once.code, once.ids) == (0, [high.pk])
    assert drained().ids == [low.pk]
    assert set(statuses().values()) == {Status.COMPLETED}
    assert (drained().code, drained().rows) == (0, [])
    assert not WorkerHeartbeat.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_process_tells_that_some_failed(project: NovelProject, scripted: None) -> None:
    from django.test import override_settings

    from tests.analyzers import REGISTERED, Failing, permanent

    Failing.error = permanent()
    task = queue_chapter(project)
    with override_settings(ARBORIS_ANALYZERS=REGISTERED, ARBORIS_ANALYZER="failing"):
        called = drained()
    assert (called.code, called.rows[0]["outcome"]) == (3, "failed")
    assert statuses() == {task.pk: Status.FAILED}


@pytest.mark.django_db(transaction=True)
def test_process_runs_nothing_while_the_queue_is_paused(project: NovelProject) -> None:
    queue_chapter(project)
    in_transaction(lambda: queue.pause("moving"))
    called = drained()
    assert (called.code, called.rows, called.document["paused"]) == (0, [], True)
    assert "moving" in called.err
