"""Run as a module: one round of our own queue on the database of the settings, told as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType

import django

from arboris import supervise

PATIENCE = 1800.0
BATCH = 5_000


def enqueue(chapter_ids: list[int], priorities: Sequence[int] = (5,)) -> None:
    """As the product's own enqueue leaves them, but many at a time; with the priorities in turn."""
    from analysis.djangoq import wakeups
    from analysis.models import PendingAnalysis
    from arboris.db import db_now, in_transaction
    from arboris.novels.models import ChapterVersion, NovelProject

    novel = NovelProject.objects.get()
    now = db_now()
    versions = dict(ChapterVersion.objects.values_list("chapter_id", "pk"))
    tasks = [
        PendingAnalysis(
            chapter_id=chapter_id,
            version_id=versions[chapter_id],
            project=novel,
            user_id=novel.owner_id,
            active_chapter=chapter_id,
            created_at=now,
            due_at=now,
            turn=turn,
            priority=priorities[turn % len(priorities)],
        )
        for turn, chapter_id in enumerate(chapter_ids)
    ]

    def work() -> None:
        PendingAnalysis.objects.bulk_create(tasks, BATCH)
        wakeups.issue(len(tasks))

    in_transaction(work)


def drain(
    tasks: int,
    beside: Callable[[], AbstractContextManager[None]] = nullcontext,
    env: Mapping[str, str] = MappingProxyType({}),
    *,
    priorities: Sequence[int] = (5,),
    exact: bool = True,
) -> dict[str, float]:
    """Enqueue while no worker runs, start the cluster, wait until all are done; check the
    outcome.

    ``beside`` is what goes on meanwhile, ``env`` the cluster's own; not ``exact``: claims may be
    made in vain.
    """
    from django_q.models import OrmQ

    from analysis.models import AnalysisAttempt, PendingAnalysis, QueueControl, Status, StatusTally
    from arboris.db import db_now
    from tests.bench import measure, work

    own = (AnalysisAttempt, PendingAnalysis, OrmQ)
    work.clear(*own)
    StatusTally.objects.update(completed=0)
    QueueControl.objects.update(claimed=0)
    enqueue(work.prepare(tasks), priorities)
    started = db_now()
    live = PendingAnalysis.objects.filter(status__in=[Status.PENDING, Status.PROCESSING])
    command = {"cluster": supervise.manage("qcluster")}
    with beside(), supervise.services(command, env, output=sys.stderr.buffer) as running:
        supervise.wait_until(lambda: not live.exists(), running, PATIENCE)
    figures = {
        "throughput": measure.throughput(),
        "with_start_up": measure.throughput_with_start_up(started),
    }
    done = {
        "applied": work.applied(),
        "completed": PendingAnalysis.objects.filter(status=Status.COMPLETED).count(),
        "attempts": AnalysisAttempt.objects.filter(outcome="completed").count(),
        "told": measure.completed(),
        "claimed": QueueControl.objects.get().claimed if exact else tasks,
        "tally": sum(StatusTally.objects.values_list("completed", flat=True)),
    }
    if set(done.values()) != {tasks}:
        raise SystemExit(f"not {tasks} of everything: {done}")
    work.clear(*own)
    return figures


def main() -> None:
    django.setup()
    began = time.monotonic()
    figures = drain(int(sys.argv[1]))
    json.dump(figures | {"seconds": round(time.monotonic() - began, 1)}, sys.stdout)


if __name__ == "__main__":
    main()
