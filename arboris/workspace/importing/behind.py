"""The imports that workers do: a long one holds no request, and its writer sees how far it is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial

from django.utils import translation
from django.utils.translation import gettext as _

from analysis.worker.steward import current_steward
from arboris import logs
from arboris.db import in_transaction, is_away
from arboris.novels import import_jobs, uploads
from arboris.novels.importing import NovelImportError
from arboris.novels.models import ImportJob
from arboris.workspace.chapters.analysis_options import AnalysisOptions
from arboris.workspace.importing import service

log = logging.getLogger(__name__)
TOLD_EVERY = 1.0  # seconds


class Stopping(Exception):
    """The worker was asked to stop."""


def import_behind() -> bool:
    """Do one import that waits; returns whether there was one."""
    job = import_jobs.take()
    if job is None:
        return False
    upload = job.upload
    with (
        translation.override(job.language),
        logs.bound(
            request=job.request_id,
            importing=job.pk,
            novel=upload.project_id,
            writer=upload.owner_id,
            attempt=job.attempts,
        ),
    ):
        logs.event(log, logging.INFO, "import begun")
        try:
            _work(job)
        except import_jobs.Lost:
            logs.event(log, logging.WARNING, "import lost")
    return True


def _work(job: ImportJob) -> None:
    """Import, and note how it ended. Raises Lost."""
    # Before the first chapter a large file is parsed, and at the end all appear at once: for
    # longer than a worker may be silent, perhaps.
    alive = current_steward().telling(partial(import_jobs.see, job))
    try:
        with alive:
            count = _import(job)
    except Stopping:
        import_jobs.give_back(job)
        logs.event(log, logging.INFO, "import given back")
    except import_jobs.Lost:
        raise
    except Exception as error:
        if is_away(error):  # the job is taken anew
            raise
        _failed(job, error)
    else:
        logs.event(log, logging.INFO, "import done", chapters=count)


def _import(job: ImportJob) -> int:
    """Returns how many chapters were added or changed."""
    upload = job.upload
    if job.attempts > import_jobs.MOST_ATTEMPTS:
        raise NovelImportError("bad_file", _("The import was interrupted several times."))
    data = uploads.read(upload)
    novel = service.parse(upload.name, data, upload.encoding)
    options, mode = AnalysisOptions(**job.options), service.mode_of(job.mode)
    use = partial(uploads.use, upload)
    work = service.Job(upload.project, novel, data, options, mode, use)

    def end() -> int:
        count = len(work.run())
        import_jobs.finish(job, count)
        return count

    try:
        work.prepare(_telling(job, len(novel.chapters)))
        return in_transaction(end)
    finally:
        work.discard()


def _telling(job: ImportJob, total: int) -> Callable[[int], None]:
    """To be called after each chapter that is made; writes now and then."""
    import_jobs.tell(job, 0, total)
    stopping, told, done = current_steward().stopping, time.monotonic(), 0

    def step(count: int) -> None:
        nonlocal told, done
        done += count
        if stopping.is_set():
            raise Stopping
        if time.monotonic() - told > TOLD_EVERY:
            told = time.monotonic()
            import_jobs.tell(job, done, total)

    return step


def _failed(job: ImportJob, error: Exception) -> None:
    """Tell the writer what is wrong with the file or the novel, or that it is our own fault."""
    known = service.refusal(error)
    if known is None:
        log.exception("import failed by a fault of the program")
        known = ("internal", _("The import failed. Nothing was changed."))
    code, sentence = known
    logs.event(log, logging.WARNING, "import failed", error=code)
    import_jobs.fail(job, code, sentence)
