"""What a notification says, in the active language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _


def render(kind: str, chapter_number: int, data: dict[str, Any]) -> tuple[str, str]:
    """Title and message for a notification of ``kind`` about a chapter."""
    number = {"number": chapter_number}
    if kind == "completed":
        return (
            _("Enhanced analysis of chapter %(number)s is complete") % number,
            _("Character states, world and other information have been updated"),
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
