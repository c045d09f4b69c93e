"""Whether and when a request that was refused for the moment is sent again within the same call."""

from __future__ import annotations

import random

from django.conf import settings

from arboris.backoff import back_off
from arboris.llm.errors import LLMError

BASE_SECONDS, LONGEST_BACKOFF = 0.5, 8.0
# A longer wait is left to the queue, where no worker waits along.
LONGEST_WAIT = 30.0


def wait_before_retry(error: LLMError, tries: int, left: float) -> float | None:
    """Return the seconds to wait before the next try, after ``tries`` of them; None to give up.

    The wait is what the endpoint asks for at least, else exponential with full jitter. It never
    reaches the end of the call, which has ``left`` seconds.
    """
    if tries > settings.ARBORIS_LLM_RETRIES or not error.passes_soon:
        return None
    if error.retry_after is None:
        wait = back_off(tries, BASE_SECONDS, LONGEST_BACKOFF)
    else:  # requests that were refused together must not come back together
        wait = error.retry_after * random.uniform(1, 1.1)
    return wait if wait < min(left, LONGEST_WAIT) else None
