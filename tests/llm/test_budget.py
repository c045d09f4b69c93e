"""What was spent in a calendar month, and whether more may be."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from arboris.llm import errors
from arboris.llm.accounting import admission, budget, call_log, prices
from arboris.llm.accounting.admission import Payer, RequestRecord, Usage
from arboris.llm.accounting.budget import Subject

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]
NOVEL, WRITER = uuid.uuid4(), 7


def spend(tokens: int, when: datetime) -> None:
    row = call_log.row(
        Payer("generation", NOVEL, WRITER), RequestRecord("m", Usage(tokens, 0), admission.OK, 1)
    )
    row.created_at = when
    call_log.write(row)


@pytest.fixture(autouse=True)
def priced(settings: Settings) -> None:
    table = '{"*": {"prompt": 100000, "completion": 0}}'
    settings.ARBORIS_LLM_PRICES = prices.table("ARBORIS_LLM_PRICES", table)


@pytest.mark.usefixtures("same_month")
def test_the_month_before_does_not_count(settings: Settings) -> None:
    settings.ARBORIS_LLM_BUDGET_PROJECT = Decimal(100)
    month = budget.month_of(datetime.now(UTC))
    spend(5000, month - timedelta(seconds=1))
    assert budget.spent(Subject(WRITER, NOVEL), month) == 0
    budget.check(NOVEL, WRITER)
    spend(1000, month)
    with pytest.raises(errors.OverBudget) as refused:
        budget.check(NOVEL, WRITER)
    assert (refused.value.code, refused.value.parks) == ("over_budget", True)
    assert (refused.value.scope, refused.value.until) == ("project", budget.next_month(month))


@pytest.mark.parametrize(
    ("day", "following"), [("2026-01-31", "2026-02-01"), ("2026-12-01", "2027-01-01")]
)
def test_months_follow_each_other(day: str, following: str) -> None:
    month = budget.month_of(datetime.fromisoformat(f"{day}T23:30:00+00:00"))
    assert budget.next_month(month).isoformat() == f"{following}T00:00:00+00:00"


def test_no_budget_no_query(
    settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        budget.check(NOVEL, WRITER)
    settings.ARBORIS_LLM_BUDGET_WRITER = Decimal(1)
    with django_assert_num_queries(1):
        budget.check(NOVEL, WRITER)
