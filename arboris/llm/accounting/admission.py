"""Accounting as callers of a model and the client see it, without the database behind it.

A caller names who pays for a call, in one argument:

    payer = Payer("generation", project_id=project.pk, user_id=project.owner_id)
    async for piece in client.stream(messages, payer=payer): ...

    await structured.ask(connection, Call(messages, payer=payer), Form, usage)

In every process in which Django is set up, each request of the call

- checks the month's budgets before it begins, and raises ``errors.OverBudget`` where one is used
  up (a view that has to refuse earlier calls ``accounting.budget.check`` itself);
- waits for a call slot of the endpoint (``ARBORIS_LLM_MAX_CALLS``);
- leaves one row in the call log (``ModelCall``) when it ends, whether it succeeded, failed or was
  cancelled.

The client knows this module alone, and analyzers may use it: ``arboris.llm.apps`` installs the
implementation (``database_admission``).
"""

from __future__ import annotations

import asyncio
import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass

# Outcomes of a request; a failed one has its error's code, FAILED where it has none.
OK, CANCELLED, FAILED = "ok", "cancelled", "llm_error"


@dataclass(frozen=True, slots=True)
class Payer:
    """``purpose`` is the feature, "generation", "summary" or another short word of the caller's."""

    purpose: str = "other"
    project_id: uuid.UUID | None = None
    user_id: int | None = None
    task_id: int | None = None
    attempt: int | None = None


@dataclass(slots=True)
class Usage:
    """Tokens used so far. It grows while a call runs, so it is right however the call ends.

    ``estimated`` of them were not reported: the answer broke off, or the endpoint never reports.
    ``thinking`` is the part of ``completion`` that the model thought before it answered.
    """

    prompt: int = 0
    completion: int = 0
    estimated: int = 0
    thinking: int = 0

    def add(self, other: Usage) -> None:
        self.prompt += other.prompt
        self.completion += other.completion
        self.estimated += other.estimated
        self.thinking += other.thinking

    def estimate(self, asked: str, answered: str, thought: str = "") -> None:
        prompt, thinking = rough_tokens(asked), rough_tokens(thought)
        completion = rough_tokens(answered) + thinking
        self.add(Usage(prompt, completion, prompt + completion, thinking))

    def as_dict(self) -> dict[str, int]:
        """Return ``prompt`` and ``completion``, and the others where they are not 0."""
        plain = {"prompt": self.prompt, "completion": self.completion}
        others = {"estimated": self.estimated, "thinking": self.thinking}
        return plain | {kind: count for kind, count in others.items() if count}


def rough_tokens(text: str) -> int:
    """Estimate the tokens: one for four Latin letters, one for each other character."""
    latin = sum(character.isascii() for character in text)
    return (latin + 3) // 4 + len(text) - latin


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """What is known about a request at its end. ``outcome``: OK, CANCELLED or an error's code.

    ``endpoint``: its label; empty for the default one. ``instead_of``: what could not be asked.
    ``prompt``: the version of the words.
    """

    model: str
    usage: Usage
    outcome: str
    seconds: float
    endpoint: str = ""
    instead_of: str = ""
    prompt: str = ""


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
    async def admit(self, payer: Payer, ends: float, endpoint: str) -> Permit:
        """Wait for permission to send one request, until the loop's clock reaches ``ends``.

        ``endpoint`` is the label of whom it goes to.

        Raises OverBudget, or Busy where no call slot was free in time.
        """

    @abstractmethod
    async def finish(self, permit: Permit, payer: Payer, record: RequestRecord) -> None:
        """Free the call slot and log the request. Raises nothing."""


class NoAdmission(Admission):
    """Admits every request and logs none: for code that runs without a database."""

    async def admit(self, payer: Payer, ends: float, endpoint: str) -> Permit:
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
