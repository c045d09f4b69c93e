"""The current findings of a novel, parsed; each is parsed once in the life of a process.

Findings are never edited, so what was parsed stays right. Only which of them are current changes,
and that is asked of the database every time.
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict

from django.db import connection

from arboris.bible.findings import FINDING
from arboris.bible.fold import Placed
from arboris.bible.models import Finding
from arboris.novels.models import Chapter

NOVELS_KEPT = 8
BATCH = 500

_lock = threading.Lock()
_parsed: OrderedDict[uuid.UUID, dict[int, Placed]] = OrderedDict()


def current(project_id: uuid.UUID) -> list[Placed]:
    """Every current finding whose quote stands in the text, with its chapter's number."""
    rows = Finding.objects.filter(project_id=project_id, current=True, verified=True)
    wanted = dict(rows.values_list("pk", "chapter_id"))
    numbers = dict(
        Chapter.objects.filter(project_id=project_id).values_list("pk", "chapter_number")
    )
    known = _known(project_id)
    found: dict[int, Placed] = {}
    missing: list[int] = []
    for pk, chapter_id in wanted.items():
        placed = known.get(pk)
        if placed is not None and placed.chapter_number == numbers[chapter_id]:
            found[pk] = placed
        else:
            missing.append(pk)
    for at in range(0, len(missing), BATCH):
        batch = Finding.objects.filter(pk__in=missing[at : at + BATCH])
        for pk, payload in batch.values_list("pk", "payload"):
            chapter_id = wanted[pk]
            found[pk] = Placed(numbers[chapter_id], chapter_id, FINDING.validate_python(payload))
    if not connection.in_atomic_block:
        # What an open transaction has written may be rolled back, and its ids given out again.
        _keep(project_id, found)
    return list(found.values())


def _known(project_id: uuid.UUID) -> dict[int, Placed]:
    with _lock:
        return _parsed.get(project_id, {})


def _keep(project_id: uuid.UUID, found: dict[int, Placed]) -> None:
    with _lock:
        _parsed[project_id] = found
        _parsed.move_to_end(project_id)
        while len(_parsed) > NOVELS_KEPT:
            _parsed.popitem(last=False)
