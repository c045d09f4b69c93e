"""For tests of a real site: each module that has one says by ``site`` which."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.live import Site


@pytest.fixture
def client(site: Site) -> Iterator[httpx2.Client]:
    with site.client() as client:
        yield client
