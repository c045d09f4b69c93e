"""A writer's decisions about the bible: made and undone, each in a transaction of its own."""

from __future__ import annotations

import uuid

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from analysis import queue
from analysis.djangoq import wakeups
from analysis.models import PendingAnalysis
from arboris.bible import behind, readings
from arboris.bible import service as bible_service
from arboris.bible.decisions import record
from arboris.bible.decisions.base import Asked, Refused
from arboris.bible.decisions.kinds import kind_of
from arboris.bible.models import Decision, Reading
from arboris.db import in_transaction
from arboris.novels import services as novels


def decide(project_id: uuid.UUID, user_id: int, asked: Asked) -> Decision:
    """Record the decision and fold the bible by it, that of a long novel behind; raises Refused.

    ``asked`` is what ``DecisionSerializer`` has let through.
    """

    def work() -> Decision:
        novels.lock_project(project_id)
        behind.ready_to_decide(project_id)
        kind = kind_of(asked["action"])
        params = kind.check(project_id, asked)
        decision = record.make(project_id, user_id, kind.action, params)
        changed = kind.changes(project_id, params)
        if changed is None:
            _fold(project_id)
        for scope, natural_key in changed or ():
            bible_service.rewrite(project_id, scope, natural_key)
        return decision

    return in_transaction(work)


def undo(project_id: uuid.UUID, decision_id: int) -> Decision:
    """Take a decision back; raises Decision.DoesNotExist, or Refused where it is undone already."""

    def work() -> Decision:
        novels.lock_project(project_id)
        decision = Decision.objects.get(project_id=project_id, pk=decision_id)
        if decision.undone_at is not None:
            raise Refused("", _("The decision is undone already."), conflict=True)
        record.undo(decision)
        _fold(project_id)
        return decision

    return in_transaction(work)


def to_read_again(project_id: uuid.UUID) -> list[Reading]:
    """Chapters that were analysed without what stands before them by now, and are not under way."""
    under_way = PendingAnalysis.objects.filter(active_chapter=OuterRef("chapter_id"))
    return list(readings.outdated(project_id).exclude(Exists(under_way)))


def read_again(project_id: uuid.UUID) -> int:
    """Queue the analyses of those chapters; returns how many."""

    def work() -> int:
        novels.lock_project(project_id)
        return queue.read_again(to_read_again(project_id), quiet=False)

    return in_transaction(work)


def _fold(project_id: uuid.UUID) -> None:
    """By the decisions as they are now: at once, or behind where that would take seconds."""
    if behind.decided(project_id):
        wakeups.issue()
