"""Folding a long novel behind its writer's back: a decision is answered before."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from arboris.bible.models import FoldState
from arboris.bible.service import Folded, fold_anew, fresh, is_long
from arboris.db import in_transaction, locked
from arboris.novels.models import NovelProject

TAKEN = timedelta(minutes=1)  # whoever is at a novel for longer is taken for dead


def decided(project_id: uuid.UUID) -> bool:
    """A decision was made or undone, which may change any entry: fold a short novel now, and let
    a long one be folded behind (returned as True). The caller holds the project's row lock."""
    fold_anew(project_id)
    outdated = FoldState.objects.filter(project_id=project_id, outdated=True)
    return bool(outdated.update(behind=True, taken_at=None))


def ready_to_decide(project_id: uuid.UUID) -> None:
    """The tables hold the bible as the writer has seen it; the caller holds the project's row lock.

    Of a long novel they may be a decision or a chapter behind: a decision keeps names.
    """
    never_folded = not FoldState.objects.filter(project_id=project_id).exists()
    if never_folded or not is_long(project_id):
        fresh(project_id)


def is_folded_behind(project_id: uuid.UUID) -> bool:
    """Whether a worker is about to fold the novel by a decision: the tables have the bible as it
    was before. Otherwise it is ``fresh``."""
    if FoldState.objects.filter(project_id=project_id, outdated=True, behind=True).exists():
        return True
    fresh(project_id)
    return False


def free() -> QuerySet[FoldState]:
    """The novels that no worker is at, without those in the trash."""
    lost = Q(taken_at=None) | Q(taken_at__lt=Now() - TAKEN)
    return FoldState.objects.filter(lost, project__deleted_at=None)


def take(states: QuerySet[FoldState]) -> uuid.UUID | None:
    """One of these novels, which are ``free``, and nobody else's for a while."""
    for project_id in states.values_list("project_id", flat=True)[:10]:
        if states.filter(project_id=project_id).update(taken_at=Now()):
            return project_id
    return None


def to_fold() -> QuerySet[FoldState]:
    """The novels that a decision has left outdated, and that nobody folds."""
    return free().filter(behind=True)


def fold_behind() -> bool:
    """Fold one novel that a decision has left outdated; returns whether there was one.

    Where it changes meanwhile nothing is written, and it is folded anew.
    """
    project_id = take(to_fold())
    if project_id is None:
        return False
    folded = Folded.of(project_id)

    def work() -> None:
        novel = locked(NovelProject.objects.filter(pk=project_id)).first()
        states = FoldState.objects.filter(project_id=project_id)
        state = states.filter(outdated=True).first()
        if novel is None or state is None:  # deleted by now, or folded by a reader
            states.update(behind=False, taken_at=None)
        elif state.revision == folded.revision:
            folded.write()
        else:
            states.update(taken_at=None)

    in_transaction(work)
    return True
