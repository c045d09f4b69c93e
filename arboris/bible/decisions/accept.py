"""Accept: a waiting finding or a suspected pay-off counts; a pay-off belongs to a thread.

Of a contradiction: the writer is going to mend the text, and it stays until they have.
"""

from __future__ import annotations

import uuid

from django.utils.translation import gettext as _

from arboris.bible.decisions import lookup
from arboris.bible.decisions.base import Asked, DecisionKind, Inputs, Params, Refused, whole
from arboris.bible.decisions.rules import Decision, Rules
from arboris.bible.fold.continuity import CONTRADICTIONS
from arboris.bible.models import Notice
from arboris.bible.types.entries import Scope
from arboris.fields import Text


class Accept(DecisionKind):
    action = "accept"
    needs = ("ref",)

    def inputs(self) -> Inputs:
        return {"ref": Text(max_length=16, required=False), "thread": whole()}

    def check(self, project_id: uuid.UUID, asked: Asked) -> Params:
        ref = asked["ref"]
        lookup.check_known(project_id, ref)
        notices = Notice.objects.filter(project_id=project_id, ref=ref)
        notice = notices.select_related("chapter").first()
        if notice is not None and notice.kind in CONTRADICTIONS:
            return {"ref": ref}
        if notice is not None and notice.kind in lookup.ONLY_NOTICES:
            said = _("This can be rejected; to agree, merge or edit what it is about.")
            raise Refused("ref", said)
        if not asked.get("thread"):
            if notice is not None and notice.kind == "unlinked_payoff":
                raise Refused("thread", _("Say which foreshadowing it pays off."))
            return {"ref": ref}
        thread = lookup.row("thread", project_id, asked["thread"], "thread")
        if notice is not None and thread.chapter_number >= notice.chapter.chapter_number:
            raise Refused("thread", _("It is planted no earlier than this passage."))
        return {"ref": ref, "thread": thread.natural_key}

    def rule(self, rules: Rules, decision: Decision, number: int) -> None:
        rules.accepted_refs.add(decision["ref"])
        rules.rejected_refs.discard(decision["ref"])
        if thread := decision.get("thread"):
            rules.links[decision["ref"]] = thread

    def changes(self, project_id: uuid.UUID, params: Params) -> list[tuple[Scope, str]] | None:
        """That a contradiction is to be mended changes nothing yet."""
        told = Notice.objects.filter(project_id=project_id, ref=params["ref"])
        return [] if told.filter(kind__in=CONTRADICTIONS).exists() else None
