"""The gate that every request to a model passes, and the port behind which its database lies.

The client knows the port alone; ``arboris.llm.apps`` puts the desk (``arboris.llm.desk``) behind it
in every process in which Django is set up.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass

from arboris.llm.account import Account
from arboris.llm.usage import Usage

OK, CANCELLED = "ok", "cancelled"  # outcomes beside the errors' codes


@dataclass(frozen=True, slots=True)
class Ended:
    """How a request went: what it used, OK, CANCELLED or an error's code, and seconds."""

    model: str
    usage: Usage
    outcome: str
    seconds: float


class Entry:
    """The right to one request; ``lost`` once its place may be another's."""

    def __init__(self) -> None:
        self.lost = False
        # What the request waits for at the moment: it ends there when the place is lost.
        self.waits: asyncio.Timeout | None = None

    def lose(self) -> None:
        self.lost = True
        if self.waits is not None:
            self.waits.reschedule(asyncio.get_running_loop().time())


class Gate(ABC):
    @abstractmethod
    async def enter(self, account: Account, ends: float) -> Entry:
        """Wait for the right to one request, until the loop's clock says ``ends`` at most.

        Raises OverBudget, or Busy where there was no place in time.
        """

    @abstractmethod
    async def leave(self, entry: Entry, account: Account, ended: Ended) -> None:
        """Give the place back and enter the request in the ledger. Raises nothing."""


class OpenGate(Gate):
    """Lets everything through and remembers nothing: for code that runs without a database."""

    async def enter(self, account: Account, ends: float) -> Entry:
        return Entry()

    async def leave(self, entry: Entry, account: Account, ended: Ended) -> None:
        return None


_gate: Gate = OpenGate()


def use(gate: Gate) -> Gate:
    """From now on every request of this process passes ``gate``; returns the one before."""
    global _gate
    before, _gate = _gate, gate
    return before


def current() -> Gate:
    return _gate
