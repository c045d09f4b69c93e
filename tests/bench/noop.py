"""The body of a task that analyses nothing: what is left is the queue itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from analysis import queue
from analysis.queue import Claim
from analysis.steward import Steward
from arboris import sql
from arboris.db import in_transaction
from tests.bench.work import UPDATE


def run(claim: Claim, keeper: Steward, go_on: Callable[[], bool]) -> Claim | None:
    """The work of ``tests.bench.work``: its business row, and the notification that ``finish``
    writes.

    The result says when the task began (``time.time()``).
    """
    began = time.time()

    def work() -> Claim | None:
        sql.run([sql.Statement(UPDATE, (claim.chapter_id,))])
        if go_on():
            return queue.finish_and_claim(claim, {"began": began}, {}, keeper.worker, last=True)
        queue.finish(claim, {"began": began}, {})
        return None

    return in_transaction(work)
