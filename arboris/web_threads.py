"""The threads in which a web process does whatever takes a database connection.

There are at most ``ARBORIS_WEB_CONNECTIONS``, each of which keeps its connection, so that a crowd
of requests is no crowd of connections. What finds no thread free waits for its turn: the callers in
turn, so that the many requests of one hold up nobody else's one. What did not begin within
``ARBORIS_WEB_WAIT`` seconds raises ``Overloaded``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.db import Error, close_old_connections, connections

from arboris.db import drop_connection, release_connection
from arboris.outage import Outage

log = logging.getLogger(__name__)

EXPIRY_SECONDS = 0.25
KEPT_SECONDS = 600


class Overloaded(Exception):
    """All threads were busy with others' work for too long: nothing was done."""


@dataclass(slots=True, eq=False)
class _Work:
    caller: str
    call: Callable[[], Any]
    expires: float | None  # by time.monotonic; None: it waits for as long as it takes
    future: Future[Any] = field(default_factory=Future)


class Threads:
    """At most ``size`` threads; one caller has at most ``share`` of them at a time."""

    def __init__(self, size: int, share: int) -> None:
        self._share = share
        lock = threading.Lock()
        self._work_came = threading.Condition(lock)
        self._place_freed = threading.Condition(lock)
        self._waiting: OrderedDict[str, deque[_Work]] = OrderedDict()
        self._queued = 0
        self._running: Counter[str] = Counter()
        self._idle = 0
        # A thread has a place from its start to its end, except while it has stepped aside.
        self._places = size
        self._returning = 0
        self._leaving = 0
        self._refusal = Outage(log)  # by the system, which gives no thread

    def submit(self, work: _Work, *, ahead: bool = False) -> None:
        """``ahead``: before what else waits of the same caller."""
        with self._work_came:
            mine = self._waiting.setdefault(work.caller, deque())
            (mine.appendleft if ahead else mine.append)(work)
            self._queued += 1
            self._work_came.notify()
            self._start_if_needed()

    def waiting(self) -> int:
        return self._queued

    def expire(self) -> bool:
        """End what has waited for too long; whether there is more that waits."""
        now, late = time.monotonic(), []
        with self._work_came:
            for caller, queue in list(self._waiting.items()):
                late += (old := [one for one in queue if one.expires and one.expires <= now])
                for one in old:
                    queue.remove(one)
                if not queue:
                    del self._waiting[caller]
            self._queued -= len(late)
            left = self._queued
            self._start_if_needed()  # where none could be started before
        for one in late:
            if one.future.set_running_or_notify_cancel():
                one.future.set_exception(Overloaded())
        return left > 0

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """On one of these threads: without its connection, and with its place given to another."""
        drop_connection()
        caller = _here.caller
        with self._work_came:
            self._finished(caller)
            self._places += 1
            self._place_freed.notify()
            self._work_came.notify()  # what waited for its caller's share may begin now
            self._start_if_needed()
        try:
            yield
        finally:
            drop_connection()
            with self._place_freed:
                self._returning += 1
                self._work_came.notify_all()  # an idle one leaves
                self._place_freed.wait_for(lambda: self._places)
                self._returning -= 1
                self._places -= 1
                self._running[caller] += 1

    def _start_if_needed(self) -> None:
        if self._queued > self._idle and self._places > self._returning:
            try:
                threading.Thread(target=self._run, name="web", daemon=True).start()
            except RuntimeError as error:  # those that there are do the work
                self._refusal.failed("no thread for what waits: %s", error)
            else:
                self._refusal.worked("threads can be started again")
                self._places -= 1

    def _run(self) -> None:
        _here.threads = self
        try:
            while (work := self._next()) is not None:
                _here.caller = work.caller
                _do(work)
                with self._work_came:
                    self._finished(work.caller)
                del work  # what it holds is not kept until the next one comes
        finally:
            drop_connection()
            with self._place_freed:
                self._leaving -= 1
                self._places += 1
                self._place_freed.notify()

    def _finished(self, caller: str) -> None:
        self._running[caller] -= 1
        if not self._running[caller]:
            del self._running[caller]

    def _next(self) -> _Work | None:
        """What this thread does next; None: it ends, for one that comes back from aside."""
        with self._work_came:
            while True:
                if self._returning > self._places + self._leaving:
                    self._leaving += 1
                    return None
                if (work := self._take()) is not None:
                    self._running[work.caller] += 1
                    return work
                self._idle += 1
                self._work_came.wait()
                self._idle -= 1

    def _take(self) -> _Work | None:
        for caller, queue in self._waiting.items():
            if self._running[caller] >= self._share:
                continue
            work = queue.popleft()
            self._queued -= 1
            if queue:
                self._waiting.move_to_end(caller)
            else:
                del self._waiting[caller]
            return work
        return None


def _do(work: _Work) -> None:
    if not work.future.set_running_or_notify_cancel():
        return  # whoever asked has gone
    _look_at_connections()
    try:
        result = work.call()
    except BaseException as error:  # noqa: BLE001  # it is the caller's
        _look_at_connections()
        work.future.set_exception(error)
    else:
        _look_at_connections()
        work.future.set_result(result)


def _look_at_connections() -> None:
    """Close what is broken or old. One that fails at that ends no thread: its caller would wait for
    ever."""
    try:
        close_old_connections()
    except Error:
        drop_connection()


class Lane(Executor):
    """The threads as one request or socket uses them; made and used in the event loop's thread.

    Only the beginning may be refused: what a request that has begun does later waits for as long
    as it takes, and goes ahead of what has not.
    """

    def __init__(self, threads: Threads, caller: str, *, whole: bool = True) -> None:
        """``whole``: it is one piece of work with a beginning; else each call is one."""
        self._threads, self._caller, self._whole = threads, caller, whole
        self._begun = False

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        begun, self._begun = self._begun, self._whole
        expires = None if begun else time.monotonic() + settings.ARBORIS_WEB_WAIT
        work = _Work(self._caller, partial(call, *args, **kwargs), expires)
        self._threads.submit(work, ahead=begun)
        _watch(self._threads)
        return work.future


_here = threading.local()
_watched: set[Threads] = set()


def _watch(threads: Threads) -> None:
    """Look at what waits, for as long as anything does."""
    if threads in _watched or not threads.waiting():
        return
    _watched.add(threads)
    loop = asyncio.get_running_loop()

    def look() -> None:
        if threads.expire():
            loop.call_later(EXPIRY_SECONDS, look)
        else:
            _watched.discard(threads)

    loop.call_later(EXPIRY_SECONDS, look)


@cache
def web_threads() -> Threads:
    """Those of this process."""
    size = settings.ARBORIS_WEB_CONNECTIONS
    return Threads(size, share=size - max(1, size // 4))


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """Around a long wait for something that is not the database: a model, say.

    The connection is closed, and in a web process another request has this one's place meanwhile.
    Not in a transaction.
    """
    threads: Threads | None = getattr(_here, "threads", None)
    if threads is None:
        release_connection()
        yield
        return
    with threads.aside():
        yield


def keep_connections() -> None:
    """Make every connection of this process last from one request to the next, looked at first."""
    for config in connections.settings.values():
        config |= {"CONN_MAX_AGE": KEPT_SECONDS, "CONN_HEALTH_CHECKS": True}
