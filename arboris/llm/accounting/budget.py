"""What a novel and a writer may spend on language models in a month (UTC).

``ARBORIS_LLM_BUDGET_PROJECT`` and ``ARBORIS_LLM_BUDGET_WRITER``, in the price table's currency;
0 means no budget. Every request is checked before it begins; a view that has to refuse earlier
calls ``check`` itself. Calls that run when a budget is used up go on to their end, so it may be
exceeded by what they cost.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import Sum

from arboris.llm.errors import OverBudget
from arboris.llm.models import BudgetStop, ModelCall

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose budget: a novel's (``project_id``) or its writer's."""

    user_id: int
    project_id: uuid.UUID | None = None

    @property
    def name(self) -> str:
        return f"project:{self.project_id}" if self.project_id else f"writer:{self.user_id}"

    @property
    def budget(self) -> Decimal:
        """The budget for a month in the settings; 0 for none."""
        if self.project_id:
            return Decimal(settings.ARBORIS_LLM_BUDGET_PROJECT)
        return Decimal(settings.ARBORIS_LLM_BUDGET_WRITER)


def any_set() -> bool:
    return bool(settings.ARBORIS_LLM_BUDGET_PROJECT or settings.ARBORIS_LLM_BUDGET_WRITER)


def check(project_id: uuid.UUID, user_id: int) -> None:
    """Raise OverBudget where the novel or the writer has spent the month's budget.

    Makes one query for each budget that is set. Do not call it on an event loop.
    """
    month = month_of(datetime.now(UTC))
    for subject in (Subject(user_id, project_id), Subject(user_id)):
        if used_up(subject, month):
            raise OverBudget(
                f"the month's budget is used up ({'novel' if subject.project_id else 'writer'})",
                scope="project" if subject.project_id else "writer",
                until=next_month(month),
            )


def used_up(subject: Subject, month: datetime) -> bool:
    """Return whether the month's budget is spent and nobody has lifted it."""
    budget = subject.budget
    if not budget or spent(subject, month) < budget:
        return False
    stop = BudgetStop.objects.filter(subject=subject.name, month=month.date())
    return not stop.filter(lifted_at__isnull=False).exists()


def spent(subject: Subject, month: datetime) -> Decimal:
    """Return what the month's calls have cost so far."""
    whose = (
        {"project_id": subject.project_id} if subject.project_id else {"user_id": subject.user_id}
    )
    calls = ModelCall.objects.filter(
        **whose, created_at__gte=month, created_at__lt=next_month(month)
    )
    return calls.aggregate(cost=Sum("cost"))["cost"] or NOTHING


def month_of(moment: datetime) -> datetime:
    """Return the first moment of the calendar month (UTC)."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(month: datetime) -> datetime:
    year, number = divmod(month.year * 12 + month.month, 12)
    return month.replace(year=year, month=number + 1)
