"""What was right, wrong and missed, and how far such a share may be from the true one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

_Z = 1.96  # of a 95 % interval


@dataclass(slots=True)
class Count:
    """Of one kind of findings: how many answers, how many of them found, how many false."""

    right: int = 0
    wrong: int = 0
    answers: int = 0

    def add(self, right: int, wrong: int, answers: int) -> None:
        self.right += right
        self.wrong += wrong
        self.answers += answers

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.answers if self.answers else 0.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def interval(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval (Wilson's) of the share ``right / of``; (0, 1) of nothing."""
    if not of:
        return 0.0, 1.0
    share, z2 = right / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    reach = _Z / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, middle - reach), min(1.0, middle + reach)


@dataclass(slots=True)
class Calibration:
    """Whether what is said with a confidence is right as often."""

    said: list[tuple[float, bool]] = field(default_factory=list)

    EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)

    def bins(self) -> Iterable[tuple[float, float, int]]:
        """(mean confidence, share that is right, how many), for each bin that is not empty."""
        for low, high in zip(self.EDGES, self.EDGES[1:], strict=False):
            inside = [(c, right) for c, right in self.said if low <= c < high]
            if inside:
                size = len(inside)
                yield sum(c for c, _ in inside) / size, sum(r for _, r in inside) / size, size

    @property
    def error(self) -> float:
        """The mean distance of confidence and share, weighted by the size of the bins."""
        total = max(1, len(self.said))
        return sum(abs(mean - share) * size for mean, share, size in self.bins()) / total
