"""The body of a task that analyses nothing: what is left is the queue itself."""

from __future__ import annotations

import contextlib
import time

from django.db import connection

from analysis import queue
from analysis.errors import LeaseLost
from analysis.queue import Claim
from analysis.worker.steward import Steward
from arboris.db import in_transaction
from arboris.outage import outlasting
from tests.bench.work import UPDATE


def run(claim: Claim, steward: Steward) -> None:
    """The work of ``tests.bench.work``: a business row, and the notification of ``finish``.

    The result says when the task began (``time.time()``).
    """
    began = time.time()

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute(UPDATE, [claim.chapter_id])
        queue.finish(claim, {"began": began}, {})

    with contextlib.suppress(LeaseLost):  # it was done before, and the answer lost
        outlasting(lambda: in_transaction(work), give_up=steward.stopping.is_set)
