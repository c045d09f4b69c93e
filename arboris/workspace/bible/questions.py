"""What the bible has for the writer to decide: nothing of it is applied until they do."""

from __future__ import annotations

from typing import Any

from arboris.bible import behind
from arboris.bible.decisions import record
from arboris.bible.fold.continuity import CONTRADICTIONS
from arboris.bible.models import ForeshadowingThread, Notice
from arboris.bible.storage.current import waiting as waiting_findings
from arboris.novels.models import NovelProject
from arboris.workspace.bible import service
from arboris.workspace.bible.content import with_titles

MOST = 1_000  # waiting findings that are looked at, from the first chapter on
NOT_SHOWN = {"evidence", "confidence", "basic", "type"}


def as_dict(project: NovelProject) -> dict[str, Any]:
    """``{waiting, questions, warnings}``.

    ``waiting``: findings below the confidence threshold. ``questions``: whether two names are one
    person, or a passage pays a thread off. ``warnings``: contradictions, with both quotes, and
    whether the writer is going to mend them (``to_fix``). Each has a ``ref`` that it is accepted or
    rejected by. ``to_read_again``, where there are any: chapters that were analysed without what
    stands before them by now. ``folding``: as of ``content.as_shown``; what was answered is left
    out already.
    """
    folding = behind.is_folded_behind(project.pk)
    numbers = dict(project.chapters.values_list("pk", "chapter_number"))
    threads = dict(
        ForeshadowingThread.objects.filter(project=project).values_list("natural_key", "pk")
    )
    notices = sorted(
        Notice.objects.filter(project=project).select_related("chapter"),
        key=lambda notice: (notice.chapter.chapter_number, notice.pk),
    )
    told: dict[str, dict[str, Any]] = {}
    for notice in notices:  # a question comes once, from the chapter that raised it
        told.setdefault(notice.ref, _notice(notice, numbers, threads))
    rules = record.rules(project.pk)
    accepted, rejected = rules.accepted_refs, rules.rejected_refs
    shown = [one for one in told.values() if one["ref"] not in rejected]
    asked = {
        "waiting": _waiting(project),
        "questions": [
            one for one in shown if one["kind"] not in CONTRADICTIONS and one["ref"] not in accepted
        ],
        "warnings": [
            {**one, "to_fix": one["ref"] in accepted}
            for one in shown
            if one["kind"] in CONTRADICTIONS
        ],
    }
    if again := [{"chapter_id": one.chapter_id} for one in service.to_read_again(project.pk)]:
        asked["to_read_again"] = [
            {**one, "chapter_number": numbers.get(one["chapter_id"])} for one in again
        ]
    return with_titles(asked, project) | ({"folding": True} if folding else {})


def _waiting(project: NovelProject) -> list[dict[str, Any]]:
    rules = record.rules(project.pk)
    decided = rules.accepted_refs | rules.rejected_refs
    waiting = [one for one in waiting_findings(project.pk, MOST) if one.ref not in decided]
    found: dict[str, dict[str, Any]] = {}
    for one in sorted(waiting, key=lambda one: one.order):
        finding = one.finding
        content = finding.model_dump(mode="json", exclude=NOT_SHOWN)
        shown = {
            "ref": one.ref,
            "type": finding.type,
            "content": content,
            "chapter_id": one.chapter_id,
            "chapter_number": one.chapter_number,
            "quote": finding.evidence.quote,
            "confidence": round(finding.confidence, 3),
            "basic": finding.basic,
        }
        found.setdefault(one.ref, shown)
    return list(found.values())


def _notice(notice: Notice, numbers: dict[int, int], threads: dict[str, int]) -> dict[str, Any]:
    data = dict(notice.data)
    if "thread" in data:
        data["thread"] = threads.get(data["thread"])
    for side in ("earlier", "later"):
        if side in data:
            place = data[side]
            data[side] = {**place, "chapter_number": numbers.get(place["chapter_id"])}
    return {"ref": notice.ref, "kind": notice.kind, "subject": notice.subject, **data}
