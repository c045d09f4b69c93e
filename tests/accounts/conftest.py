"""A site that sends e-mail, into Django's box for tests."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings


@pytest.fixture
def visitor(db: None, settings: Settings) -> Client:
    """A browser that asks for English, on a site that sends e-mail; nobody is signed in."""
    settings.ARBORIS_SENDS_EMAIL = True
    return Client(headers={"accept-language": "en"})
