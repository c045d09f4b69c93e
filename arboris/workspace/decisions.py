"""A writer's decision about the bible, from what was asked to what the fold obeys.

Entries are asked for by the ids of their rows, and kept by their names: rows come and go.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.db.models import Max, Model
from django.utils.translation import gettext as _

from arboris.bible import service as bible_service
from arboris.bible.decisions import record as decisions
from arboris.bible.models import (
    Character,
    CharacterAlias,
    CharacterState,
    Decision,
    ForeshadowingEvent,
    ForeshadowingThread,
    Handle,
    Notice,
    Relationship,
    WorldEntity,
)
from arboris.bible.storage.database import TABLES
from arboris.bible.types.entries import Scope, thing_key
from arboris.bible.types.names import key, short_forms
from arboris.db import in_transaction
from arboris.novels import services as novels
from arboris.novels.models import Chapter

SCOPES: dict[str, Scope] = {
    "character": "person",
    "location": "thing",
    "faction": "thing",
    "item": "thing",
    "rule": "thing",
    "foreshadowing": "thread",
    "relationship": "tie",
}
# Notices that no finding stands behind: to reject one is to dismiss it.
ONLY_NOTICES = {"dead_acts", "item_in_two_hands", "same_person", "ambiguous_name"}
Asked = dict[str, Any]
Params = dict[str, Any]
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


class Refused(Exception):
    """What was asked cannot be done as things stand; ``field`` is at fault."""

    def __init__(self, field: str, message: str, *, conflict: bool = False) -> None:
        super().__init__(message)
        self.field = field
        self.conflict = conflict


def decide(project_id: uuid.UUID, user_id: int, asked: Asked) -> Decision:
    """Record the decision and fold the bible by it; raises Refused.

    ``asked`` is what ``DecisionSerializer`` has let through.
    """

    def work() -> Decision:
        novels.lock_project(project_id)
        bible_service.fresh(project_id)
        params = _ACTIONS[asked["action"]](project_id, asked)
        decision = decisions.make(project_id, user_id, asked["action"], params)
        _apply(project_id, decision)
        return decision

    return in_transaction(work)


def _apply(project_id: uuid.UUID, decision: Decision) -> None:
    """Fold the novel anew, or no more of it than the decision can have changed."""
    params = decision.params
    if decision.action == "edit" and params["scope"] != "thread":
        bible_service.rewrite(project_id, params["scope"], params["nid"])
        return
    if decision.action == "reject" and "refs" in params:
        notices = Notice.objects.filter(project_id=project_id, ref__in=params["refs"])
        if {notice.kind for notice in notices} & ONLY_NOTICES:
            notices.delete()
            return
    bible_service.rebuild(project_id)


def undo(project_id: uuid.UUID, decision_id: int) -> Decision:
    """Take a decision back; raises Decision.DoesNotExist, or Refused where it is undone already."""

    def work() -> Decision:
        novels.lock_project(project_id)
        decision = Decision.objects.get(project_id=project_id, pk=decision_id)
        if decision.undone_at is not None:
            raise Refused("", _("The decision is undone already."), conflict=True)
        decisions.undo(decision)
        bible_service.rebuild(project_id)
        return decision

    return in_transaction(work)


# --- one action each --------------------------------------------------------------------------
def _merge(project_id: uuid.UUID, asked: Asked) -> Params:
    entry, into = _entry(project_id, asked, "id"), _entry(project_id, asked, "into")
    if entry.pk == into.pk:
        raise Refused("into", _("An entry cannot be merged into itself."))
    return {
        **_where(asked),
        "names": _all_names(project_id, asked, entry),
        "target_names": _all_names(project_id, asked, into),
        "into": into.name,
    }


def _rename(project_id: uuid.UUID, asked: Asked) -> Params:
    entry, name = _entry(project_id, asked, "id"), asked["name"]
    _check_free(project_id, asked, name, entry)
    return {**_where(asked), "names": _all_names(project_id, asked, entry), "into": name}


def _split(project_id: uuid.UUID, asked: Asked) -> Params:
    entry, alias = _entry(project_id, asked, "id"), asked["alias"]
    names = _names(entry)
    if alias not in names or key(alias) == key(entry.name):
        raise Refused("alias", _("The entry has no such other name."))
    others = [name for name in names if key(name) != key(alias)]
    return {**_where(asked), "names": others, "alias": alias, "ref": _new_ref()}


def _reject(project_id: uuid.UUID, asked: Asked) -> Params:
    if ref := asked.get("ref"):
        _check_known(project_id, ref)
        return {"refs": [ref]}
    entry = _entry(project_id, asked, "id")
    scope = SCOPES[asked["type"]]
    if scope in ("person", "thing"):
        # Other names may be other people's too: what bears only those may come again.
        own = [n for n in _names(entry) if n == entry.name or _handle(asked, n) == entry.nid]
        return {**_where(asked), "names": own}
    if entry.tier == "writer":
        raise Refused("id", _("This is your own entry: undo the decision that added it."))
    return {"refs": [entry.ref, entry.nid] if scope == "tie" else [entry.ref]}


def _accept(project_id: uuid.UUID, asked: Asked) -> Params:
    ref = asked["ref"]
    _check_known(project_id, ref)
    notice = Notice.objects.filter(project_id=project_id, ref=ref).select_related("chapter").first()
    if notice is not None and notice.kind in ONLY_NOTICES:
        raise Refused("ref", _("This can be rejected; to agree, merge or edit what it is about."))
    if not asked.get("thread"):
        if notice is not None and notice.kind == "unlinked_payoff":
            raise Refused("thread", _("Say which foreshadowing it pays off."))
        return {"ref": ref}
    thread = _row("thread", project_id, asked["thread"], "thread")
    if notice is not None and thread.chapter_number >= notice.chapter.chapter_number:
        raise Refused("thread", _("It is planted no earlier than this passage."))
    return {"ref": ref, "thread": thread.nid}


def _edit(project_id: uuid.UUID, asked: Asked) -> Params:
    entry = _entry(project_id, asked, "id")
    params = {**_where(asked), "fields": asked["fields"], "nid": entry.nid}
    if SCOPES[asked["type"]] == "thread":
        return {**params, "thread": entry.nid}
    return {**params, "names": [entry.name]}


def _add(project_id: uuid.UUID, asked: Asked) -> Params:
    ref, scope, fields = _new_ref(), SCOPES[asked["type"]], asked["fields"]
    params = {**_where(asked), "fields": fields, "ref": ref}
    if scope == "thread":
        _check_chapter(project_id, fields.get("chapter_number"))
        return {**params, "thread": f"writer:{ref}"}
    if scope == "tie":
        for part in ("source", "target"):
            if _holder(project_id, "person", key(fields[part])) is None:
                raise Refused("fields", f"{part}: " + _("No character has that name."))
        return params
    for name in (fields["name"], *fields.get("aliases", ())):
        _check_free(project_id, asked, name, None, "fields")
    return params


_ACTIONS: dict[str, Callable[[uuid.UUID, Asked], Params]] = {
    "merge": _merge,
    "rename": _rename,
    "split": _split,
    "reject": _reject,
    "accept": _accept,
    "edit": _edit,
    "add": _add,
}


# --- entries ----------------------------------------------------------------------------------
def _where(asked: Asked) -> Params:
    scope = SCOPES[asked["type"]]
    return {"scope": scope, "kind": asked["type"]} if scope == "thing" else {"scope": scope}


def _entry(project_id: uuid.UUID, asked: Asked, field: str) -> Any:
    row = _row(SCOPES[asked["type"]], project_id, asked[field], field)
    if SCOPES[asked["type"]] == "thing" and row.kind != asked["type"]:
        raise Refused(field, _("There is no such entry in this bible."))
    return row


def _row(scope: Scope, project_id: uuid.UUID, pk: int, field: str) -> Any:
    table: type[Model] = TABLES[scope]
    row = table._default_manager.filter(project_id=project_id, pk=pk).first()
    if row is None:
        raise Refused(field, _("There is no such entry in this bible."))
    return row


def _names(entry: Any) -> list[str]:
    """All names of a character or thing; the first that it was known by is its natural id."""
    aliases = entry.aliases
    others = aliases if isinstance(aliases, dict) else [a.name for a in aliases.all()]
    return [entry.name, *sorted(others)]


def _all_names(project_id: uuid.UUID, asked: Asked, entry: Any) -> list[str]:
    """With the short forms by which one knows a character, where they fit nobody else."""
    names = _names(entry)
    if SCOPES[asked["type"]] != "person":
        return names
    fits = Handle.objects.filter(project_id=project_id, scope="person")
    return names + [
        short
        for short in short_forms(entry.name)
        if set(fits.filter(handle=key(short)).values_list("nid", flat=True)) == {entry.nid}
    ]


def _holder(project_id: uuid.UUID, scope: Scope, handle: str) -> str | None:
    rows = Handle.objects.filter(project_id=project_id, scope=scope, handle=handle, partial=False)
    return rows.values_list("nid", flat=True).first()


def _handle(asked: Asked, name: str) -> str:
    own = key(name)
    return thing_key(asked["type"], own) if SCOPES[asked["type"]] == "thing" else own


def _check_free(
    project_id: uuid.UUID, asked: Asked, name: str, entry: Any, field: str = "name"
) -> None:
    holder = _holder(project_id, SCOPES[asked["type"]], _handle(asked, name))
    if holder is not None and (entry is None or holder != entry.nid):
        said = _("Another entry is called %(name)s: merge them.") % {"name": name}
        raise Refused(field, said, conflict=True)


def _check_chapter(project_id: uuid.UUID, number: int | None) -> None:
    last = Chapter.objects.filter(project_id=project_id).aggregate(n=Max("chapter_number"))["n"]
    if number is not None and number > (last or 0):
        raise Refused("fields", "chapter_number: " + _("The novel has no such chapter."))


def _check_known(project_id: uuid.UUID, ref: str) -> None:
    """That the ref is a fact's, a waiting finding's or a notice's of this novel."""
    known = any(
        table._default_manager.filter(**{of: project_id}, ref=ref).exists()
        for table, of in _WITH_REFS.items()
    )
    if not known and not any(one.ref == ref for one in bible_service.waiting(project_id)):
        raise Refused("ref", _("There is no such finding in this novel."))


def _new_ref() -> str:
    return uuid.uuid4().hex[:16]
