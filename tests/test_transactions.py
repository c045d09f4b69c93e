"""Transactions that begin with their first statement, and end with their last, are as any other."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from analysis.models import QueueControl, StatusTally
from arboris import sql

pytestmark = [pytest.mark.databases, pytest.mark.django_db(transaction=True)]


def mark(reason: str) -> sql.Statement:
    return sql.update(QueueControl, {"pk": 1}, paused_reason=reason)


def marked() -> str:
    return QueueControl.objects.get(pk=1).paused_reason


def test_a_cursor_from_before_the_transaction_is_part_of_it() -> None:
    with connection.cursor() as cursor, pytest.raises(ZeroDivisionError), transaction.atomic():
        cursor.execute("UPDATE analysis_queuecontrol SET paused_reason = 'cursor'")
        raise ZeroDivisionError
    assert marked() == ""


def test_what_cannot_be_sent_leaves_the_transaction_as_it_was() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        with pytest.raises(UnicodeEncodeError):
            sql.run([mark("\ud800")])
        sql.run([mark("sent")])
        raise ZeroDivisionError
    assert marked() == ""


def test_the_last_statements_of_an_inner_block_are_not_the_last_of_all() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        with transaction.atomic():
            sql.run([mark("inner")], last=True)
        raise ZeroDivisionError
    assert marked() == ""


def test_what_comes_after_the_last_statements_is_a_transaction_of_its_own() -> None:
    with transaction.atomic():
        sql.run([mark("first")], last=True)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        sql.run([mark("second")])
        raise ZeroDivisionError
    with transaction.atomic():
        StatusTally.objects.update(cancelled=0)
    assert marked() == "first"


def test_an_empty_transaction_and_one_that_only_rolls_back() -> None:
    with transaction.atomic():
        pass
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError
    sql.run([mark("kept")])
    assert marked() == "kept"
