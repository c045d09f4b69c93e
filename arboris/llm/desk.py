"""What the gate does in the database: budgets, places and the ledger.

One thread of the process does all of it, on a connection of its own, in order: the event loops that
make calls never wait for the database with their other calls, and no transaction is open during one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import threading
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from arboris.db import is_away, is_transient
from arboris.llm import budget, errors, ledger, places
from arboris.llm.account import Account
from arboris.llm.configured import endpoint_name
from arboris.llm.gate import Ended, Entry, Gate
from arboris.llm.models import ModelCall

T = TypeVar("T")
log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5  # between two looks for a free place
AWAY_PAUSE_SECONDS = 0.25
# A call's end waits so long for its row to be written; the thread goes on with it after that.
WRITE_SECONDS = 5.0
AGAIN_SECONDS = 1.0
TURNS = 8


class Held(Entry):
    """An entry with a place; ``token`` is drawn before it is taken, ``valid`` by the loop's clock."""

    def __init__(self) -> None:
        super().__init__()
        self.endpoint = endpoint_name()
        self.token = uuid.uuid4().hex
        self.place: int | None = None
        self.valid = 0.0
        self.renewing: asyncio.Task[None] | None = None


class Desk(Gate):
    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        self._pid = 0
        self._starting = threading.Lock()
        self._unwritten: deque[ModelCall] = deque()

    async def enter(self, account: Account, ends: float) -> Entry:
        if account.project_id is not None and account.user_id is not None and budget.any_set():
            await self._outlast(partial(budget.check, account.project_id, account.user_id), ends)
        entry = Held()
        if settings.ARBORIS_LLM_MAX_CALLS:
            try:
                await self._take(entry, ends)
            except BaseException:
                # Cancelled, perhaps: the thread may be taking one at this moment. It frees it next.
                self._submit(partial(self._free, entry))
                raise
            entry.renewing = asyncio.create_task(self._keep(entry))
        return entry

    async def leave(self, entry: Entry, account: Account, ended: Ended) -> None:
        assert isinstance(entry, Held)
        if entry.renewing is not None:
            entry.renewing.cancel()
        # The client library lets go of generators that the loop ends in its next turns: before the
        # thread is at work, whose collecting of garbage would come in between.
        for _ in range(TURNS):
            await asyncio.sleep(0)
        row = ledger.row(account, ended)
        written = asyncio.wrap_future(self._submit(partial(self._end, entry, row)))
        # Not cancelled with us: the row is written by the thread, whoever waits for it.
        await asyncio.wait({written}, timeout=WRITE_SECONDS)

    async def _take(self, entry: Held, ends: float) -> None:
        clock = asyncio.get_running_loop().time
        pause = FIRST_PAUSE
        while True:
            entry.valid = clock() + _valid_seconds()
            most = settings.ARBORIS_LLM_MAX_CALLS
            take = partial(places.take, entry.endpoint, entry.token, most)
            entry.place = await self._outlast(take, ends)
            if entry.place is not None:
                return
            if clock() + pause >= ends:
                raise errors.Busy("every place for a call at the endpoint is taken")
            await asyncio.sleep(random.uniform(pause / 2, pause))
            pause = min(pause * 1.5, LONGEST_PAUSE)

    async def _keep(self, entry: Held) -> None:
        """Renew the place until cancelled; where that cannot be done in time, the call ends."""
        assert entry.place is not None
        clock = asyncio.get_running_loop().time
        renew = partial(places.renew, entry.place, entry.token)
        while True:
            await asyncio.sleep(places.LEASE_SECONDS / 3)
            began = clock()
            try:
                async with asyncio.timeout_at(entry.valid):
                    kept = await self._outlast(renew, entry.valid)
            except (TimeoutError, errors.Busy, DatabaseError, InterfaceError):
                kept = False
            if not kept:
                log.warning("a place at %s was lost during a call", entry.endpoint)
                entry.lose()
                return
            entry.valid = began + _valid_seconds()

    async def _outlast(self, work: Callable[[], T], ends: float) -> T:
        """``work`` on the thread; again while the database is away, as far as there is time."""
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
                self._executor = ThreadPoolExecutor(1, thread_name_prefix="llm-desk")
                self._pid = os.getpid()
                self._unwritten.clear()
            return self._executor.submit(_connected, work)

    def _end(self, entry: Held, row: ModelCall) -> None:
        self._unwritten.append(row)
        self._write()
        if entry.place is not None:
            self._free(entry)

    def _free(self, entry: Held) -> None:
        try:
            places.free(entry.endpoint, entry.token)
        except (DatabaseError, InterfaceError) as error:
            log.warning("a place at %s ends with its lease: %s", entry.endpoint, error)

    def _write(self) -> None:
        """Write what has not been written; what the database cannot take now stays for later."""
        while self._unwritten:
            row = self._unwritten[0]
            try:
                ledger.write(row)
            except Exception as error:
                if is_away(error):
                    log.warning("%d calls wait to be entered: %s", len(self._unwritten), error)
                    self._later()
                    return
                # In the log at least: what it holds is no secret.
                log.exception("a call could not be entered: %s", _told(row))
            self._unwritten.popleft()

    def _later(self) -> None:
        def again() -> None:
            # A process that ends takes no more work.
            with contextlib.suppress(RuntimeError):
                self._submit(self._write)

        timer = threading.Timer(AGAIN_SECONDS, again)
        timer.daemon = True
        timer.start()


def _valid_seconds() -> float:
    """A place is given up so long before another may take it that the call is over by then."""
    return places.LEASE_SECONDS * 0.9


def _connected(work: Callable[[], T]) -> T:
    """``work`` on this thread's connection, kept for as long as the settings say."""
    close_old_connections()
    try:
        return work()
    except (DatabaseError, InterfaceError):
        with contextlib.suppress(Exception):  # a broken connection may fail at closing too
            connection.close()
        raise
    finally:
        close_old_connections()


def _told(row: ModelCall) -> str:
    return (
        f"{row.model}, {row.purpose}, {row.prompt_tokens} + {row.completion_tokens} tokens,"
        f" cost {row.cost}, analysis {row.task_id}, {row.outcome}"
    )
