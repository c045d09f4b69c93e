"""Fixtures that every package of tests may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.utils import translation
from pytest_django import Settings

from arboris.novels.models import NovelProject
from tests.analyzers import REGISTERED, Endless, Failing, Scripted
from tests.factories import JsonClient, client_of, make_project, make_user


@pytest.fixture(autouse=True)
def clean_slate() -> Iterator[None]:
    """Nothing of one test reaches the next: throttles, the active language, analyzers' state."""
    cache.clear()
    translation.deactivate()
    Failing.error = None
    Endless.started.clear()
    Scripted.runs.clear()
    yield
    translation.deactivate()


@pytest.fixture
def writer(db: None) -> User:
    return make_user("writer")


@pytest.fixture
def stranger(db: None) -> User:
    return make_user("stranger")


@pytest.fixture
def api(writer: User) -> JsonClient:
    """The writer's API client, signed in by token."""
    return client_of(writer)


@pytest.fixture
def foreign(stranger: User) -> JsonClient:
    """Another writer's API client."""
    return client_of(stranger)


@pytest.fixture
def anonymous(db: None) -> JsonClient:
    return JsonClient()


@pytest.fixture
def project(writer: User) -> NovelProject:
    return make_project(writer)


@pytest.fixture
def scripted(settings: Settings) -> None:
    """Analyses run on the deterministic test analyzer."""
    settings.ARBORIS_ANALYZERS = REGISTERED
    settings.ARBORIS_ANALYZER = "scripted"
