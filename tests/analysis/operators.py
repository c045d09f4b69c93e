"""Calling operators' commands in tests."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError

from analysis import bulk, queue
from analysis.errors import ProcessingTimeout
from analysis.models import BulkOperation, PendingAnalysis, Status
from analysis.queue.batch import Looked
from arboris.db import db_now
from arboris.errors import ServiceError
from arboris.novels.models import NovelProject
from tests.factories import make_project, make_user, queue_chapter


@dataclass(frozen=True)
class Called:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.document["tasks"]
        return rows

    @property
    def ids(self) -> list[int]:
        return [row["id"] for row in self.rows]


class Terminal(io.StringIO):
    """Looks like a terminal; what it holds is what a person types, or sees."""

    def isatty(self) -> bool:
        return True


def call(name: str, *arguments: object, stderr: io.StringIO | None = None) -> Called:
    """The command's exit code and output; CommandError becomes what the command line makes of
    it."""
    out, err = io.StringIO(), stderr or io.StringIO()
    code, message = 0, ""
    try:
        call_command(name, *(str(argument) for argument in arguments), stdout=out, stderr=err)
    except CommandError as error:
        code, message = error.returncode, str(error)
    return Called(code, out.getvalue(), err.getvalue() + message)


def failed_task(project: NovelProject, error: ServiceError | None = None) -> PendingAnalysis:
    """A chapter whose analysis has failed for good."""
    task = queue_chapter(project, priority=10)
    claim = queue.claim("host:1")
    assert claim is not None and claim.task_id == task.pk
    queue.fail(claim, error or ProcessingTimeout("too long"))
    task.refresh_from_db()
    assert task.status == Status.FAILED
    return task


def ended(project: NovelProject, status: Status, days: float) -> PendingAnalysis:
    """A chapter whose analysis ended so many days ago."""
    task = queue_chapter(project)
    PendingAnalysis.objects.filter(pk=task.pk).update(
        status=status, active_chapter=None, completed_at=db_now() - timedelta(days=days)
    )
    return task


def statuses() -> dict[int, str]:
    return dict(PendingAnalysis.objects.values_list("pk", "status"))


def novel_of(name: str) -> NovelProject:
    user: User = make_user(name)
    return make_project(user, f"Novel of {name}")


def age(task: PendingAnalysis, **since: float) -> None:
    """Queue it earlier than it was."""
    PendingAnalysis.objects.filter(pk=task.pk).update(created_at=db_now() - timedelta(**since))


def interrupt_cancelling(
    monkeypatch: pytest.MonkeyPatch, task_id: int, error: type[BaseException] = KeyboardInterrupt
) -> None:
    """Ctrl-C, or another error, when it is this one's turn to be cancelled; batches of one."""
    monkeypatch.setattr(bulk, "BATCH", 1)
    cancel = BulkOperation.Kind.CANCEL
    real = bulk.CHANGES[cancel]

    def interrupted(ids: Sequence[int], priority: int | None) -> Looked:
        if task_id in ids:
            raise error("server has gone away")
        return real.make(ids, priority)

    monkeypatch.setitem(bulk.CHANGES, cancel, dataclasses.replace(real, make=interrupted))
