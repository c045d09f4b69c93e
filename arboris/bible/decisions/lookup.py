"""What a decision is about: entries, found by the ids of their rows and kept by their names; refs.

A ref is what a decision calls a single fact, a waiting finding or a notice.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from arboris.bible.decisions.base import SCOPES, Asked, Params, Refused
from arboris.bible.fold.continuity import CONTRADICTIONS
from arboris.bible.models import (
    Character,
    CharacterAlias,
    CharacterState,
    ForeshadowingEvent,
    ForeshadowingThread,
    Notice,
    Relationship,
    SearchKey,
    WorldEntity,
)
from arboris.bible.storage.current import waits
from arboris.bible.storage.database import TABLES
from arboris.bible.types.entries import Scope, world_key
from arboris.bible.types.names import key, short_forms

# Notices that no finding stands behind: to reject one is to dismiss it.
ONLY_NOTICES = {*CONTRADICTIONS, "same_person", "ambiguous_name"}
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


def where(asked: Asked) -> Params:
    """The entry's scope, and of a world entry its kind, as a decision stores them."""
    scope = SCOPES[asked["type"]]
    return {"scope": scope, "kind": asked["type"]} if scope == "thing" else {"scope": scope}


def entry(project_id: uuid.UUID, asked: Asked, field: str) -> Any:
    """The row of the asked type whose id the field gives; raises Refused."""
    found = row(SCOPES[asked["type"]], project_id, asked[field], field)
    if SCOPES[asked["type"]] == "thing" and found.kind != asked["type"]:
        raise Refused(field, _("There is no such entry in this bible."))
    return found


def row(scope: Scope, project_id: uuid.UUID, pk: int, field: str) -> Any:
    table: type[Model] = TABLES[scope]
    found = table._default_manager.filter(project_id=project_id, pk=pk).first()
    if found is None:
        raise Refused(field, _("There is no such entry in this bible."))
    return found


def names(found: Any) -> list[str]:
    """All names of a character or world entry, the main one first."""
    aliases = found.aliases
    others = aliases if isinstance(aliases, dict) else [alias.name for alias in aliases.all()]
    return [found.name, *sorted(others)]


def all_names(project_id: uuid.UUID, asked: Asked, found: Any) -> list[str]:
    """With the short forms by which one knows a character, where they fit nobody else."""
    known = names(found)
    if SCOPES[asked["type"]] != "person":
        return known
    fits = SearchKey.objects.filter(project_id=project_id, scope="person")
    return known + [
        short
        for short in short_forms(found.name)
        if set(fits.filter(search_key=key(short)).values_list("natural_key", flat=True))
        == {found.natural_key}
    ]


def holder(project_id: uuid.UUID, scope: Scope, name_key: str) -> str | None:
    """The natural key of the entry that bears the name."""
    rows = SearchKey.objects.filter(
        project_id=project_id, scope=scope, search_key=name_key, partial=False
    )
    return rows.values_list("natural_key", flat=True).first()


def name_key(asked: Asked, name: str) -> str:
    own = key(name)
    return world_key(asked["type"], own) if SCOPES[asked["type"]] == "thing" else own


def check_free(
    project_id: uuid.UUID, asked: Asked, name: str, found: Any, field: str = "name"
) -> None:
    """That no entry but ``found`` bears the name; raises Refused."""
    bearer = holder(project_id, SCOPES[asked["type"]], name_key(asked, name))
    if bearer is not None and (found is None or bearer != found.natural_key):
        said = _("Another entry is called %(name)s: merge them.") % {"name": name}
        raise Refused(field, said, conflict=True)


def new_ref() -> str:
    return uuid.uuid4().hex[:16]


def check_known(project_id: uuid.UUID, ref: str) -> None:
    """That the ref is a fact's, a waiting finding's or a notice's of this novel; raises Refused."""
    known = any(
        table._default_manager.filter(**{of: project_id}, ref=ref).exists()
        for table, of in _WITH_REFS.items()
    )
    if not known and not waits(project_id, ref):
        raise Refused("ref", _("There is no such finding in this novel."))
