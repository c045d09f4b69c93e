"""Processes that claim, and others that edit the queue meanwhile; all of them keep a diary.

``python -m tests.queue.crowd`` reads its orders from stdin and writes the diaries to stdout. It
sets Django up once and forks: processes of their own, each with its own connection to the database.

The clock of the diaries is QueueControl.claimed, the number of claims so far. A claim reads it
under the queue's lock and knows its place exactly. What does not take the lock reads it before and
after (``lo``, ``hi``): it happened in between.

Until the last pause is over nobody takes a step that the pauser has not granted. Whatever the speed
of the machine, the pauses therefore meet a queue that is not empty yet.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import random
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:  # this module is imported before Django is set up
    from analysis.queue import Claim, Endpoint

Entry = dict[str, Any]
CLAIMERS = 12
ENDPOINTS = ("north", "south")
SCOPES, ROUNDS = 3, 2
STEPS = 4  # of each claimer, while one pause begins, lasts and ends
EDITS_A_STEP = 3
# At most so many tasks are claimed or cancelled before the last pause is over.
TAKEN_AMID_PAUSES = SCOPES * ROUNDS * STEPS * (CLAIMERS + EDITS_A_STEP)
WORK_SECONDS = 0.03  # long enough that nobody has to wait long for SQLite's one lock
ROOT = Path(__file__).resolve().parents[2]


def gather(**orders: Any) -> list[Entry]:
    """Let the crowd loose on this process's test database; returns all diaries."""
    from django.db import connection

    database = {"ENGINE": "", "NAME": ""} | connection.settings_dict
    done = subprocess.run(
        [sys.executable, "-m", "tests.queue.crowd"],
        input=json.dumps(orders | {"database": str(database["NAME"])}),
        capture_output=True,
        text=True,
        timeout=900,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    diary: list[Entry] = json.loads(done.stdout)
    return diary


class Crowd:
    """What its processes share: made before they are forked."""

    def __init__(self, orders: Entry) -> None:
        fork = multiprocessing.get_context("fork")
        self.orders = orders
        self.start = fork.Barrier(CLAIMERS + 2)
        self.paused_enough = fork.Event()
        self.over = fork.Event()
        self.at_work = fork.Value("i", 2)
        self.granted = fork.Value("i", 0)  # steps, to each claimer
        self.answers: Any = fork.Array("l", CLAIMERS)  # each claimer's, claims and refusals
        self.roles: list[Callable[[], list[Entry]]] = [
            *[partial(self.claimer, number) for number in range(CLAIMERS)],
            self.editor,
            self.pauser,
        ]

    def claimer(self, number: int) -> list[Entry]:
        from analysis.queue import Endpoint

        endpoint = Endpoint(ENDPOINTS[number % len(ENDPOINTS)])
        draw = random.Random(number)
        held: Claim | None = None
        diary: list[Entry] = []
        while True:
            last = self.over.is_set()
            if not self._granted(self.answers[number], 1):
                self.over.wait(0.002)
                continue
            if held is not None:
                diary += end(held)
                if draw.random() < 0.25:  # its place is free for one that has none
                    self.over.wait(WORK_SECONDS)
            held, entry = claim(f"crowd:{number}", endpoint)
            diary.append(entry)
            self.answers[number] += 1
            if held is None and last:
                return diary
            self.over.wait(WORK_SECONDS)

    def editor(self) -> list[Entry]:
        """Priorities and cancellations, of waiting and running tasks."""
        from analysis import queue
        from analysis.errors import QueueConflict
        from analysis.models import PendingAnalysis, QueueControl
        from arboris.db import in_transaction, locked

        draw, hit_running = random.Random(11), False
        diary: list[Entry] = []
        while len(diary) < SCOPES * ROUNDS * STEPS * EDITS_A_STEP:
            if not self._granted(len(diary), EDITS_A_STEP):
                self.paused_enough.wait(0.002)
                continue
            kind = draw.choice(["priority", "priority under the lock", "cancel", "cancel running"])
            if not hit_running:  # tried until it has hit one, however soon they end
                kind = "cancel running"
            running = kind == "cancel running"
            tasks = PendingAnalysis.objects.filter(status="processing" if running else "pending")
            head = tasks.order_by("-priority", "created_at", "pk").values_list("pk", flat=True)[:50]
            if not head:
                if running:
                    self.over.wait(0.002)
                    continue
                break
            entry: Entry = {"kind": kind.split()[0], "task": draw.choice(list(head))}
            entry |= {"priority": draw.randint(1, 10), "lo": now()}

            def edit_under_the_lock(entry: Entry = entry) -> None:
                entry["lo"] = locked(QueueControl.objects.filter(pk=1)).get().claimed
                queue.set_priority(entry["task"], entry["priority"])

            with contextlib.suppress(QueueConflict):  # it has ended, or runs, already
                if kind == "priority under the lock":
                    in_transaction(edit_under_the_lock)
                    entry["hi"] = entry["lo"]
                else:
                    if kind == "priority":
                        queue.set_priority(entry["task"], entry["priority"])
                    else:
                        queue.cancel(entry["task"])
                    entry["hi"] = now() + 1  # the next claim may have looked already
                diary.append(entry)
                hit_running = hit_running or running
        return diary

    def pauser(self) -> list[Entry]:
        """One scope after the other; each pause begins and ends amid claims."""
        from analysis import queue
        from analysis.queue import PauseTarget

        diary = []
        try:
            for scope in self.orders["scopes"] * ROUNDS:
                self._grant(1)
                entry: Entry = {"kind": "pause", "scope": scope, "lo": now()}
                queue.pause("crowded", PauseTarget(**scope))
                entry["held_from"] = now()
                self._grant(2)  # these claims are asked for after the pause was there
                self._await_all()
                entry["held_to"] = now()
                self._grant(1)
                queue.resume(PauseTarget(**scope))
                diary.append(entry | {"hi": now() + 1})
                self._await_all()
        finally:
            self.paused_enough.set()
        return diary

    def play(self, role: int) -> list[Entry]:
        # Nobody goes on before all are here, so no process can have taken two of the roles.
        self.start.wait(PATIENCE_SECONDS)
        try:
            return self.roles[role]()
        finally:
            if role >= CLAIMERS:  # the claimers go on until nobody is left who edits or pauses
                with self.at_work:
                    self.at_work.value -= 1
                    if not self.at_work.value:
                        self.over.set()

    def _grant(self, steps: int) -> None:
        with self.granted:
            self.granted.value += steps

    def _granted(self, done: int, a_step: int) -> bool:
        return self.paused_enough.is_set() or done < self.granted.value * a_step

    def _await_all(self) -> None:
        """Wait until every claimer has taken the steps that are granted."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while any(answers < self.granted.value for answers in self.answers):
            if time.monotonic() > ends:
                raise AssertionError(f"{list(self.answers)} of {self.granted.value} answers")
            self.over.wait(0.002)


def end(held: Claim) -> list[Entry]:
    """Complete what is held; nothing where it was cancelled: the editor has that in its diary."""
    from analysis import queue
    from analysis.errors import LeaseLost
    from arboris.db import in_transaction

    entry: Entry = {"kind": "end", "task": held.task_id, "lo": now()}
    try:
        in_transaction(lambda: queue.finish(held, {}, {}))
    except LeaseLost:
        return []
    return [entry | {"hi": now() + 1}]  # the next claim may have looked already


def claim(worker: str, endpoint: Endpoint) -> tuple[Claim | None, Entry]:
    from analysis import queue
    from arboris.db import in_transaction

    # The clock is read under the queue's lock, which the claim has taken.
    claimed, clock = in_transaction(lambda: (queue.claim(worker, endpoint), now()))
    entry: Entry = {"endpoint": endpoint.name, "clock": clock, "worker": worker}
    if claimed is None:
        return None, entry | {"kind": "nothing"}
    return claimed, entry | {"kind": "claim", "task": claimed.task_id}


def now() -> int:
    from analysis.models import QueueControl

    return QueueControl.objects.values_list("claimed", flat=True).get(pk=1)


_crowd: Crowd


def _play(role: int) -> list[Entry]:
    return _crowd.play(role)


def main() -> None:
    global _crowd
    orders = json.load(sys.stdin)
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = orders["database"]
    for name, value in orders["settings"].items():
        setattr(settings, name, value)
    django.setup()
    _crowd = Crowd(orders)
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(len(_crowd.roles), mp_context=fork) as pool:
        diaries = list(pool.map(_play, range(len(_crowd.roles))))
    json.dump([entry for diary in diaries for entry in diary], sys.stdout)


if __name__ == "__main__":
    main()
