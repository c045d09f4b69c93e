"""Refs: what a decision calls a single fact, a waiting finding or a notice."""

from __future__ import annotations

import uuid

from django.db.models import Model
from django.utils.translation import gettext as _

from arboris.bible.decisions.base import Refused
from arboris.bible.models import (
    Character,
    CharacterAlias,
    CharacterState,
    ForeshadowingEvent,
    ForeshadowingThread,
    Notice,
    Relationship,
    WorldEntity,
)
from arboris.bible.storage.current import waiting

# Notices that no finding stands behind: to reject one is to dismiss it.
ONLY_NOTICES = {"dead_acts", "item_in_two_hands", "same_person", "ambiguous_name"}
_WITH_REFS: dict[type[Model], str] = {
    Notice: "project_id",
    Character: "project_id",
    CharacterAlias: "character__project_id",
    CharacterState: "character__project_id",
    WorldEntity: "project_id",
    ForeshadowingThread: "project_id",
    ForeshadowingEvent: "thread__project_id",
    Relationship: "project_id",
}


def check_known(project_id: uuid.UUID, ref: str) -> None:
    """That the ref is a fact's, a waiting finding's or a notice's of this novel; raises Refused."""
    known = any(
        table._default_manager.filter(**{of: project_id}, ref=ref).exists()
        for table, of in _WITH_REFS.items()
    )
    if not known and not any(one.ref == ref for one in waiting(project_id)):
        raise Refused("ref", _("There is no such finding in this novel."))
