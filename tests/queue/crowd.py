"""Processes that claim, and others that edit the queue meanwhile; all of them keep a diary.

``python -m tests.queue.crowd`` reads its orders from stdin and writes the diaries to stdout. It
sets Django up once and forks: processes of their own, each with its own connection to the database.

The clock of the diaries is QueueControl.claimed, the number of claims so far. A claim, and an end
that comes with the next claim, read it under the queue's lock: they know their place exactly. What
does not take the lock reads it before and after (``lo``, ``hi``): it happened in between.
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
ROUNDS = 2
EDITS = 40
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
        self.answers: Any = fork.Array("l", CLAIMERS)  # each claimer's, claims and refusals
        self.roles: list[Callable[[], list[Entry]]] = [
            *[partial(self.claimer, number) for number in range(CLAIMERS)],
            self.editor,
            self.pauser,
        ]

    def claimer(self, number: int) -> list[Entry]:
        from analysis.queue import Endpoint

        name = ENDPOINTS[number % len(ENDPOINTS)]
        endpoint, diary, held = Endpoint(name), [], None
        while True:
            last = self.over.is_set()
            held, entries = step(held, f"crowd:{number}", endpoint)
            diary += entries
            self.answers[number] += 1
            if held is None and last:
                return diary
            self.over.wait(WORK_SECONDS)

    def editor(self) -> list[Entry]:
        """Priorities and cancellations, of waiting and running tasks, as long as there are
        pauses."""
        from analysis import queue
        from analysis.errors import QueueConflict
        from analysis.models import PendingAnalysis, QueueControl
        from arboris.db import in_transaction, locked

        draw, hit_running = random.Random(11), False
        diary: list[Entry] = []
        while not self.paused_enough.wait(0.002) or len(diary) < EDITS:
            kind = draw.choice(["priority", "priority under the lock", "cancel", "cancel running"])
            if not hit_running:  # tried until it has hit one, however soon they end
                kind = "cancel running"
            running = kind == "cancel running"
            tasks = PendingAnalysis.objects.filter(status="processing" if running else "pending")
            head = tasks.order_by("-priority", "created_at", "pk").values_list("pk", flat=True)[:50]
            if not head:
                if running:
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
        """One scope after the other, each until every claimer has been answered meanwhile."""
        from analysis import queue
        from analysis.queue import PauseTarget

        diary = []
        try:
            for scope in self.orders["scopes"] * ROUNDS:
                self._everybody_answers(1)
                entry: Entry = {"kind": "pause", "scope": scope, "lo": now()}
                queue.pause("crowded", PauseTarget(**scope))
                entry["held_from"] = now()
                self._everybody_answers(2)  # the second was asked for after the pause was there
                entry["held_to"] = now()
                queue.resume(PauseTarget(**scope))
                diary.append(entry | {"hi": now() + 1})
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

    def _everybody_answers(self, times: int) -> None:
        wanted = [answered + times for answered in self.answers]
        ends = time.monotonic() + PATIENCE_SECONDS
        while any(now < then for now, then in zip(self.answers, wanted, strict=True)):
            if time.monotonic() > ends:
                raise AssertionError(f"no answers: {list(self.answers)}, wanted {wanted}")
            self.over.wait(0.002)


def step(held: Claim | None, worker: str, endpoint: Endpoint) -> tuple[Claim | None, list[Entry]]:
    """End what is held, and claim the next."""
    from analysis import queue
    from analysis.errors import LeaseLost
    from arboris.db import in_transaction

    entries: list[Entry] = []
    if held is not None:
        end: Entry = {"kind": "end", "task": held.task_id, "lo": now()}
        try:
            in_transaction(lambda: queue.finish(held, {}, {}))
        except LeaseLost:
            return None, []  # cancelled: the editor has it in its diary
        entries.append(end | {"hi": now() + 1})  # the next claim may have looked already
    # The clock is read under the queue's lock, which the claim has taken.
    following, clock = in_transaction(lambda: (queue.claim(worker, endpoint), now()))
    what: Entry = {"endpoint": endpoint.name, "clock": clock, "worker": worker}
    if following is None:
        entries.append(what | {"kind": "nothing"})
    else:
        entries.append(what | {"kind": "claim", "task": following.task_id})
    return following, entries


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
