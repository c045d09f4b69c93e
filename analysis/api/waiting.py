"""Why a pending task is not begun, in words for its writer."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from rest_framework import serializers

from analysis import queue
from analysis.models import PendingAnalysis
from analysis.queue.blocked import CODES, BlockedReason, Code

SENTENCES: dict[Code, str] = {
    "paused": gettext_noop("Analyses are paused at the moment; this one begins afterwards."),
    "project_paused": gettext_noop("The analyses of this novel are paused."),
    "writer_paused": gettext_noop("Your analyses are paused."),
    "endpoint_paused": gettext_noop(
        "The language model takes no requests at the moment; the analysis goes on by itself."
    ),
    "over_budget": gettext_noop(
        "The month's budget for the language model is used up; the analysis goes on by itself next "
        "month."
    ),
    "chapter_before": gettext_noop("The chapters of this novel that come before it are first."),
    "backoff": gettext_noop("The last try did not work; another one follows by itself."),
    "project_limit": gettext_noop(
        "Other chapters of this novel are being analysed; this one follows them."
    ),
    "total_limit": gettext_noop("As many chapters as may be are being analysed; this one follows."),
    "endpoint_limit": gettext_noop("The language model is busy; this chapter comes next in turn."),
}


class WaitingSerializer(serializers.Serializer[BlockedReason]):
    code = serializers.ChoiceField(choices=CODES)
    message = serializers.SerializerMethodField()
    until = serializers.DateTimeField(allow_null=True)

    def get_message(self, reason: BlockedReason) -> str:
        return sentence(reason)


def sentence(reason: BlockedReason) -> str:
    return _(SENTENCES[reason.code])


def blocked_reason_of(task: PendingAnalysis) -> BlockedReason | None:
    return queue.blocked_reason(task, queue.configured())


def shown(reason: BlockedReason | None) -> dict[str, Any] | None:
    return None if reason is None else dict(WaitingSerializer(reason).data)
