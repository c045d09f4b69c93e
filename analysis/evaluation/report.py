"""The figures of a directory of labelled chapters, as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.analyzers.base import Analyzer, ChapterInput
from analysis.evaluation.counts import Calibration, Count, interval
from analysis.evaluation.documents import Document, answers, documents, stories
from analysis.evaluation.names import LISTS, match
from analysis.evaluation.story import StoryFigures, compare, read_story
from arboris.bible.types.findings import NewCharacter, WorldFact

Found = list[NewCharacter | WorldFact]


@dataclass(slots=True)
class Figures:
    """Of one language."""

    names: dict[str, Count] = field(default_factory=dict)
    top: Count = field(default_factory=Count)  # the three people named most in a chapter
    calibration: Calibration = field(default_factory=Calibration)
    story: StoryFigures = field(default_factory=StoryFigures)


def found_in(analyzer: Analyzer, document: Document) -> Found:
    """People, places and groups of a chapter of which nothing else is known."""
    session = analyzer.open(
        ChapterInput(text=document.text, language=document.language, chapter_number=1)
    )
    findings = [
        *session.run("new_character_detection", _go_on).findings,
        *session.run("world_expansion", _go_on).findings,
    ]
    return [
        f
        for f in findings
        if isinstance(f, NewCharacter) or (isinstance(f, WorldFact) and f.type in LISTS)
    ]


def measure(analyzer: Analyzer, directory: Path) -> dict[str, Figures]:
    """Figures by language, of the documents that have answers."""
    texts = {doc.doc_id: doc for doc in documents(directory / "docs.jsonl")}
    gold = answers(directory / "gold.jsonl")
    figures: dict[str, Figures] = defaultdict(Figures)
    for doc_id, document in texts.items():
        if doc_id in gold:
            _add_names(figures[document.language], document, found_in(analyzer, document), gold)
    for story in stories(directory / "stories.jsonl"):
        chapters = [texts[doc_id] for doc_id in story["chapters"]]
        told = figures[chapters[0].language].story
        told.characters += sum(len(chapter.text) for chapter in chapters)
        read = read_story(analyzer, chapters[0].language, [c.text for c in chapters])
        compare(told, story, read)
    return dict(figures)


def _add_names(
    figures: Figures, document: Document, found: Found, gold: dict[str, dict[str, Any]]
) -> None:
    rows = gold[document.doc_id]
    for kind, key in LISTS.items():
        of_kind = [f for f in found if f.type == kind]
        matched = match(of_kind, rows, key, document.language)
        figures.names.setdefault(key, Count()).add(
            len(matched.found), matched.wrong, len(rows[key])
        )
        said = zip(of_kind, matched.right, strict=True)
        figures.calibration.said += [(f.confidence, r) for f, r in said if r is not None]
        if key == "characters":
            most = sorted(range(len(rows[key])), key=lambda at: -rows[key][at].get("mentions", 1))
            figures.top.add(len(matched.found & set(most[:3])), 0, len(most[:3]))


def lines(figures: dict[str, Figures]) -> Iterator[str]:
    yield (
        f"{'language/finding':26} {'P':>6} {'95 %':>12} {'R':>6} {'95 %':>12} {'F1':>6}"
        f" {'right':>6} {'wrong':>6} {'gold':>6}"
    )
    for language, of in sorted(figures.items()):
        for kind, count in {**of.names, **of.story.counts}.items():
            yield _row(f"{language}/{kind}", count)
        share = of.top.recall
        low, high = interval(of.top.right, of.top.answers)
        yield f"{language}: of the three people named most {share:.3f} found ({low:.2f}–{high:.2f})"
        yield f"{language}: calibration error of names {of.calibration.error:.3f}; said, right, of:"
        for said, right, size in of.calibration.bins():
            yield f"    {said:.2f}  {right:.2f}  {size}"
        if of.story.people:
            yield from _story_lines(language, of.story)


def _row(name: str, count: Count) -> str:
    told = count.right + count.wrong
    p, r = interval(count.right, told), interval(count.right, count.answers)
    return (
        f"{name:26} {count.precision:6.3f} {p[0]:6.2f}–{p[1]:.2f}  {count.recall:6.3f}"
        f" {r[0]:6.2f}–{r[1]:.2f}  {count.f1:6.3f} {count.right:6} {count.wrong:6}"
        f" {count.answers:6}"
    )


def _story_lines(language: str, story: StoryFigures) -> Iterator[str]:
    hundred = 100 / story.people
    alarms = story.count("contradictions").wrong * 100_000 / max(1, story.characters)
    yield (
        f"{language}: wrong merges per 100 people {story.merged * hundred:.1f}, people split in"
        f" several {story.split * hundred:.1f}, of {story.people}"
    )
    yield (
        f"{language}: false alarms of contradictions per 100,000 characters {alarms:.1f},"
        f" of {story.characters:,} read"
    )


def _go_on(fraction: float) -> None:
    """Nothing stops an evaluation."""
