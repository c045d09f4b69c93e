"""Admission with the database behind it: budgets, call slots and the call log.

One thread of the process does all of its database work, in order, on a connection of its own. So
the event loop that makes the calls never waits for the database, and no transaction is open during
a call.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import threading
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from arboris.backoff import back_off
from arboris.db import is_away, is_transient
from arboris.llm import errors
from arboris.llm.accounting import budget, call_log, call_slots
from arboris.llm.accounting.admission import Admission, Payer, Permit, RequestRecord
from arboris.llm.models import ModelCall

T = TypeVar("T")
log = logging.getLogger(__name__)

# Seconds between two looks for a free slot: the first, and the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5
AWAY_PAUSE_SECONDS = 0.25
# A call waits this long at its end until its row is written. The thread goes on writing after that.
WRITE_SECONDS = 5.0
REWRITE_SECONDS = 1.0
LOOP_TURNS = 8


class SlotPermit(Permit):
    """A permit with a call slot.

    ``token`` is drawn before the slot is taken. The slot is ours until the loop's clock reaches
    ``valid_until``.
    """

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self.endpoint = endpoint
        self.token = uuid.uuid4().hex
        self.slot: int | None = None
        self.valid_until = 0.0
        self.renewing: asyncio.Task[None] | None = None


class DatabaseAdmission(Admission):
    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        self._pid = 0
        self._starting = threading.Lock()
        self._unwritten: deque[ModelCall] = deque()

    async def admit(self, payer: Payer, ends: float, endpoint: str) -> Permit:
        if payer.project_id is not None and payer.user_id is not None and budget.any_set():
            await self._outlast(partial(budget.check, payer.project_id, payer.user_id), ends)
        permit = SlotPermit(endpoint)
        if settings.ARBORIS_LLM_MAX_CALLS:
            try:
                await self._take(permit, ends)
            except BaseException:
                # The thread may be taking a slot at this moment (we may be cancelled). It runs its
                # work in order, so it frees that slot next.
                self._submit(partial(self._free, permit))
                raise
            permit.renewing = asyncio.create_task(self._keep(permit))
        return permit

    async def finish(self, permit: Permit, payer: Payer, record: RequestRecord) -> None:
        assert isinstance(permit, SlotPermit)
        if permit.renewing is not None:
            permit.renewing.cancel()
        # The client library abandons generators that the loop closes in its next turns. They have
        # to be closed before the thread works: a garbage collection there would close them on the
        # wrong thread.
        for _ in range(LOOP_TURNS):
            await asyncio.sleep(0)
        row = call_log.row(payer, record)
        written = asyncio.wrap_future(self._submit(partial(self._end, permit, row)))
        # wait() does not cancel it with us: the thread writes the row whoever waits for it.
        await asyncio.wait({written}, timeout=WRITE_SECONDS)

    async def _take(self, permit: SlotPermit, ends: float) -> None:
        clock = asyncio.get_running_loop().time
        for tries in itertools.count(1):
            permit.valid_until = clock() + _valid_seconds()
            most = settings.ARBORIS_LLM_MAX_CALLS
            take = partial(call_slots.take, permit.endpoint, permit.token, most)
            permit.slot = await self._outlast(take, ends)
            if permit.slot is not None:
                return
            pause = back_off(tries, FIRST_PAUSE, LONGEST_PAUSE)
            if clock() + pause >= ends:
                raise errors.Busy("every call slot of the endpoint is taken")
            await asyncio.sleep(pause)

    async def _keep(self, permit: SlotPermit) -> None:
        """Renew the slot until cancelled. Where that fails in time, end the call."""
        assert permit.slot is not None
        clock = asyncio.get_running_loop().time
        renew = partial(call_slots.renew, permit.slot, permit.token)
        while True:
            await asyncio.sleep(call_slots.LEASE_SECONDS / 3)
            began = clock()
            try:
                async with asyncio.timeout_at(permit.valid_until):
                    renewed = await self._outlast(renew, permit.valid_until)
            except (TimeoutError, errors.Busy, DatabaseError, InterfaceError):
                renewed = False
            if not renewed:
                log.warning("a call slot of %s was lost during a call", permit.endpoint)
                permit.lose()
                return
            permit.valid_until = began + _valid_seconds()

    async def _outlast(self, work: Callable[[], T], ends: float) -> T:
        """Do ``work`` on the thread, and again while the database is away, until ``ends``."""
        clock = asyncio.get_running_loop().time
        while True:
            try:
                return await asyncio.wrap_future(self._submit(work))
            except (DatabaseError, InterfaceError) as error:
                if not (is_away(error) or is_transient(error)):
                    raise
                if clock() + AWAY_PAUSE_SECONDS >= ends:
                    raise errors.Busy("the database was away when a call was to begin") from None
            await asyncio.sleep(AWAY_PAUSE_SECONDS)

    # --- on the thread ------------------------------------------------------------------------
    def _submit(self, work: Callable[[], T]) -> Future[T]:
        with self._starting:
            if self._executor is None or self._pid != os.getpid():  # a thread survives no fork
                self._executor = ThreadPoolExecutor(1, thread_name_prefix="llm-accounting")
                self._pid = os.getpid()
                self._unwritten.clear()
            return self._executor.submit(_connected, work)

    def _end(self, permit: SlotPermit, row: ModelCall) -> None:
        self._unwritten.append(row)
        self._write()
        if permit.slot is not None:
            self._free(permit)

    def _free(self, permit: SlotPermit) -> None:
        try:
            call_slots.free(permit.endpoint, permit.token)
        except (DatabaseError, InterfaceError) as error:
            log.warning(
                "a call slot of %s stays taken until its lease ends: %s", permit.endpoint, error
            )

    def _write(self) -> None:
        """Write the rows that wait; where the database is away, keep them for the next try."""
        while self._unwritten:
            row = self._unwritten[0]
            try:
                call_log.write(row)
            except Exception as error:
                if is_away(error):
                    log.warning("%d calls wait to be logged: %s", len(self._unwritten), error)
                    self._write_later()
                    return
                # Our log has it at least: the row holds no secret.
                log.exception("a call could not be logged: %s", _described(row))
            self._unwritten.popleft()

    def _write_later(self) -> None:
        def again() -> None:
            # The executor of a process that ends accepts no more work.
            with contextlib.suppress(RuntimeError):
                self._submit(self._write)

        timer = threading.Timer(REWRITE_SECONDS, again)
        timer.daemon = True
        timer.start()


def _valid_seconds() -> float:
    """How long a slot is ours: less than its lease, so that the call is over by the lease's end."""
    return call_slots.LEASE_SECONDS * 0.9


def _connected(work: Callable[[], T]) -> T:
    """Do ``work`` on this thread's connection, which is kept as long as the settings say."""
    close_old_connections()
    try:
        return work()
    except (DatabaseError, InterfaceError):
        with contextlib.suppress(Exception):  # a broken connection may fail at closing too
            connection.close()
        raise
    finally:
        close_old_connections()


def _described(row: ModelCall) -> str:
    return (
        f"{row.model}, {row.purpose}, {row.prompt_tokens} + {row.completion_tokens} tokens,"
        f" cost {row.cost}, analysis {row.task_id}, {row.outcome}"
    )
