"""Admission of requests to a model: the interface, without the database behind it.

The client knows this module alone. ``arboris.llm.apps`` installs the implementation
(``database_admission``) in every process in which Django is set up.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass

from arboris.llm.accounting.payer import Payer
from arboris.llm.accounting.usage import Usage

# Outcomes of a request; a failed one has its error's code, FAILED where it has none.
OK, CANCELLED, FAILED = "ok", "cancelled", "llm_error"


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """What is known about a request at its end. ``outcome``: OK, CANCELLED or an error's code."""

    model: str
    usage: Usage
    outcome: str
    seconds: float


class Permit:
    """Permission for one request; ``lost`` once another request may use its call slot."""

    def __init__(self) -> None:
        self.lost = False
        # The time-out under which the request waits now: it fires when the slot is lost.
        self.waits: asyncio.Timeout | None = None

    def lose(self) -> None:
        self.lost = True
        if self.waits is not None:
            self.waits.reschedule(asyncio.get_running_loop().time())


class Admission(ABC):
    @abstractmethod
    async def admit(self, payer: Payer, ends: float) -> Permit:
        """Wait for permission to send one request, until the loop's clock reaches ``ends``.

        Raises OverBudget, or Busy where no call slot was free in time.
        """

    @abstractmethod
    async def finish(self, permit: Permit, payer: Payer, record: RequestRecord) -> None:
        """Free the call slot and log the request. Raises nothing."""


class NoAdmission(Admission):
    """Admits every request and logs none: for code that runs without a database."""

    async def admit(self, payer: Payer, ends: float) -> Permit:
        return Permit()

    async def finish(self, permit: Permit, payer: Payer, record: RequestRecord) -> None:
        return None


_admission: Admission = NoAdmission()


def use(admission: Admission) -> Admission:
    """Have ``admission`` admit this process's requests from now on; return the previous one."""
    global _admission
    previous, _admission = _admission, admission
    return previous


def current() -> Admission:
    return _admission
