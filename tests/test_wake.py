"""Taps between processes: FIFO on one host, Redis over several; lost ones do no harm."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from django.db import transaction
from pytest_django import Settings

from arboris import wake
from arboris.notices import Notices
from arboris.workspace.demo.client import PushListener
from arboris.workspace.demo.system import running_system
from tests import migrated
from tests.proxy import Proxy
from tests.waiting import PATIENCE_SECONDS, wait_for


@pytest.fixture(params=["fifo", pytest.param("redis", marks=pytest.mark.redis)])
def channel(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Iterator[str]:
    settings.ARBORIS_WAKE_DIR = tmp_path / "wake"
    settings.REDIS_URL = os.environ["ARBORIS_TEST_REDIS_URL"] if request.param == "redis" else ""
    wake._redis.cache_clear()
    yield str(request.param)
    assert wake.flush(PATIENCE_SECONDS)
    if request.param == "redis":
        wake._redis().close()
    wake._redis.cache_clear()


@pytest.fixture
def listener(channel: str) -> Iterator[wake.Listener]:
    with contextlib.closing(wake.listen("tasks")) as listener:
        if channel == "redis":
            subscribe(listener)
        yield listener


def subscribe(listener: wake.Listener) -> None:
    """A Redis subscription is made by the first wait, and holds once Redis has read of it."""
    assert not listener.wait(0.05)
    with redis.Redis.from_url(os.environ["ARBORIS_TEST_REDIS_URL"]) as client:
        wait_for(
            lambda: dict(client.pubsub_numsub("arboris:tasks"))[b"arboris:tasks"], "it listens"
        )


def test_a_tap_wakes_whoever_waits(listener: wake.Listener) -> None:
    waiting = threading.Event()
    woken: list[bool] = []

    def wait() -> None:
        waiting.set()
        woken.append(listener.wait(PATIENCE_SECONDS))

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait(PATIENCE_SECONDS)
    wake.notify("tasks")
    thread.join(PATIENCE_SECONDS)
    assert woken == [True]


def test_a_tap_before_the_wait_is_not_lost_and_many_count_as_one(
    listener: wake.Listener, channel: str
) -> None:
    for _ in range(3):
        wake.notify("tasks")
    assert wake.flush(PATIENCE_SECONDS)
    if channel == "redis":  # may have answered us before it told the listener
        wake._redis().ping()
    assert listener.wait(PATIENCE_SECONDS)
    assert not listener.wait(0.05)


def test_another_channel_is_left_alone(listener: wake.Listener) -> None:
    wake.notify("notifications")
    assert not listener.wait(0.05)


@pytest.mark.django_db(transaction=True)
def test_a_rollback_taps_nobody(listener: wake.Listener) -> None:
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        wake.notify_on_commit("tasks")
        raise ZeroDivisionError
    assert not listener.wait(0.05)
    with transaction.atomic():
        wake.notify_on_commit("tasks")
    assert listener.wait(PATIENCE_SECONDS)


@pytest.mark.process
def test_the_fifo_of_a_killed_listener_is_swept_by_the_next_tap(
    settings: Settings, tmp_path: Path
) -> None:
    settings.ARBORIS_WAKE_DIR = tmp_path
    settings.REDIS_URL = ""
    code = f"import os; os.mkfifo({str(tmp_path / 'tasks.dead')!r})"
    subprocess.run([sys.executable, "-c", code], check=True)
    wake.notify("tasks")
    assert list(tmp_path.iterdir()) == []


# A cluster makes its broker and forks the pusher, which waits for work and then ends.
PUSHER = """
import multiprocessing, django
django.setup()
from analysis.djangoq.broker import WakingORM
pusher = multiprocessing.get_context("fork").Process(target=WakingORM()._wait)
pusher.start()
pusher.join()
assert pusher.exitcode == 0
"""


@pytest.mark.process
def test_a_pusher_that_ends_leaves_no_fifo(tmp_path: Path) -> None:
    place = {"ARBORIS_DATA_DIR": str(tmp_path), "ARBORIS_WAKE_DIR": "", "REDIS_URL": ""}
    subprocess.run(
        [sys.executable, "-c", PUSHER],
        env={**os.environ, **place, "DATABASE_URL": ""}, check=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert list((tmp_path / "wake").iterdir()) == []


def test_a_redis_that_is_gone_stops_neither_tap_nor_wait_and_is_said_once(
    settings: Settings, caplog: pytest.LogCaptureFixture, anew: None
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with contextlib.closing(wake.listen("tasks")) as listener:
        for _ in range(3):
            wake.notify("tasks")
            began = time.monotonic()
            assert not listener.wait(0.2)
            assert time.monotonic() - began >= 0.2
    assert wake.flush(PATIENCE_SECONDS)
    said = sorted(record.msg.partition(": %s")[0] for record in caplog.records)
    assert said == ["REDIS_URL", "REDIS_URL: no notices on %s"]


def test_a_redis_that_hangs_holds_up_nobody(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, anew: None
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answers, sent = threading.Event(), []

    def hang(channel: str) -> None:
        assert answers.wait(PATIENCE_SECONDS)
        sent.append(channel)

    monkeypatch.setattr(wake, "_publish", hang)
    for _ in range(100):
        wake.notify("tasks")  # returns, though nothing was sent
    assert not wake.flush(0.01)
    assert sent == []
    answers.set()
    assert wake.flush(PATIENCE_SECONDS)
    # The first, and one for all that came meanwhile.
    assert sent in (["tasks"], ["tasks", "tasks"])


def test_whatever_one_notice_meets_the_next_is_sent() -> None:
    faults, sent = [ValueError("I/O operation on closed file")], []

    def send(name: str) -> None:
        if faults:
            raise faults.pop()
        sent.append(name)

    notices = Notices(send, (redis.RedisError,))
    for _ in range(2):
        notices.put("tasks")
        assert notices.flush(PATIENCE_SECONDS)
    assert sent == ["tasks"]


@pytest.mark.redis
def test_a_redis_that_is_back_is_used_again_and_said_once(
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    anew: None,
) -> None:
    settings.REDIS_URL = os.environ["ARBORIS_TEST_REDIS_URL"]
    with contextlib.closing(wake.listen("tasks")) as listener:
        with monkeypatch.context() as patched:
            patched.setattr(redis.Connection, "connect", refuse)
            for _ in range(2):
                wake.notify("tasks")
                assert not listener.wait(0.05)
            assert wake.flush(PATIENCE_SECONDS)
        for _ in range(2):
            subscribe(listener)
            wake.notify("tasks")
            assert listener.wait(PATIENCE_SECONDS)
        assert wake.flush(PATIENCE_SECONDS)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 4, said
    assert {"REDIS_URL: notices on tasks come again", "REDIS_URL: tasks can be notified again"} <= {
        *said
    }


@pytest.mark.redis
def test_a_line_to_redis_that_falls_silent_is_given_up(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, anew: None
) -> None:
    server = urlsplit(os.environ["ARBORIS_TEST_REDIS_URL"])
    assert server.hostname and server.port
    settings.REDIS_URL = f"unix://{tmp_path / 'r.sock'}"
    monkeypatch.setattr(wake, "REDIS_ASKED_EVERY", 0.05)
    monkeypatch.setattr(wake, "REDIS_SILENT_SECONDS", 0.2)
    with (
        contextlib.closing(Proxy(tmp_path / "r.sock", (server.hostname, server.port))) as middle,
        contextlib.closing(wake.listen("tasks")) as listener,
    ):
        subscribe(listener)
        middle.swallow(lambda request: b"PING" in request, ends=False)
        wait_for(lambda: not listener.wait(0.1) and middle.lost.is_set(), "the line is silent")

        def heard() -> bool:
            wake.notify("tasks")
            return listener.wait(0.1)

        wait_for(heard, "it listens on another line")
        assert wake.flush(PATIENCE_SECONDS)
        wake._redis().close()


@pytest.fixture
def anew() -> Iterator[None]:
    """What was known of Redis is forgotten."""
    for cached in (wake._redis, wake._notices):
        cached.cache_clear()
    yield
    for cached in (wake._redis, wake._notices):
        cached.cache_clear()


def refuse(*_: object) -> None:
    raise redis.ConnectionError("refused")


def test_a_fifo_that_cannot_be_made_now_is_done_without_and_made_later(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    settings.REDIS_URL, settings.ARBORIS_WAKE_DIR = "", str(tmp_path / "wake")
    with monkeypatch.context() as full:
        full.setattr(os, "mkfifo", no_space)
        listener = wake.listen("tasks")
        for _ in range(2):
            began = time.monotonic()
            assert not listener.wait(0.05)
            assert time.monotonic() - began >= 0.05
        wake.notify("tasks")
    with contextlib.closing(listener):
        assert not listener.wait(0)
        wake.notify("tasks")
        assert listener.wait(PATIENCE_SECONDS)
    said = [record.getMessage().partition(": ")[2] for record in caplog.records]
    assert [text[:7] for text in said] == ["nobody ", "we can "]


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.redis
@pytest.mark.process
def test_a_chapter_travels_over_redis(tmp_path: Path) -> None:
    settings = {"REDIS_URL": os.environ.get("ARBORIS_TEST_REDIS_URL", "")}
    migrated.tables_to(tmp_path / "arboris.db")
    with (
        running_system(tmp_path, settings) as system,
        contextlib.closing(system.writer("en")) as writer,
    ):
        listener = PushListener(system.socket_url, writer.token)
        listener.start()
        project = writer.new_project("redis", "zh")
        answer = writer.add_chapter(project, "沈砚秋推开听雨楼的门。" * 40)
        push = listener.wait_for(answer.body["analysis"]["id"], PATIENCE_SECONDS)
        listener.close()
    assert push.notification["notification_type"] == "completed"
    assert not (tmp_path / "wake").exists()
