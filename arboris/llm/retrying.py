"""Whether a request that was refused for the moment is made again within the same call."""

from __future__ import annotations

import random

from django.conf import settings

from arboris.llm import errors

BASE_SECONDS, LONGEST_BACKOFF = 0.5, 8.0
# Who is to wait for longer waits in the queue, where no worker waits along.
LONGEST_WAIT = 30.0


def pause(error: errors.LLMError, tries: int, left: float) -> float | None:
    """Seconds until the next try after so many; None: no more.

    At least what the endpoint wishes, else exponential with full jitter; never past the ``left``
    seconds of the call.
    """
    if tries > settings.ARBORIS_LLM_RETRIES or not error.passes_soon:
        return None
    if error.retry_after is None:
        wait = random.uniform(0, min(BASE_SECONDS * 2.0 ** (tries - 1), LONGEST_BACKOFF))
    else:  # those that were sent away together do not come back together
        wait = error.retry_after * random.uniform(1, 1.1)
    return wait if wait < min(left, LONGEST_WAIT) else None
