"""What people change in the queue by hand: who, what, and why. The rows outlive what they tell
of."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from django.db.models import F

from analysis.models import OperatorAction
from arboris.db import db_now, in_transaction

T = TypeVar("T")
# Of a change of thousands the row names the first; the selectors say which the others were.
NAMED = 100
RUNNING, DONE, INTERRUPTED = "running", "done", "interrupted"


def at_the_terminal() -> str:
    """The person at the terminal: account and host."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        name = "unknown"
    return f"{name}@{socket.gethostname()}"


def record(
    actor: str,
    action: str,
    *,
    reason: str = "",
    count: int = 0,
    details: Mapping[str, Any] | None = None,
) -> OperatorAction:
    """A row in the caller's transaction, so that it stands exactly if the change does."""
    return OperatorAction.objects.create(
        at=db_now(),
        actor=actor[:200],
        action=action[:50],
        reason=reason[:500],
        count=count,
        details=dict(details or {}),
    )


def recorded(
    actor: str,
    action: str,
    work: Callable[[], bool | None],
    *,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> bool:
    """Do it and record it in one transaction; returns whether anything was done.

    Nothing is recorded where ``work`` returns False, for nothing was to be done.
    """

    def both() -> bool:
        done = work() is not False
        if done:
            record(actor, action, reason=reason, details=details)
        return done

    return in_transaction(both)


class Changes(Protocol):
    """What a command has changed so far, and the end of its record."""

    reason: str

    @property
    def count(self) -> int: ...

    @property
    def ids(self) -> Sequence[int]: ...

    def close(self, *, interrupted: bool = False) -> None: ...


class Entry:
    """The row of a change in many steps. It comes with the first step and grows with each.

    Every step and its count are one transaction: also where the process is killed in between, the
    row says how far it came (and its ``state`` that it never ended).
    """

    def __init__(
        self, actor: str, action: str, reason: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        self._actor = actor
        self._action = action
        self.reason = reason
        self._details = dict(details or {})
        self._pk: int | None = None
        self.count = 0
        self.ids: list[int] = []

    def step(self, work: Callable[[], T], of: Callable[[T], Iterable[int]]) -> T:
        """Run ``work`` and count the tasks that its answer says were changed."""
        pk, ids = self._pk, list(self.ids)
        number = 0

        def both() -> T:
            nonlocal pk, ids, number
            answer = work()
            changed = list(of(answer))
            number, ids = len(changed), [*self.ids, *changed][:NAMED]
            pk = self._write(number, ids)
            return answer

        answer = in_transaction(both)
        self._pk, self.ids = pk, ids
        self.count += number
        return answer

    def _write(self, number: int, ids: list[int]) -> int | None:
        details = self._details | {"ids": ids, "state": RUNNING}
        if not number:
            return self._pk
        if self._pk is None:
            return record(
                self._actor, self._action, reason=self.reason, count=number, details=details
            ).pk
        row = OperatorAction.objects.filter(pk=self._pk)
        row.update(count=F("count") + number, **({"details": details} if ids != self.ids else {}))
        return self._pk

    def close(self, *, interrupted: bool = False) -> None:
        """How it ended; nothing where nothing was changed."""
        if self._pk is None:
            return
        details = self._details | {"ids": self.ids, "state": INTERRUPTED if interrupted else DONE}
        OperatorAction.objects.filter(pk=self._pk).update(details=details)
