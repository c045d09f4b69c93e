"""Endpoints that refuse us: paused with the reason, probed by a task now and then, resumed.

An endpoint belongs to whoever claims (the settings of its process), not to the task that waits:
a task waits for any worker that can reach one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from analysis.djangoq import wakeups
from analysis.models import EndpointState, QueueControl
from arboris.db import db_now
from arboris.errors import ServiceError
from arboris.llm.configured import endpoint_name
from arboris.llm.endpoints import fingerprint

LONGEST_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What this process works with: its name, and a fingerprint of its credentials."""

    name: str = ""
    credentials: str = ""


NONE = Endpoint()


def configured() -> Endpoint:
    """The endpoint of the settings: the language model's host, or the analyzer's name.

    All endpoints that analyses ask count as one, with the default one's name: each analysis needs
    them all. See docs/decisions/0014-routes.md.
    """
    if settings.ARBORIS_ANALYZER != "llm":
        return Endpoint(settings.ARBORIS_ANALYZER)
    return Endpoint(endpoint_name(), fingerprint())


def pause(endpoint: Endpoint, error: ServiceError, now: datetime, *, probe: bool = False) -> None:
    """Stop its tasks until the next probe; each refused ``probe`` doubles the wait."""
    state, _ = EndpointState.objects.select_for_update().get_or_create(pk=endpoint.name)
    again = state.paused_at is not None and state.credentials == endpoint.credentials
    if again and not probe and state.probe_at is not None and state.probe_at > now:
        return  # another task that was under way when it began
    probes = state.probes + 1 if again else 0
    EndpointState.objects.filter(pk=endpoint.name).update(
        credentials=endpoint.credentials,
        paused_at=state.paused_at if again else now,
        error_type=error.code,
        error_message=str(error)[:4000],
        probe_at=now + wait(probes),
        probes=probes,
    )


def begin_probe(endpoint: Endpoint, now: datetime) -> bool:
    """Whether a claim made now is a probe; then there is no second one until this one is over."""
    if not endpoint.credentials:  # without any it never refuses us
        return False
    paused = EndpointState.objects.filter(pk=endpoint.name, paused_at__isnull=False)
    probes = paused.values_list("probes", flat=True).first()
    if probes is None:
        return False
    # Or until it is given up for lost.
    patience = max(wait(probes), timedelta(seconds=settings.ARBORIS_PROCESSING_TIMEOUT))
    paused.update(probe_at=now + patience)
    return True


def after_failure(endpoint: Endpoint, error: ServiceError, now: datetime, *, probe: bool) -> None:
    """What a failed attempt tells of the endpoint: it refuses us, or it took a probe."""
    if error.refuses_us:
        pause(endpoint, error, now, probe=probe)
    elif probe and error.answers_us:
        resume(endpoint.name)
    elif probe:
        probe_again(endpoint, now)


def probe_again(endpoint: Endpoint, now: datetime) -> None:
    """The last probe told nothing about the endpoint: the next one comes after the same wait."""
    state = EndpointState.objects.filter(pk=endpoint.name, paused_at__isnull=False).first()
    if state is not None:
        EndpointState.objects.filter(pk=state.pk).update(probe_at=now + wait(state.probes))


def let_probe(name: str) -> None:
    """The next claim is a probe: the last one was given up before it could tell anything."""
    EndpointState.objects.filter(pk=name, paused_at__isnull=False).update(probe_at=db_now())


def wait(probes: int) -> timedelta:
    """How long after so many refused probes the next one comes."""
    first = timedelta(seconds=settings.ARBORIS_ENDPOINT_PROBE_SECONDS)
    return min(first * (1 << min(probes, 10)), max(first, LONGEST_PAUSE))


def resume(name: str) -> bool:
    """Let its tasks go on, in the caller's transaction; False if it was not paused."""
    resumed = EndpointState.objects.filter(pk=name, paused_at__isnull=False).update(
        paused_at=None, probe_at=None, error_type="", error_message="", probes=0
    )
    if resumed:
        QueueControl.objects.filter(pk=1).update(resumed_at=db_now())
        wakeups.issue(settings.ARBORIS_MAX_CONCURRENT)
    return bool(resumed)
