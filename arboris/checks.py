"""System checks: settings that are each well formed and do not fit together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from analysis.purposes import PURPOSES
from arboris.llm.accounting import prices
from arboris.llm.configured import missing_settings
from arboris.llm.routes import Entry, route_of


@register(Tags.compatibility)
def analyzer_can_work(**_: Any) -> list[CheckMessage]:
    return _model_for("ARBORIS_ANALYZER", "ARBORIS_ANALYZER=local", "arboris.E001")


@register(Tags.compatibility)
def summaries_can_be_made(**_: Any) -> list[CheckMessage]:
    return _model_for("ARBORIS_SUMMARY", "ARBORIS_SUMMARY=extractive", "arboris.E004")


def _model_for(setting: str, instead: str, code: str) -> list[CheckMessage]:
    """What a setting that says "llm" lacks."""
    if getattr(settings, setting) != "llm":
        return []
    return [
        Error(
            f"{setting}=llm needs {name}, which is not set.",
            hint=f"Set it, or use {instead}.",
            id=code,
        )
        for name in missing_settings()
    ]


@register(Tags.compatibility)
def sweeps_come_before_the_deadline(**_: Any) -> list[CheckMessage]:
    if settings.ARBORIS_POLL_INTERVAL <= settings.ARBORIS_PROCESSING_TIMEOUT:
        return []
    return [
        Error(
            "ARBORIS_POLL_INTERVAL is longer than ARBORIS_PROCESSING_TIMEOUT: dead analyses would "
            "be noticed later than slow ones.",
            id="arboris.E002",
        )
    ]


@register(Tags.compatibility)
def leases_end_before_the_deadline(**_: Any) -> list[CheckMessage]:
    longest = max(settings.ARBORIS_PROCESSING_TIMEOUT, settings.ARBORIS_SHORTEST_LEASE)
    if longest >= settings.ARBORIS_LEASE_SECONDS:
        return []
    return [
        Error(
            "ARBORIS_LEASE_SECONDS is longer than ARBORIS_PROCESSING_TIMEOUT: the task of a dead "
            "worker would be rescued later than a slow one is ended.",
            id="arboris.E003",
        )
    ]


@register(Tags.compatibility)
def budgets_know_every_price(**_: Any) -> list[CheckMessage]:
    """A writer may wish for any model: one without a price would cost nothing."""
    budgets = ("ARBORIS_LLM_BUDGET_PROJECT", "ARBORIS_LLM_BUDGET_WRITER")
    if prices.ANY in settings.ARBORIS_LLM_PRICES:
        return []
    return [
        Error(
            f'{name} needs ARBORIS_LLM_PRICES with an entry "{prices.ANY}", for every model that '
            "has no price of its own.",
            id="arboris.E005",
        )
        for name in budgets
        if getattr(settings, name)
    ]


@register(Tags.compatibility)
def routes_are_for_what_there_is(**_: Any) -> list[CheckMessage]:
    entries: Mapping[str, Entry] = settings.ARBORIS_LLM_ROUTES
    faults = [
        f"{purpose!r} is no purpose: use one of {', '.join(PURPOSES)}."
        for purpose in entries
        if purpose not in PURPOSES
    ]
    for purpose in entries:
        faults += [
            f"{purpose!r}: the endpoint {target.endpoint!r} does not allow the model"
            f" {target.model!r}."
            for _part, target in route_of(purpose).not_allowed()
        ]
    return [Error(f"ARBORIS_LLM_ROUTES: {fault}", id="arboris.E007") for fault in faults]


@register(Tags.compatibility)
def who_signs_up_can_be_written_to(**_: Any) -> list[CheckMessage]:
    if settings.ARBORIS_SIGN_UP == "closed" or settings.ARBORIS_SENDS_EMAIL:
        return []
    return [
        Error(
            f"ARBORIS_SIGN_UP={settings.ARBORIS_SIGN_UP} needs ARBORIS_EMAIL_URL: whoever signs up "
            "confirms an e-mail address.",
            hint="Set it, or use ARBORIS_SIGN_UP=closed.",
            id="arboris.E006",
        )
    ]
