"""One analysis, end to end: load, read, apply, tell. No transaction is open while it reads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction

from analysis import pipeline, queue, tracebacks
from analysis.analyzers.base import (
    Analyzer,
    ChapterInput,
    KnownCharacter,
    KnownEntity,
    KnownFact,
    Language,
    OpenThread,
    analyzer_named,
)
from analysis.errors import AnalyzerFailed, LeaseLost, ProcessingTimeout
from analysis.errors import fingerprint as error_group
from analysis.features import FEATURES, FeatureKey
from analysis.queue import Claim
from analysis.worker.steward import Steward
from arboris import logs
from arboris.bible import service as bible_service
from arboris.bible.known import before
from arboris.bible.readings import Told, fingerprint
from arboris.db import drop_connection, in_transaction, is_away, is_transient, locked
from arboris.errors import ServiceError
from arboris.llm import prompt_versions, route_table
from arboris.llm.accounting.admission import Payer
from arboris.novels.models import ChapterVersion, NovelProject
from arboris.novels.text import guess_language
from arboris.outage import outlasting

T = TypeVar("T")
log = logging.getLogger(__name__)

PROGRESS_EVERY_SECONDS = 1.0


class Stopping(Exception):
    """The worker was asked to stop: what is done goes back to the queue with the task."""


class Run:
    """The state of one analysis while it is worked on."""

    def __init__(self, claim: Claim, steward: Steward) -> None:
        self.claim = claim
        self.steward = steward
        self.began = time.monotonic()
        self.ends = self.began + settings.ARBORIS_PROCESSING_TIMEOUT
        self.reported = time.monotonic()
        self.percent = 0
        self.features: tuple[FeatureKey, ...] = ()
        self.feature = ""
        self.told: Told | None = None
        self.done: dict[str, Any] = dict(claim.checkpoint)

    def check(self, feature: str, fraction: float) -> None:
        """Called often by the analyzer: stops a run that is over, reports progress now and then."""
        if self.steward.lost:
            raise LeaseLost(f"analysis {self.claim.task_id} is not ours any more")
        if self.steward.stopping.is_set():
            raise Stopping
        self.feature = feature
        now = time.monotonic()
        if now >= self.ends:
            raise ProcessingTimeout(
                f"not done within {settings.ARBORIS_PROCESSING_TIMEOUT:g} s (in {feature})"
            )
        if now - self.reported >= PROGRESS_EVERY_SECONDS:
            self.reported = now
            self._report(feature, fraction)

    def _report(self, feature: str, fraction: float) -> None:
        # It never goes back: of the next feature a fraction is not known at once.
        so_far = pipeline.percent(self.features, self.done, fraction)
        self.percent = max(self.percent, so_far)
        try:
            ours = queue.report_progress(self.claim, self.percent, feature, self.done)
        except (DatabaseError, InterfaceError) as error:
            if not is_away(error) and not is_transient(error):
                raise
            # An outage is no reason to stop reading; the end of the run waits for it.
            log.warning("progress not reported: %s", error)
            drop_connection()
            return
        if not ours:
            raise LeaseLost(f"analysis {self.claim.task_id} was taken away")

    def outlast(self, work: Callable[[], T]) -> T:
        """``work`` as soon as the database is there, unless the worker has to stop first."""
        return outlasting(work, give_up=self.steward.stopping.is_set)


def run(claim: Claim, steward: Steward) -> None:
    """Work on a claimed task until it has ended or waits again; raises nothing but a signal."""
    with logs.bound(
        task=claim.task_id,
        chapter=claim.chapter_id,
        novel=claim.project_id,
        writer=claim.user_id,
        attempt=claim.attempt,
        request=claim.request_id,
    ):
        logs.event(log, logging.INFO, "analysis claimed", worker=claim.worker)
        _run(Run(claim, steward))


def _run(state: Run) -> None:
    claim = state.claim
    try:
        _begin(state)
        analyzer = analyzer_named(settings.ARBORIS_ANALYZER)
        compares, ends = analyzer.compares, state.ends
        chapter = state.outlast(lambda: load(claim, ends=ends, compares=compares))
        state.features = pipeline.features_of(claim.config, chapter)
        state.told = Told(settings.ARBORIS_ANALYZER, chapter.told)
        outcome = _read(state, analyzer, chapter)
        # Done by a commit whose answer was lost, the fence keeps it from being done again.
        state.outlast(lambda: in_transaction(lambda: _apply(state, outcome)))
        _log_end(state, "analysis completed", missing=",".join(outcome.missing))
    except LeaseLost:
        _log_end(state, "analysis lost")
    except Stopping:
        state.outlast(lambda: queue.give_back(claim, state.done))
        _log_end(state, "analysis given back")
    except ServiceError as error:
        _fail(state, error)
    except Exception as error:
        if is_away(error):  # it was stopped while it waited for the database: the lease will end
            log.warning("analysis left to be rescued: %s", error)
        else:
            log.exception("analysis failed by a fault of the program")
            _fail(state, _unforeseen(error))


def _log_end(state: Run, message: str, level: int = logging.INFO, **fields: Any) -> None:
    """One line for the end of an attempt; ``feature`` is the one that it was at last.

    Without an error's message: that may quote the text. It is kept with the task.
    """
    logs.event(
        log,
        level,
        message,
        feature=state.feature,
        seconds=round(time.monotonic() - state.began, 3),
        **fields,
    )


def _read(state: Run, analyzer: Analyzer, chapter: ChapterInput) -> pipeline.Outcome:
    """What the analyzer finds. Where one question has no answer for good, that of the others."""
    claim = state.claim
    try:
        return pipeline.run(analyzer, chapter, claim.config, state.done, state.check)
    except ServiceError as error:
        outcome = pipeline.so_far(chapter, claim.config, state.done)
        nothing = len(outcome.missing) == len(outcome.features)
        if nothing or not error.one_answer or not queue.gives_up(claim, error):
            raise
        logs.event(
            log,
            logging.WARNING,
            "analysis goes on without some features",
            error=error.code,
            missing=",".join(outcome.missing),
        )
        return outcome


def _unforeseen(error: Exception) -> AnalyzerFailed:
    failed = AnalyzerFailed(f"{type(error).__name__}: {error}")
    failed.cause = f"{type(error).__name__} in {tracebacks.place(error)}"
    failed.__cause__ = error
    return failed


def _fail(state: Run, error: ServiceError) -> None:
    tokens = pipeline.tokens(state.done)
    failure = queue.Failure(state.feature, tracebacks.text_of(error))
    try:
        status = state.outlast(
            lambda: queue.fail(
                state.claim, error, checkpoint=state.done, token_usage=tokens, failure=failure
            )
        )
    except LeaseLost:
        _log_end(state, "analysis lost")
    else:
        group = error_group(error, state.claim.endpoint.name)
        _log_end(
            state, "analysis failed", logging.WARNING, error=error.code, group=group, now=status
        )


def _begin(state: Run) -> None:
    claim = state.claim
    if settings.ARBORIS_NOTIFY_STARTED and claim.attempt == 1 and not claim.quiet:
        state.outlast(
            lambda: in_transaction(lambda: queue.notify_writer(claim.task_id, "started", {}))
        )


def load(claim: Claim, *, ends: float, compares: bool = False) -> ChapterInput:
    """The chapter and what is known before it; ``ends``: until when it is read (monotonic).

    ``compares``: whether the analyzer does, which is then told of the facts as well.
    """
    version = ChapterVersion.objects.select_related("chapter__project").get(pk=claim.version_id)
    chapter = version.chapter
    options = pipeline.GenerationConfig.parse(claim.config)
    compares = compares and any(FEATURES[key].compares for key in options.enabled)
    known = before(chapter, version.content if compares else "")
    asked = pipeline.enabled_features(claim.config, compares=bool(known.facts))
    features = pipeline.missing(asked, claim.checkpoint)
    # The text itself says it best: a novel may quote whole letters in another language.
    language = guess_language(version.content)
    return ChapterInput(
        text=version.content,
        language=language,
        chapter_number=chapter.chapter_number,
        title=chapter.title,
        known_characters=tuple(
            KnownCharacter(person.id, person.name, person.aliases, person.role, person.dead)
            for person in known.people
        ),
        known_entities=tuple(
            KnownEntity(thing.kind, thing.name, thing.aliases) for thing in known.entities
        ),
        open_threads=tuple(
            OpenThread(seed.chapter_number, seed.description, seed.quote, seed.keywords)
            for seed in known.threads
        ),
        known_facts=tuple(
            KnownFact(fact.person, fact.aspect, fact.said, fact.chapter_number, fact.quote)
            for fact in known.facts
        ),
        features=features,
        temperature=options.temperature,
        **_asked(features, options.model_name or chapter.project.analysis_model, language),
        payer=Payer("analysis", claim.project_id, claim.user_id, claim.task_id, claim.attempt),
        ends=ends,
        told=fingerprint(known, version.content),
    )


def _asked(features: tuple[FeatureKey, ...], chosen: str, language: Language) -> dict[str, Any]:
    """Whom a language model's analyzer asks about each feature, and in which words."""
    if settings.ARBORIS_ANALYZER != "llm":
        return {}
    routes = route_table.for_purposes(features)
    return {
        "routes": {name: route.choosing(chosen) for name, route in routes.items()},
        "prompts": prompt_versions.changed(language),
    }


def _apply(state: Run, outcome: pipeline.Outcome) -> None:
    """Findings, bible, status and notification: one transaction, fenced by the claim."""
    claim = state.claim
    apply_findings(claim, outcome, state.told)
    problems = bible_service.contradictions(claim.project_id, claim.chapter_id)
    queue.finish(
        claim,
        outcome.summary() | {"problems": problems},
        outcome.tokens,
        # A retry asks for what is missing alone.
        checkpoint=state.done if outcome.missing else None,
    )


def apply_findings(claim: Claim, outcome: pipeline.Outcome, told: Told | None = None) -> None:
    """Findings and bible, in the caller's transaction."""
    assert transaction.get_connection().in_atomic_block
    # The novel's row is the lock under which its bible is folded; saving a chapter takes it too.
    # Also of one that was deleted meanwhile: the fence says so.
    project = locked(NovelProject.everything.filter(pk=claim.project_id)).get()
    bible_service.record(
        project,
        chapter_id=claim.chapter_id,
        version_id=claim.version_id,
        task_id=claim.task_id,
        findings=outcome.findings,
        told=told,
    )
