"""Run as a module in the peers' environment: one round of one peer, told as JSON on stdout."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

import django

from arboris import supervise
from tests.bench.peers.names import Figures

PATIENCE = 1800.0


class Peer(Protocol):
    COMMAND: list[str]

    def enqueue(self, chapter_ids: Iterable[int]) -> None: ...

    def acknowledged(self) -> datetime | None:
        """When the queue knew that nothing was left to be done; None: with the last task's end."""

    def clear(self) -> None:
        """Empty all that a round fills, tables and queue."""


def load(name: str) -> Peer:
    if name == "celery":
        from tests.bench.peers import celery_app

        return celery_app
    from tests.bench.peers import djangoq

    return djangoq


def drain(name: str, tasks: int) -> Figures:
    """Enqueue the tasks while no worker runs, start the workers, wait until all are done."""
    from arboris.db import db_now
    from tests.bench import measure, work

    peer, caller = load(name), os.getppid()
    peer.clear()
    peer.enqueue(work.prepare(tasks))
    started = db_now()
    command = {name: [sys.executable, *peer.COMMAND]}
    # Standard output is for the figures alone.
    with supervise.services(command, {}, output=sys.stderr.buffer) as running:
        supervise.wait_until(
            lambda: os.getppid() != caller or measure.all_completed(tasks), running, PATIENCE
        )
        ended = peer.acknowledged()
    if os.getppid() != caller:  # killed: nobody is left to tell
        sys.exit(1)
    figures = Figures(
        throughput=measure.throughput(ended),
        with_start_up=measure.throughput_with_start_up(started, ended),
    )
    if (applied := work.applied()) != tasks:
        raise RuntimeError(f"{name}: {tasks} tasks were applied {applied} times")
    peer.clear()
    return figures


def main() -> None:
    # So that the workers are stopped before this process ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    django.setup()
    name, tasks = sys.argv[1:]
    json.dump(drain(name, int(tasks)), sys.stdout)


if __name__ == "__main__":
    main()
