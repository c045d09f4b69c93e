"""Who pays for a call to a model: the one argument with which a caller enters it in the ledger.

    from arboris.llm.account import Account

    paid_by = Account("generation", project_id=project.pk, user_id=project.owner_id)
    async for piece in client.stream(messages, account=paid_by): ...

    await structured.ask(connection, Call(messages, account=paid_by), Form, usage)

With it, and in every process in which Django is set up, each request of the call

- asks the month's budgets before it begins, and raises ``errors.OverBudget`` (code ``over_budget``)
  where one is used up; a view that wants to refuse before anything else calls
  ``arboris.llm.budget.check(project_id, user_id)``;
- waits for one of the endpoint's places (``ARBORIS_LLM_MAX_CALLS``);
- leaves one row in the ledger (``arboris.llm.models.ModelCall``) when it ends, also where it
  failed, was the second try, or was cancelled.

This module knows no database, so that analyzers may name accounts too.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """``purpose`` is the feature, "generation", "summary" or another short word of the caller's."""

    purpose: str = "other"
    project_id: uuid.UUID | None = None
    user_id: int | None = None
    task_id: int | None = None
    attempt: int | None = None
