"""A finding with its place in the novel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, total_ordering

from arboris.bible.types.entries import Fact, Tier, ref_of
from arboris.bible.types.findings import Finding


@total_ordering
class Tie:
    """What decides the order of two findings at one place: all that they say.

    It is written out only where two are compared, which is seldom.
    """

    def __init__(self, finding: Finding) -> None:
        self._finding = finding

    @cached_property
    def said(self) -> str:
        return self._finding.model_dump_json()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tie) and self.said == other.said

    def __lt__(self, other: Tie) -> bool:
        return self.said < other.said

    def __hash__(self) -> int:
        return hash(self.said)


@dataclass(frozen=True)
class PlacedFinding:
    """A verified finding and the chapter that it is about."""

    chapter_number: int
    chapter_id: int
    finding: Finding
    tier: Tier = "applied"

    @cached_property
    def order(self) -> tuple[int, int, int, str, Tie]:
        evidence = self.finding.evidence
        return (
            self.chapter_number,
            evidence.start,
            evidence.end,
            self.finding.type,
            Tie(self.finding),
        )

    @cached_property
    def ref(self) -> str:
        return ref_of(self.chapter_id, self.finding)


def fact_of(placed: PlacedFinding) -> Fact:
    finding = placed.finding
    return Fact(
        placed.chapter_id,
        finding.evidence.quote,
        finding.confidence,
        finding.basic,
        placed.tier,
        placed.ref,
    )
