"""The price table: read to the last digit, or refused with the setting's name."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from arboris import checks
from arboris.env import Env
from arboris.llm.accounting import prices

NAME = "ARBORIS_LLM_PRICES"


def test_prices_are_for_a_million_tokens(settings: Settings) -> None:
    settings.ARBORIS_LLM_PRICES = prices.table(
        NAME, '{"small": {"prompt": 0.1, "completion": 3}, "*": {"prompt": 10, "completion": 0}}'
    )
    assert prices.cost("small", 1, 1) == Decimal("0.0000031")
    assert prices.cost("small", 1_000_000, 2_000_000) == Decimal("6.1")
    assert prices.cost("another", 50_000, 7) == Decimal("0.5")


def test_without_an_entry_there_is_no_price(settings: Settings) -> None:
    settings.ARBORIS_LLM_PRICES = prices.table(NAME, '{"a": {"prompt": 1, "completion": 1}}')
    assert prices.cost("b", 10, 10) is None
    assert prices.table(NAME, "") == {}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "3",
        '{"m": 3}',
        '{"m": {"prompt": 1}}',
        '{"m": {"prompt": 1, "completion": 1, "cached": 1}}',
        '{"m": {"prompt": "1", "completion": 1}}',
        '{"m": {"prompt": -1, "completion": 1}}',
        '{"m": {"prompt": true, "completion": 1}}',
        '{"m": {"prompt": 1e9, "completion": 1}}',
        '{"m": {"prompt": NaN, "completion": 1}}',
        '{"m": {"prompt": null, "completion": 1}}',
    ],
)
def test_a_wrong_table_names_the_setting(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=NAME):
        prices.table(NAME, text)


@pytest.mark.parametrize("value", ["much", "-1", "nan", "inf", "1.23456", "1000001"])
def test_a_wrong_budget_names_the_setting(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="ARBORIS_LLM_BUDGET_PROJECT"):
        Env({"ARBORIS_LLM_BUDGET_PROJECT": value}).amount("ARBORIS_LLM_BUDGET_PROJECT")


def test_a_budget_is_an_amount() -> None:
    env = Env({"A": "12.50", "B": ""})
    assert [env.amount(name) for name in "ABC"] == [Decimal("12.5"), Decimal(0), Decimal(0)]


def test_a_budget_needs_a_price_for_every_model(settings: Settings) -> None:
    settings.ARBORIS_LLM_BUDGET_WRITER = Decimal(5)
    settings.ARBORIS_LLM_PRICES = prices.table(NAME, '{"a": {"prompt": 1, "completion": 1}}')
    (found,) = checks.budgets_know_every_price()
    assert "ARBORIS_LLM_BUDGET_WRITER" in found.msg
    settings.ARBORIS_LLM_PRICES = prices.table(NAME, '{"*": {"prompt": 1, "completion": 1}}')
    assert not checks.budgets_know_every_price()
