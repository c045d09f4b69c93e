"""The port between the pipeline and whatever reads a chapter: no ORM on either side."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from django.conf import settings
from django.utils.module_loading import import_string

from analysis.errors import AnalyzerUnavailable
from analysis.features import FeatureKey
from arboris.bible.types.findings import Finding, WorldKind
from arboris.llm.accounting.admission import Payer
from arboris.llm.prompt_texts import Words
from arboris.llm.routes import Route

Language = Literal["zh", "en"]

# Called with the fraction of the running feature that is done (0.0 to 1.0), often: every
# few hundred milliseconds of work. A session that works on several features at once adds up
# what is done of all that it has not delivered yet. It raises when the run has to stop
# (deadline, cancel, lease lost); an analyzer lets that exception through.
Check = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class KnownCharacter:
    id: int
    name: str
    aliases: tuple[str, ...] = ()
    role: str = "minor"
    dead: bool = False


@dataclass(frozen=True, slots=True)
class KnownEntity:
    """A location, faction, item or rule that the bible already holds."""

    kind: WorldKind
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenThread:
    """A foreshadowing seed of an earlier chapter that is not paid off."""

    chapter_number: int
    description: str
    quote: str
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownFact:
    """What an earlier chapter says of somebody (``arboris.bible.known_facts``), with its quote."""

    person: str
    aspect: str
    said: str
    chapter_number: int
    quote: str


@dataclass(frozen=True, slots=True)
class ChapterInput:
    """One chapter version, whole, and what the bible knew when the analysis began."""

    text: str
    language: Language
    chapter_number: int
    title: str = ""
    known_characters: tuple[KnownCharacter, ...] = ()
    known_entities: tuple[KnownEntity, ...] = ()
    open_threads: tuple[OpenThread, ...] = ()
    # Of the people whom the text names; only for an analyzer that compares.
    known_facts: tuple[KnownFact, ...] = ()
    # What this analysis will ask for, so that a session may work on all of it at once.
    features: tuple[FeatureKey, ...] = ()
    # What the writer asks of a language model; None leaves it to the route.
    temperature: float | None = None
    # By feature: which model is asked, and by "analysis" and feature: the words that staff have
    # changed. What has no entry is as the settings and the shipped texts have it.
    routes: Mapping[str, Route] = field(default_factory=dict)
    prompts: Mapping[str, Words] = field(default_factory=dict)
    # Who pays for the calls to one, and when the analysis has to be over by time.monotonic().
    payer: Payer = field(default_factory=Payer)
    ends: float | None = None
    told: str = ""  # the fingerprint of what is known: see ``arboris.bible.readings``


@dataclass(slots=True)
class FeatureResult:
    """Findings of one feature, with ``text[start:end] == quote`` wherever the analyzer can tell."""

    findings: list[Finding]
    tokens: dict[str, int] = field(default_factory=dict)  # prompt, completion; empty offline
    notes: list[str] = field(default_factory=list)  # plain sentences, e.g. a degraded mode
    # What a model listed, and how much of that could not be used; 0 offline.
    came: int = 0
    dropped: int = 0
    prompt: str = ""  # the version of the words that a model was asked with; empty offline


class Session(ABC):
    """One reading of one chapter; shared work (segmentation, names) is done once and kept."""

    @abstractmethod
    def run(self, feature: FeatureKey, check: Check) -> FeatureResult:
        """Deliver one feature or raise; an empty list means that the chapter holds nothing."""

    def close(self) -> dict[str, int]:
        """Give up whatever is still under way; always called, once, after the last ``run``.

        Returns the tokens spent (by kind, as in FeatureResult) that no delivered result counts.
        """
        return {}


class Analyzer(ABC):
    """Loaded once per worker process; must be cheap to construct (load models on first use).

    ``compares``: whether it tells what contradicts ``known_facts``. What can be compared without
    understanding the text, the fold compares (``arboris.bible.fold.continuity``).
    """

    name: str
    compares = False
    # Chapters are read again unasked where that may change what is found.
    costs_nothing = False

    @abstractmethod
    def open(self, chapter: ChapterInput) -> Session: ...


@cache
def analyzer_named(name: str) -> Analyzer:
    """Return the analyzer ``name`` of ARBORIS_ANALYZERS, built on first use, one per process.

    Raises AnalyzerUnavailable.
    """
    try:
        kind = import_string(settings.ARBORIS_ANALYZERS[name])
    except (KeyError, ImportError) as error:
        raise AnalyzerUnavailable(f"analyzer {name!r}: {error}") from error
    analyzer: Analyzer = kind()
    return analyzer
