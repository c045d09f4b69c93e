"""Files that wait for their writer's word: kept for some hours, a few of each writer."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db.models import Q

from arboris.db import db_now, in_transaction, locked
from arboris.novels.models import ImportJob, ImportUpload, ImportUploadPart, NovelProject

KEPT = timedelta(hours=12)
PER_WRITER = 5  # the oldest give way
PART = 1024 * 1024  # bytes; MariaDB takes no statement of the size of a whole file
BATCH = 20  # uploads that one step of the daily clean-up deletes


class AlreadyImported(Exception):
    """The upload has become chapters before."""


def keep(project: NovelProject, name: str, data: bytes, encoding: str) -> ImportUpload:
    def work() -> ImportUpload:
        own = ImportUpload.objects.filter(owner_id=project.owner_id).exclude(needed())
        own = own.order_by("-created_at", "-pk")
        surplus = [row.pk for row in own[PER_WRITER - 1 :]]
        ImportUpload.objects.filter(pk__in=surplus).delete()
        upload = ImportUpload.objects.create(
            owner_id=project.owner_id,
            project=project,
            name=name,
            encoding=encoding,
            created_at=db_now(),
        )
        for place, start in enumerate(range(0, len(data), PART)):
            part = data[start : start + PART]
            ImportUploadPart.objects.create(upload=upload, place=place, content=part)
        return upload

    return in_transaction(work)


def needed() -> Q:
    """The uploads that an import reads, or will read."""
    return Q(job__state__in=[ImportJob.State.WAITING, ImportJob.State.RUNNING])


def find(project: NovelProject, upload_id: uuid.UUID) -> ImportUpload | None:
    """The writer's upload for this novel, unless its time is over."""
    rows = ImportUpload.objects.filter(project=project, owner_id=project.owner_id)
    return rows.filter(pk=upload_id, created_at__gt=db_now() - KEPT).first()


def read(upload: ImportUpload) -> bytes:
    """The file; raises AlreadyImported where it is not needed any more."""
    if upload.imported_at is not None:
        raise AlreadyImported
    parts = upload.parts.order_by("place").values_list("content", flat=True)
    return b"".join(bytes(part) for part in parts)


def lock(upload: ImportUpload) -> ImportUpload:
    """Its row, as it is now; raises AlreadyImported where it is not needed any more."""
    row = locked(ImportUpload.objects.filter(pk=upload.pk)).first()
    if row is None or row.imported_at is not None:
        raise AlreadyImported
    return row


def use(upload: ImportUpload) -> None:
    """Note that it becomes chapters, in the transaction that makes them; raises AlreadyImported.

    The file goes, the row stays to tell a second try.
    """
    row = lock(upload)
    row.imported_at = db_now()
    row.save(update_fields=["imported_at"])
    ImportUploadPart.objects.filter(upload=row).delete()


def prune(now: datetime) -> int:
    """Delete some of those whose time is over; returns how many."""
    old = ImportUpload.objects.filter(created_at__lte=now - KEPT).exclude(needed())
    old = old.order_by("created_at")
    doomed = list(old.values_list("pk", flat=True)[:BATCH])
    if doomed:
        in_transaction(lambda: ImportUpload.objects.filter(pk__in=doomed).delete())
    return len(doomed)
