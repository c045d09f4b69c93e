"""Imports that wait for a worker: taking one, telling how far it is, ending it.

Each taking draws a token, and every later write names it. A worker that has told nothing for LOST
is taken for dead, and the job is taken anew; what it had made is out of sight (``novels.making``).
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db.models import Exists, Q, QuerySet
from django.db.models.functions import Now

from arboris import logs
from arboris.db import db_now
from arboris.novels.models import ImportJob, ImportUpload

State = ImportJob.State
LOST = timedelta(minutes=2)
MOST_ATTEMPTS = 3
PER_WRITER = 3  # jobs that may wait or run


class Lost(Exception):
    """The job was taken by another worker, or deleted with its novel."""


class TooMany(Exception):
    """As many of the writer's imports wait as may."""


def add(upload: ImportUpload, mode: str, options: dict[str, Any], language: str) -> ImportJob:
    """Have the upload imported, in the caller's transaction; the same job for the same upload.

    One that has failed is tried anew. Raises TooMany.
    """
    there = ImportJob.objects.filter(upload=upload).first()
    if there is not None and there.state != State.FAILED:
        return there
    if there is not None:
        there.delete()
    live = ImportJob.objects.filter(
        upload__owner_id=upload.owner_id, state__in=[State.WAITING, State.RUNNING]
    )
    if live.count() >= PER_WRITER:
        raise TooMany
    return ImportJob.objects.create(
        upload=upload,
        mode=mode,
        options=options,
        language=language,
        request_id=logs.request_id(),
        created_at=db_now(),
    )


def waiting() -> QuerySet[ImportJob]:
    """Those that a worker may take, the oldest first; none while one runs: an import writes much,
    and the analyses want their turn."""
    # Seen in the future: the clock was set back since.
    lost = Q(state=State.RUNNING) & (Q(seen_at__lt=Now() - LOST) | Q(seen_at__gt=Now() + LOST))
    running = ImportJob.objects.filter(state=State.RUNNING, seen_at__range=_seen_of_late())
    free = ImportJob.objects.filter(~Exists(running), Q(state=State.WAITING) | lost)
    return free.order_by("created_at")


def _seen_of_late() -> tuple[Any, Any]:
    return Now() - LOST, Now() + LOST


def take() -> ImportJob | None:
    """The next job, which is this worker's from now on; None where there is none."""
    job = waiting().first()
    if job is None:
        return None
    token = uuid.uuid4().hex
    mine = ImportJob.objects.filter(pk=job.pk, state=job.state, token=job.token)
    if not mine.update(
        state=State.RUNNING, token=token, seen_at=Now(), attempts=job.attempts + 1, done=0
    ):
        return None  # another worker was faster: one runs
    job.token, job.attempts = token, job.attempts + 1
    return job


def tell(job: ImportJob, done: int, total: int) -> None:
    """How many of the chapters are made. Raises Lost."""
    _write(job, done=done, total=total, seen_at=Now())


def see(job: ImportJob) -> None:
    """Its worker lives; nothing where the job is not its own any more."""
    ImportJob.objects.filter(pk=job.pk, token=job.token).update(seen_at=Now())


def give_back(job: ImportJob) -> None:
    """The worker has to stop: another one begins anew."""
    _write(job, state=State.WAITING, token="", attempts=job.attempts - 1, done=0)


def finish(job: ImportJob, chapters: int) -> None:
    """In the transaction that shows the chapters. Raises Lost, which takes all of it back."""
    _write(job, state=State.DONE, done=chapters, total=chapters, ended_at=Now(), token="")


def fail(job: ImportJob, code: str, sentence: str) -> None:
    _write(job, state=State.FAILED, error_code=code, error=sentence, ended_at=Now(), token="")


def _write(job: ImportJob, **changes: Any) -> None:
    if not ImportJob.objects.filter(pk=job.pk, token=job.token).update(**changes):
        raise Lost
