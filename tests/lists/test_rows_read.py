"""Every list of the admin, and all that it offers, reads few rows of a full table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoDbBlocker

from arboris.admin_lists import LOOK
from tests.lists import full, walk

ROWS = 5_000
EACH = 20  # rows read for one that is shown
# What a list looks at to find its rows: the first ones, once more by the rest of the filter, in
# the order asked for, and by an index of that filter where the table is small.
FOUND_IN = 4 * LOOK


@pytest.fixture(scope="module")
def boss(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[User]:
    with django_db_blocker.unblock():
        try:
            full.fill(ROWS)
            yield User.objects.create_superuser("boss")
        finally:
            full.empty()


pytestmark = [pytest.mark.server_only, pytest.mark.slow, pytest.mark.django_db]


def test_every_list_and_all_that_it_offers_reads_few_rows(boss: User) -> None:
    offered = [cost for model in walk.lists() for cost in walk.walk(walk.glancing(boss), model)]
    assert len(offered) > 1_000
    assert too_dear(offered) == []


def test_its_page_reads_no_more(boss: User) -> None:
    client = Client()
    client.force_login(boss)
    look = walk.looking(client)
    pages = [look(model, "") for model in walk.lists()]
    # Not those that are no list: failures by their cause are counted over all of their index.
    assert too_dear(page for page in pages if page.changes is not None) == []


def too_dear(costs: Iterable[walk.Cost]) -> list[str]:
    return [
        f"{cost.address}: {cost.rows} rows read for {cost.shown}"
        for cost in costs
        if cost.rows > EACH * cost.shown + FOUND_IN
    ]
