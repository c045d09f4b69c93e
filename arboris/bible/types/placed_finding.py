"""A finding with its place in the novel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from arboris.bible.types.entries import Fact, Tier, ref_of
from arboris.bible.types.findings import Finding


@dataclass(frozen=True)
class PlacedFinding:
    """A verified finding and the chapter that it is about."""

    chapter_number: int
    chapter_id: int
    finding: Finding
    tier: Tier = "applied"

    @cached_property
    def order(self) -> tuple[int, int, int, str, str]:
        evidence = self.finding.evidence
        return (
            self.chapter_number,
            evidence.start,
            evidence.end,
            self.finding.type,
            self.finding.model_dump_json(),
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
