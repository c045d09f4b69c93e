"""The brake of the live site, for the queue's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import Site


@pytest.fixture
def braked(site: Site) -> Iterator[Path]:
    """The brake, pulled; released at the end whatever happens."""
    site.brake.touch()
    yield site.brake
    site.brake.unlink(missing_ok=True)
