"""SIGKILL under load, in small; ``python -m tests.bench.chaos`` is the long run."""

from __future__ import annotations

import json
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.djangoq.ipc import PILL, Flag, PacketQueue, Timer
from tests import live
from tests.checkout import ROOT
from tests.waiting import PATIENCE_SECONDS, wait_for

# Python 3.12 and newer warn where another test's threads are alive.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
KINDS = ["busy worker", "monitor", "pusher", "cluster"]
GIVES_UP_AFTER_SECONDS = 450


@pytest.mark.django_db  # for the database that is made beside the suite's
@pytest.mark.process
def test_kills_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    with live.database_url(tmp_path) as url:
        command = [sys.executable, "-m", "tests.bench.chaos", "--database", "given"]
        command += ["--rounds", str(len(KINDS)), "--kinds", ",".join(KINDS), "--seed", "1"]
        with subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as chaos:  # fmt: skip
            try:
                told, errors = chaos.communicate(timeout=GIVES_UP_AFTER_SECONDS)
            except subprocess.TimeoutExpired:
                chaos.terminate()  # by which it stops what it started
                told, errors = chaos.communicate()
    assert chaos.returncode == 0, errors
    found = json.loads(told)
    assert [found[name] for name in ("lost", "twice", "stuck")] == [[], [], []]
    assert {kind: one["rounds"] for kind, one in found["kinds"].items()} == dict.fromkeys(KINDS, 1)
    assert found["attempts"]["lost"] >= 1, "no kill hit anything"
    assert found["tasks"]["completed"] > 20


@pytest.mark.process
def test_whoever_is_killed_waiting_for_a_message_holds_up_nobody() -> None:
    queue = PacketQueue()
    waiting = fork(queue.get)
    wait_for(lambda: is_asleep(waiting), "the first waits")
    os.kill(waiting, signal.SIGKILL)
    os.waitpid(waiting, 0)
    queue.put({"id": 1})
    assert queue.get() == {"id": 1}


def test_a_full_queue_lets_the_next_message_wait_for_room() -> None:
    queue = PacketQueue(maxsize=1)
    queue.put({"id": 1})
    second = threading.Thread(target=queue.put, args=({"id": 2},), daemon=True)
    second.start()
    second.join(0.2)
    assert second.is_alive()
    assert queue.get() == {"id": 1}
    second.join(PATIENCE_SECONDS)
    assert (queue.get(), queue.empty()) == ({"id": 2}, True)


def test_the_end_comes_after_all_messages_and_frees_who_waits_for_room() -> None:
    queue = PacketQueue(maxsize=1)
    queue.put({"id": 1})
    second = threading.Thread(target=queue.put, args=({"id": 2},), daemon=True)
    second.start()
    queue.put(PILL)
    second.join(PATIENCE_SECONDS)
    assert not second.is_alive()
    assert [queue.get() for _ in range(3)] == [{"id": 1}, PILL, PILL]


def test_a_result_that_is_too_long_keeps_its_end() -> None:
    queue = PacketQueue()
    queue.put({"ack_id": 7, "success": False, "result": "起" * 9000 + "ValueError: why"})
    told = queue.get()
    assert told["ack_id"] == 7
    assert told["result"].endswith("ValueError: why")
    assert len(pickle.dumps(told)) < select.PIPE_BUF
    with pytest.raises(ValueError, match="no wake-up"):
        queue.put({"args": "x" * 9000})


def test_a_flag_is_seen_by_whoever_waits() -> None:
    flag = Flag()
    assert not flag.wait(0.01)
    threading.Timer(0.05, flag.set).start()
    assert flag.wait(PATIENCE_SECONDS)
    assert flag.is_set()


@pytest.mark.process
def test_only_the_worker_writes_its_timer_and_it_runs_down_by_itself() -> None:
    timer = Timer("f", -1)

    def work() -> None:
        timer.value = 3000
        timer.value += 2000

    os.waitpid(fork(work), 0)
    assert 3000 < timer.value <= 5000
    timer.value -= 4000  # as the sentinel does: it has run down by itself already
    assert timer.value > 3000
    os.waitpid(fork(lambda: setattr(timer, "value", 0.1)), 0)
    wait_for(lambda: timer.value == 0, "the time is up")
    os.waitpid(fork(lambda: setattr(timer, "value", -2)), 0)
    assert timer.value == -2


def fork(work: Callable[[], object]) -> int:
    """Run a function in a process of its own."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def is_asleep(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"
