"""Running the enabled features through an analyzer, and keeping only what can be relied on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from analysis.analyzers.base import Analyzer, ChapterInput
from analysis.errors import InvalidResult, ProcessingTimeout
from analysis.features import FeatureKey
from analysis.pipeline.config import GenerationConfig, enabled_features
from arboris.bible.types.entries import Tier
from arboris.bible.types.findings import Evidence, Finding, parse
from arboris.errors import ServiceError
from arboris.llm.normalise import sentence
from arboris.storable import storable

SURE = 0.8  # from here on a finding is applied without a mark
# The entries in ``done`` that are no features: tokens of tries that came to nothing, and features
# about which the same question would get the same answer.
SPENT, GIVEN_UP = "spent", "given_up"


@dataclass(frozen=True, slots=True)
class Stated:
    """A finding with the feature that made it, and whether its quote stands in the text.

    ``tier``: applied, marked (applied, but shown as less sure), or waiting for the writer's word.
    ``prompt``: the version of the words that a model was asked with; empty offline.
    """

    feature: FeatureKey
    finding: Finding
    verified: bool
    tier: Tier = "applied"
    prompt: str = ""


@dataclass(slots=True)
class Outcome:
    features: tuple[FeatureKey, ...]
    findings: list[Stated] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    # What a model listed that could not be used; of ``unusable`` features that was all.
    left_out: int = 0
    unusable: list[FeatureKey] = field(default_factory=list)
    missing: list[FeatureKey] = field(default_factory=list)  # not delivered at all
    prompts: dict[FeatureKey, str] = field(default_factory=dict)  # versions of a model's

    def summary(self) -> dict[str, Any]:
        """What is kept as the task's result: counts, not the findings themselves."""
        certain = [stated for stated in self.findings if stated.tier != "waiting"]
        kinds = Counter(stated.finding.type for stated in certain)
        gaps = {"left_out": self.left_out, "unusable": self.unusable, "missing": self.missing}
        more = gaps | {"prompts": self.prompts}
        return {
            "features": list(self.features),
            "findings": len(certain),
            "by_type": dict(sorted(kinds.items())),
            "unverified": sum(not stated.verified for stated in certain),
            "below_threshold": len(self.findings) - len(certain),
            "notes": self.notes,
            **{name: value for name, value in more.items() if value},
        }


def run(
    analyzer: Analyzer,
    chapter: ChapterInput,
    config: dict[str, Any],
    done: dict[str, Any],
    check: Callable[[str, float], None],
) -> Outcome:
    """Deliver every enabled feature or raise.

    ``done`` holds finished features of an earlier attempt and receives each one that finishes
    here, as plain JSON, so that a retry starts at the first that is missing. Those that were given
    up before are missing in the outcome.
    """
    if wanted := missing(features_of(config, chapter), done):
        _deliver(analyzer, chapter, list(wanted), done, check)
    return so_far(chapter, config, done)


def features_of(config: dict[str, Any], chapter: ChapterInput) -> tuple[FeatureKey, ...]:
    """The features that the analysis of this chapter delivers."""
    return enabled_features(config, compares=bool(chapter.known_facts))


def missing(features: tuple[FeatureKey, ...], done: dict[str, Any]) -> tuple[FeatureKey, ...]:
    """Which of them are to be asked for: not done, and not given up unless all of these are."""
    given_up = done.get(GIVEN_UP, {"features": []})["features"]
    left = tuple(feature for feature in features if feature not in done)
    return tuple(feature for feature in left if feature not in given_up) or left


def so_far(chapter: ChapterInput, config: dict[str, Any], done: dict[str, Any]) -> Outcome:
    """What the features in ``done`` have found; the others are missing in the outcome."""
    features = features_of(config, chapter)
    threshold = GenerationConfig.parse(config).dynamic_threshold.confidence_threshold
    outcome = Outcome(features=features, tokens=tokens(done))
    outcome.missing = [feature for feature in features if feature not in done]
    for feature in (feature for feature in features if feature in done):
        result = done[feature]
        outcome.notes += result["notes"]
        dropped, prompt = result.get("dropped", 0), result.get("prompt", "")
        if prompt:
            outcome.prompts[feature] = prompt
        outcome.left_out += dropped
        if dropped and dropped == result.get("came"):
            outcome.unusable.append(feature)
        for finding in _parse(feature, result["findings"]):
            stated = _place(feature, finding, chapter.text)
            tier = _tier(finding.confidence, threshold)
            outcome.findings.append(replace(stated, tier=tier, prompt=prompt))
    outcome.notes = list(dict.fromkeys(outcome.notes))
    return outcome


