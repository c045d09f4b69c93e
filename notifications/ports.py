"""What this app needs to be told about analyses: whoever owns them connects it at the start.

So notifications need no code, and no column, of the app whose work they tell of.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one running analysis is; ``eta_seconds`` is None as long as nothing is done."""

    user_id: int
    task_id: int
    percent: int
    feature: str | None
    eta_seconds: float | None


@dataclass(frozen=True, slots=True)
class Bible:
    """A novel's bible: ``revision`` grows with each change; ``folding``: a worker is at it."""

    revision: int
    folding: bool


@dataclass(frozen=True, slots=True)
class Analyses:
    """``running``: the progress of these writers' running analyses. ``live``: how many of theirs
    run or are due, by novel, without those who have none. ``bibles``: theirs, by novel.

    ``feature_updates``: for each feature of an analysis, in order, what it updates ("the world").
    ``usual_features``: those that every analysis has, unless they are switched off.
    ``told``: a result in a few words ("2 new characters"), in the active language.
    """

    running: Callable[[Collection[int]], list[Progress]]
    live: Callable[[Collection[int]], Mapping[int, Mapping[str, int]]]
    bibles: Callable[[Collection[int]], Mapping[int, Mapping[str, Bible]]]
    feature_updates: Callable[[], Mapping[str, str | Promise]]
    usual_features: Callable[[], Collection[str]]
    told: Callable[[Mapping[str, Any]], list[str]]


_analyses: Analyses | None = None


def connect(analyses: Analyses) -> None:
    """Called once, in the ``ready`` of the app that runs analyses."""
    global _analyses
    _analyses = analyses


def running(user_ids: Collection[int]) -> list[Progress]:
    return _connected().running(user_ids) if user_ids else []


def live(user_ids: Collection[int]) -> Mapping[int, Mapping[str, int]]:
    return _connected().live(user_ids) if user_ids else {}


def bibles(user_ids: Collection[int]) -> Mapping[int, Mapping[str, Bible]]:
    return _connected().bibles(user_ids) if user_ids else {}


def told(result: Mapping[str, Any]) -> list[str]:
    return _connected().told(result)


def feature_updates() -> Mapping[str, str | Promise]:
    return _connected().feature_updates()


def usual_features() -> Collection[str]:
    return _connected().usual_features()


def _connected() -> Analyses:
    if _analyses is None:
        raise ImproperlyConfigured("No app has called notifications.ports.connect().")
    return _analyses
