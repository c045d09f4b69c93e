"""Analyzers for tests: deterministic, registered through settings.ARBORIS_ANALYZERS."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import ClassVar

from analysis.analyzers.base import Analyzer, ChapterInput, Check, FeatureResult, Session
from analysis.errors import AnalyzerFailed, ProcessingTimeout
from analysis.features import FeatureKey
from arboris.bible.types.findings import Appearance, Evidence, Finding, Foreshadowing
from arboris.errors import ServiceError

REGISTERED = {
    "scripted": "tests.analyzers.Scripted",
    "failing": "tests.analyzers.Failing",
    "endless": "tests.analyzers.Endless",
    "steerable": "tests.analyzers.Steerable",
}
# 「某某」说 states one character each.
SPEAKER = re.compile(r"「(\w{2,4})」说")
SLOW = "慢慢分析"
BRAKE = "ARBORIS_TEST_BRAKE"  # names the file that is the brake


def appearances(name: re.Pattern[str], text: str) -> list[Finding]:
    """One for each match, whose first group is the name."""
    return [
        Appearance(
            name=match[1],
            aliases=[],
            evidence=Evidence(quote=match[0], start=match.start(), end=match.end()),
            confidence=0.9,
        )
        for match in name.finditer(text)
    ]


class Scripted(Analyzer):
    """Finds whoever stands in 「」 before 说; ``runs`` counts the features it was asked for."""

    name = "scripted"
    runs: ClassVar[list[FeatureKey]] = []

    def open(self, chapter: ChapterInput) -> Session:
        return ScriptedSession(chapter.text)


class ScriptedSession(Session):
    def __init__(self, text: str) -> None:
        self.text = text

    def run(self, feature: FeatureKey, check: Check) -> FeatureResult:
        check(0.5)
        Scripted.runs.append(feature)
        found: list[Finding] = []
        if feature == "character_tracking":
            found = appearances(SPEAKER, self.text)
        elif feature == "foreshadowing":
            # A quote that is nowhere in the text: must never be applied.
            found = [
                Foreshadowing(
                    kind="hint",
                    description="凭空而来",
                    keywords=[],
                    evidence=Evidence(quote="这句话不在文中", start=0, end=7),
                    confidence=0.9,
                )
            ]
        return FeatureResult(found, tokens={"prompt": 10, "completion": 2})


class Failing(Analyzer):
    """Delivers the first feature, then raises ``error`` until it is None."""

    name = "failing"
    error: ClassVar[Exception | None] = None

    def open(self, chapter: ChapterInput) -> Session:
        return FailingSession(chapter.text)


class FailingSession(ScriptedSession):
    def run(self, feature: FeatureKey, check: Check) -> FeatureResult:
        if feature != "character_tracking" and Failing.error is not None:
            raise Failing.error
        return super().run(feature, check)


class Endless(Analyzer):
    """Works until it is stopped; ``started`` tells that it has begun."""

    name = "endless"
    started: ClassVar[threading.Event] = threading.Event()

    def open(self, chapter: ChapterInput) -> Session:
        return EndlessSession()


class EndlessSession(Session):
    def run(self, feature: FeatureKey, check: Check) -> FeatureResult:
        Endless.started.set()
        while True:
            check(0.1)
            threading.Event().wait(0.01)


class Steerable(Analyzer):
    """The offline analyzer, except that a text with SLOW in it waits while the brake is pulled."""

    name = "steerable"

    def __init__(self) -> None:
        from analysis.analyzers.local import LocalAnalyzer

        self._real = LocalAnalyzer()

    def open(self, chapter: ChapterInput) -> Session:
        session = self._real.open(chapter)
        return BrakedSession(session) if SLOW in chapter.text else session


class BrakedSession(Session):
    """Works on nothing, but lets itself be stopped, as long as the brake's file exists."""

    def __init__(self, real: Session) -> None:
        self._real = real
        self._brake = Path(os.environ[BRAKE])

    def run(self, feature: FeatureKey, check: Check) -> FeatureResult:
        while self._brake.exists():
            check(0.1)
            threading.Event().wait(0.02)
        return self._real.run(feature, check)


def permanent() -> ServiceError:
    return ProcessingTimeout("too long")


def passing(retry_after: float | None = None) -> ServiceError:
    return AnalyzerFailed("the endpoint stumbled", retry_after=retry_after)
