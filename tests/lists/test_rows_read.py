"""Every list of the admin, and all that it offers, reads few rows of a full table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests.lists import full, walk

ROWS = 5_000


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
    assert walk.too_dear(offered) == []


def test_its_page_reads_no_more(boss: User) -> None:
    client = Client()
    client.force_login(boss)
    look = walk.looking(client)
    pages = [look(model, "") for model in walk.lists()]
    # Not those that are no list: failures by their cause are counted over all of their index.
    assert walk.too_dear(page for page in pages if page.changes is not None) == []
