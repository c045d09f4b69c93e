"""How often somebody may do something: so often a second, and more at once after a rest."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

REMEMBERED = 10_000
# So long somebody may be slowed down without a pause before they are refused.
PATIENCE_SECONDS = 5.0


class Budget:
    """What one caller has left; more may be spent than there is, and is then waited for."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        """``rate``: what is earned in a second; ``burst``: the most that is kept."""
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left, self._at = burst, clock()
        self._slowed_since: float | None = None

    def spend(self, number: float = 1) -> float:
        """Seconds until what was spent is earned; 0: it was there."""
        self._earn()
        self._left -= number
        if self._left < 0 and self._slowed_since is None:
            self._slowed_since = self._at
        return self.wait()

    def wait(self) -> float:
        self._earn()
        return max(0.0, -self._left / self._rate)

    @property
    def exhausted(self) -> bool:
        """Whether the caller goes on and on, though slowed down."""
        since = self._slowed_since
        return since is not None and self._clock() - since > PATIENCE_SECONDS

    def _earn(self) -> None:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left >= self._burst / 2:
            self._slowed_since = None


class Budgets:
    """One for each caller; those that were used last are remembered."""

    def __init__(
        self,
        rate: Callable[[], float],
        burst_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``rate``: asked for each new caller; ``burst_seconds``: so much of it may come at
        once."""
        self._rate, self._burst_seconds, self._clock = rate, burst_seconds, clock
        self._budgets: OrderedDict[str, Budget] = OrderedDict()

    def of(self, caller: str) -> Budget:
        if caller not in self._budgets:
            rate = self._rate()
            self._budgets[caller] = Budget(rate, rate * self._burst_seconds, self._clock)
            if len(self._budgets) > REMEMBERED:
                self._budgets.popitem(last=False)
        self._budgets.move_to_end(caller)
        return self._budgets[caller]
