"""The learned verdict: what each candidate of a Chinese chapter is, by weights in a data file.

The weights come from ``python -m analysis.training.zh_names`` (see docs/offline-analysis.md).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .features import Features

WEIGHTS = Path(__file__).resolve().parent.parent / "words" / "zh_names.json"
KINDS = ("nobody", "person", "location", "faction")


@dataclass(frozen=True, slots=True)
class Verdict:
    kind: str  # one of KINDS, never "nobody"
    certainty: float  # 0..1, that it is of this kind


class Model:
    """A multinomial logistic regression: ``weights`` maps a feature to one weight a kind.

    ``odds`` says how much more probable than "nobody" a person has to be, and a place and a
    group together ("world").
    """

    def __init__(self, weights: dict[str, list[float]], odds: dict[str, float]) -> None:
        self._weights = weights
        self._odds = odds

    def chances(self, features: Features) -> list[float]:
        """For each of KINDS, how probable it is; they add up to 1."""
        scores = [0.0] * len(KINDS)
        for name, value in features.items():
            if value and (weights := self._weights.get(name)):
                for at, weight in enumerate(weights):
                    scores[at] += weight * value
        top = max(scores)
        raised = [math.exp(score - top) for score in scores]
        total = sum(raised)
        return [one / total for one in raised]

    def verdict(self, features: Features) -> Verdict | None:
        """What it is, or None where it is nobody's name."""
        nobody, person, *world = self.chances(features)
        if person > sum(world):
            return Verdict("person", person) if person > nobody * self._odds["person"] else None
        if sum(world) <= nobody * self._odds["world"]:
            return None
        return Verdict(KINDS[2 + world.index(max(world))], sum(world))


@cache
def model() -> Model:
    told = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return Model(told["weights"], told["odds"])
