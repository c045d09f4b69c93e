"""What a notification says, in the active language."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

# What each feature of an analysis updates; a feature that was switched off has updated nothing.
UPDATES = {
    "character_tracking": gettext_noop("characters and their states"),
    "new_character_detection": gettext_noop("new characters"),
    "world_expansion": gettext_noop("the world"),
    "foreshadowing": gettext_noop("foreshadowing"),
}


def render(kind: str, chapter_number: int, data: dict[str, Any]) -> tuple[str, str]:
    """Title and message for a notification of ``kind`` about a chapter."""
    number = {"number": chapter_number}
    if kind == "completed":
        return (
            _("Enhanced analysis of chapter %(number)s is complete") % number,
            _updated(data.get("features")),
        )
    if kind == "failed":
        return (
            _("Enhanced analysis of chapter %(number)s has failed") % number,
            # The sentence is stored in English and translated here, for whoever reads it.
            _(data["error"]) if data.get("error") else _("Please try again later."),
        )
    if kind == "cancelled":
        return (
            _("Enhanced analysis of chapter %(number)s was cancelled") % number,
            _("The chapter itself is unchanged."),
        )
    if kind == "parked":
        day = {"day": str(data.get("until", ""))[:10]}
        return (
            _("Enhanced analysis of chapter %(number)s is waiting for a new budget") % number,
            _(
                "The month's budget for the language model is used up. Analyses go on by themselves "
                "on %(day)s."
            )
            % day,
        )
    return (
        _("Enhanced analysis of chapter %(number)s has started") % number,
        _("You can go on writing."),
    )


def _updated(features: Collection[str] | None) -> str:
    """What was updated; without a list of features, and with all of them, the whole bible."""
    if features is None or set(UPDATES) <= set(features):
        return _("Character states, world and other information have been updated")
    done = [_(what) for feature, what in UPDATES.items() if feature in features]
    separator = pgettext("between names in a list", ", ")
    return _("Updated: %(what)s") % {"what": separator.join(done)}