def _deliver(
    analyzer: Analyzer,
    chapter: ChapterInput,
    features: list[FeatureKey],
    done: dict[str, Any],
    check: Callable[[str, float], None],
) -> None:
    """Put each feature into ``done``; one that fails keeps no other from being delivered."""
    failures: list[ServiceError] = []
    session = analyzer.open(chapter)
    try:
        for feature in features:
            check(feature, 0.0)
            try:
                result = session.run(feature, lambda part, name=feature: check(name, part))  # type: ignore[misc]
            except ProcessingTimeout:
                raise  # by check: it is about the whole run
            except ServiceError as error:
                failures.append(error)
                if error.one_answer and not error.retryable:
                    done.setdefault(GIVEN_UP, {"tokens": {}, "features": []})
                    done[GIVEN_UP]["features"] = [*done[GIVEN_UP]["features"], feature]
            else:
                done[feature] = {
                    "findings": _storable(
                        [finding.model_dump(mode="json") for finding in result.findings]
                    ),
                    "tokens": result.tokens,
                    "notes": _storable(result.notes),
                    "came": result.came,
                    "dropped": result.dropped,
                    "prompt": result.prompt,
                }
    finally:
        _count_spent(done, session.close())
    if failures:
        raise max(failures, key=_weight)


def _weight(error: ServiceError) -> tuple[bool, bool, bool, bool, float]:
    """What decides about the task: what waiting cannot mend, what parks, what is about more than
    one answer, what may still be mended; of these the longest wait."""
    final = not error.retryable and not error.one_answer
    wait = error.retry_after or 0.0
    return final, error.parks, not error.one_answer, error.retryable, wait


def _storable(value: Any) -> Any:
    """The same JSON, its texts as every database takes them: models write NUL characters."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    return value


def _count_spent(done: dict[str, Any], spent: dict[str, int]) -> None:
    """Tokens without a result stay with the task, through its retries, like those with one."""
    if any(spent.values()):
        before = done.get(SPENT, {"tokens": {}})["tokens"]
        done[SPENT] = {"tokens": dict(Counter(before) + Counter(spent))}


def _parse(feature: FeatureKey, plain: list[Any]) -> list[Finding]:
    try:
        return [parse(one) for one in plain]
    except ValueError as error:
        # Pydantic's own words hold the values: those are the writer's text.
        words = sentence(error) if isinstance(error, ValidationError) else str(error)
        raise InvalidResult(f"{feature}: {words}") from error


def _tier(confidence: float, threshold: float) -> Tier:
    if confidence < threshold:
        return "waiting"
    return "applied" if confidence >= SURE else "marked"


def _place(feature: FeatureKey, finding: Finding, text: str) -> Stated:
    """Check the quote against the text; where only the offsets are wrong, put them right."""
    evidence = finding.evidence
    if text[evidence.start : evidence.end] == evidence.quote:
        return Stated(feature, finding, verified=True)
    start = text.find(evidence.quote)
    if start < 0:
        return Stated(feature, finding, verified=False)
    placed = Evidence(quote=evidence.quote, start=start, end=start + len(evidence.quote))
    return Stated(feature, finding.model_copy(update={"evidence": placed}), verified=True)


def tokens(done: dict[str, Any]) -> dict[str, int]:
    """Tokens used so far, by kind: by all features, and by tries that failed."""
    total: Counter[str] = Counter()
    for entry in done.values():
        total.update(entry["tokens"])
    return dict(total)


def percent(features: tuple[FeatureKey, ...], done: dict[str, Any], fraction: float) -> int:
    """How much of the whole analysis is done when the running feature is at ``fraction``."""
    finished = sum(feature in done for feature in features)
    return min(99, int(100 * (finished + fraction) / max(1, len(features))))
