"""The clock is set by an hour, forward and back: nobody loses a lease, nothing is late."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.utils import timezone

from analysis import queue
from analysis.models import (
    BulkOperation,
    EndpointState,
    PendingAnalysis,
    QueueControl,
    WorkerHeartbeat,
)
from analysis.queue import clock
from arboris.db import db_now
from arboris.novels.models import NovelProject
from tests import live, servers
from tests.factories import claim_next, queue_chapter
from tests.live import Site, slow_text, wait_for_task
from tests.queue.stream import STORY, check_done_once, task_of
from tests.waiting import wait_for

HOUR = timedelta(hours=1)
AHEAD = clock.TOLERANCE * 2
Set = Callable[[timedelta], None]


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Set:
    """As far as sweeps see it."""

    def by(step: timedelta) -> None:
        for module in (clock, importlib.import_module("analysis.queue.sweep")):
            monkeypatch.setattr(module, "db_now", lambda: db_now() + step)

    return by


@pytest.fixture
def watch() -> clock.Watch:
    """Of a process that has swept."""
    watch = clock.Watch()
    QueueControl.objects.update(swept_at=None)
    assert queue.sweep(watch=watch)
    return watch


def column(name: str) -> datetime:
    found: datetime = PendingAnalysis.objects.values_list(name, flat=True).get()
    return found


@pytest.mark.databases
@pytest.mark.django_db
class TestSweep:
    def test_forward_everybody_keeps_the_lease(
        self, project: NovelProject, watch: clock.Watch, set_clock: Set
    ) -> None:
        queue_chapter(project)
        claim = claim_next()
        WorkerHeartbeat.objects.create(worker="a:1", started_at=db_now(), seen_at=db_now())
        set_clock(HOUR)
        assert queue.sweep(watch=watch)
        assert queue.owns(claim)
        assert column("lease_expires_at") > db_now() + HOUR
        assert WorkerHeartbeat.objects.get().seen_at > db_now() + HOUR - AHEAD
        set_clock(HOUR * 2)  # without a look of its own it would take them
        QueueControl.objects.update(swept_at=None)
        assert queue.sweep()
        assert not queue.owns(claim)

    def test_back_what_waits_is_due_when_it_was(
        self, project: NovelProject, watch: clock.Watch, set_clock: Set
    ) -> None:
        task = queue_chapter(project)
        claim = claim_next()
        queue.give_back(claim)
        later = db_now() + timedelta(minutes=30)
        EndpointState.objects.create(name="north", paused_at=db_now(), probe_at=later)
        operation = BulkOperation.objects.create(
            state="running", created_at=db_now(), lease_expires_at=db_now()
        )
        set_clock(-HOUR)
        queue.sweep(watch=watch)
        assert column("due_at") <= db_now() - HOUR
        assert column("created_at") <= db_now() - HOUR
        probe_at = EndpointState.objects.get().probe_at
        assert probe_at is not None and probe_at <= later - HOUR
        held_until = BulkOperation.objects.get(pk=operation.pk).lease_expires_at
        assert held_until is not None and held_until < db_now() - HOUR / 2
        assert PendingAnalysis.objects.get().pk == task.pk
        due_at = column("due_at")
        for _ in range(2):  # once is enough
            queue.sweep(watch=watch)
        assert column("due_at") == due_at
        claim = claim_next()  # of one whose sweep had begun before that step
        assert (queue.rescue(db_now() + HOUR), queue.owns(claim)) == (0, True)

    def test_a_sweep_of_another_one_meanwhile_is_no_step_back(
        self, project: NovelProject, watch: clock.Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        queue_chapter(project)
        PendingAnalysis.objects.update(due_at=db_now() + HOUR)
        due_at = column("due_at")
        before = db_now() - AHEAD
        QueueControl.objects.update(swept_at=db_now())
        monkeypatch.setattr(watch, "look", lambda: (before, timedelta()))
        clock.check(watch)
        assert column("due_at") == due_at

    def test_what_was_queued_in_the_future_while_nobody_swept_is_due_now(
        self, project: NovelProject
    ) -> None:
        queue_chapter(project)
        PendingAnalysis.objects.update(created_at=db_now() + HOUR, due_at=db_now() + HOUR)
        QueueControl.objects.update(swept_at=db_now() - HOUR)
        watch = clock.Watch()
        queue.sweep(watch=watch)
        assert column("due_at") <= timezone.now() + AHEAD
        assert queue.claim("a:1") is not None

    def test_whoever_has_just_started_takes_nothing_before_a_second_look(
        self, project: NovelProject
    ) -> None:
        queue_chapter(project)
        claim = claim_next()
        PendingAnalysis.objects.update(lease_expires_at=db_now() - HOUR)
        watch = clock.Watch()
        for owned in (True, False):
            QueueControl.objects.update(swept_at=None)
            assert queue.sweep(watch=watch)
            assert queue.owns(claim) is owned


@pytest.mark.parametrize(
    ("step", "shown_by"), [(timedelta(seconds=30), "the next"), (HOUR, "the slow one")], ids=str
)
def test_a_step_forward_beside_a_slow_answer_is_seen_once(
    monkeypatch: pytest.MonkeyPatch, step: timedelta, shown_by: str
) -> None:
    began, times = timezone.now(), iter([0.0, 0.0, 10.0, 70.0, 80.0, 80.0, 90.0, 90.0])
    answers = iter([began, *(began + step + timedelta(seconds=s) for s in (10, 80, 90))])
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: next(times)))
    monkeypatch.setattr(clock, "db_now", lambda: next(answers))
    watch = clock.Watch()
    seen = [watch.look()[1] > clock.TOLERANCE for _ in range(4)]
    assert seen == [False, shown_by == "the slow one", shown_by == "the next", False]


@pytest.fixture
def steerable(tmp_path: Path) -> Iterator[tuple[Site, Set]]:
    """A site on one host with SQLite, and how its host's clock is set."""
    try:
        library = servers.faketime_library()
    except servers.Missing as missing:
        pytest.skip(str(missing))
    wanted = tmp_path / "clock"

    def by(step: timedelta) -> None:
        new = wanted.with_suffix(".new")
        new.write_text(f"{step.total_seconds():+.0f}")
        new.replace(wanted)

    by(timedelta())
    env = {
        "DJANGO_SETTINGS_MODULE": "tests.clock_settings",
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(wanted),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # Else a wait with a time limit ends at once: threads that want Python's lock ask for it
        # without a pause, and each time that file is read.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        "FAKETIME_NO_CACHE": "1",  # all processes of a host see a step at the same moment
    }
    with live.running(tmp_path, env) as site:
        yield site, by


@pytest.mark.process
@pytest.mark.sqlite_only
@pytest.mark.django_db
def test_a_host_whose_clock_is_set_loses_no_lease_and_makes_nothing_late(
    steerable: tuple[Site, Set],
) -> None:
    site, set_clock = steerable
    log = site.directory / "cluster.log"
    with site.client() as client:
        novels = [
            client.post("/api/projects", json={"title": f"听雨楼{n}"}).json()["id"]
            for n in range(3)
        ]
        tasks: list[int] = []
        for step in (HOUR, -HOUR):
            site.brake.touch()
            running = [task_of(client, novel, slow_text(len(tasks))) for novel in novels[:2]]
            for task_id in running:
                wait_for_task(client, task_id, "processing")
            waiting = task_of(client, novels[2], STORY)
            seen = log.read_text().count("all leases begin anew")
            set_clock(step)
            wait_for(
                lambda: log.read_text().count("all leases begin anew") > seen,  # noqa: B023
                "the step is noticed",
            )
            site.brake.unlink()
            for task_id in (*running, waiting):
                wait_for_task(client, task_id)
            tasks += [*running, waiting]
        check_done_once(site, client, tasks)
