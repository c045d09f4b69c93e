"""One analysis, end to end: load, read, apply, tell. No transaction is open while it reads."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from django.db import transaction

from analysis import pipeline, queue
from analysis.analyzers import registry
from analysis.analyzers.base import ChapterInput, KnownCharacter, KnownEntity, OpenThread
from analysis.errors import AnalysisError, AnalyzerFailed, LeaseLost, ProcessingTimeout
from analysis.queue import Claim
from analysis.steward import Steward
from arboris.bible import story
from arboris.db import in_transaction
from arboris.novels.models import ChapterVersion, NovelProject
from arboris.novels.text import guess_language

log = logging.getLogger(__name__)

PROGRESS_EVERY_SECONDS = 1.0


class Run:
    """The state of one analysis while it is worked on."""

    def __init__(self, claim: Claim, keeper: Steward) -> None:
        self.claim = claim
        self.keeper = keeper
        self.ends = time.monotonic() + settings.ARBORIS_PROCESSING_TIMEOUT
        self.reported = time.monotonic()
        self.done: dict[str, Any] = dict(claim.checkpoint)

    def check(self, feature: str, fraction: float) -> None:
        """Called often by the analyzer: stops a run that is over, reports progress now and then."""
        if self.keeper.must_stop:
            raise LeaseLost(f"analysis {self.claim.task_id} is not ours any more")
        now = time.monotonic()
        if now >= self.ends:
            raise ProcessingTimeout(
                f"not done within {settings.ARBORIS_PROCESSING_TIMEOUT:g} s (in {feature})"
            )
        if now - self.reported >= PROGRESS_EVERY_SECONDS:
            self.reported = now
            percent = pipeline.percent(self.claim.config, self.done, fraction)
            if not queue.report_progress(self.claim, percent, feature, self.done):
                raise LeaseLost(f"analysis {self.claim.task_id} was taken away")


def run(claim: Claim, keeper: Steward) -> None:
    """Work on a claimed task until it has ended or gone back to wait; raises nothing but a signal."""
    state = Run(claim, keeper)
    try:
        _analyse(state)
    except LeaseLost as lost:
        log.info("%s", lost)
    except AnalysisError as error:
        _fail(state, error)
    except Exception as error:
        log.exception("analysis %s failed", claim.task_id)
        _fail(state, AnalyzerFailed(f"{type(error).__name__}: {error}"))


def _fail(state: Run, error: AnalysisError) -> None:
    try:
        status = queue.fail(
            state.claim, error, checkpoint=state.done, token_usage=pipeline.tokens(state.done)
        )
    except LeaseLost as lost:
        log.info("%s", lost)
    else:
        log.warning("analysis %s: %s: %s; now %s", state.claim.task_id, error.code, error, status)


def _analyse(state: Run) -> None:
    claim = state.claim
    chapter = _load(claim)
    analyzer = registry.get(settings.ARBORIS_ANALYZER)
    outcome = pipeline.run(analyzer, chapter, claim.config, state.done, state.check)
    story.prepare(claim.project_id)
    in_transaction(lambda: _apply(claim, outcome))


def _load(claim: Claim) -> ChapterInput:
    version = ChapterVersion.objects.select_related("chapter__project").get(pk=claim.version_id)
    chapter = version.chapter
    wishes = pipeline.GenerationConfig.model_validate(claim.config)
    return ChapterInput(
        text=version.content,
        # The text itself says it best: a novel may quote whole letters in another language.
        language=guess_language(version.content),
        chapter_number=chapter.chapter_number,
        title=chapter.title,
        known_characters=tuple(
            KnownCharacter(person.id, person.name, person.aliases)
            for person in story.known_people(claim.project_id)
        ),
        known_entities=tuple(
            KnownEntity(kind, name, aliases)
            for kind, name, aliases in story.known_entities(claim.project_id)
        ),
        open_threads=tuple(
            OpenThread(
                thread.chapter.chapter_number,
                thread.description,
                thread.quote,
                tuple(thread.keywords),
            )
            for thread in story.open_threads(claim.project_id, chapter.chapter_number)
        ),
        features=tuple(
            feature
            for feature in pipeline.enabled_features(claim.config)
            if feature not in claim.checkpoint
        ),
        model_name=wishes.model_name,
        temperature=wishes.temperature,
    )


def _apply(claim: Claim, outcome: pipeline.Outcome) -> None:
    """Findings, bible, status and notification: one transaction, fenced by the claim."""
    assert transaction.get_connection().in_atomic_block
    # The novel's row is the lock under which its bible is folded; saving a chapter takes it too.
    project = NovelProject.objects.select_for_update().get(pk=claim.project_id)
    story.record(
        project,
        chapter_id=claim.chapter_id,
        version_id=claim.version_id,
        task_id=claim.task_id,
        findings=outcome.findings,
    )
    queue.finish(claim, outcome.summary(), outcome.tokens)
