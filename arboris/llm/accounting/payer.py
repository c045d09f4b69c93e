"""Who pays for a call to a model: the argument by which a caller has the call counted.

    payer = Payer("generation", project_id=project.pk, user_id=project.owner_id)
    async for piece in client.stream(messages, payer=payer): ...

    await structured.ask(connection, Call(messages, payer=payer), Form, usage)

In every process in which Django is set up, each request of the call

- checks the month's budgets before it begins, and raises ``errors.OverBudget`` where one is used
  up (a view that has to refuse earlier calls ``accounting.budget.check`` itself);
- waits for a call slot of the endpoint (``ARBORIS_LLM_MAX_CALLS``);
- leaves one row in the call log (``ModelCall``) when it ends, whether it succeeded, failed or was
  cancelled.

This module imports no model of the database, so that analyzers may use it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Payer:
    """``purpose`` is the feature, "generation", "summary" or another short word of the caller's."""

    purpose: str = "other"
    project_id: uuid.UUID | None = None
    user_id: int | None = None
    task_id: int | None = None
    attempt: int | None = None
