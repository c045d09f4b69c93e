"""An upgrade renames models in Python alone; whoever was allowed to see them still is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from arboris.db import db_now
from arboris.llm.models import CallSlot

pytestmark = [pytest.mark.slow, pytest.mark.databases]

BEFORE = [("llm", "0001_initial")]


@pytest.fixture
def old_tables(transactional_db: None) -> Iterator[MigrationExecutor]:
    call_command("migrate", "llm", "0001", verbosity=0)
    yield MigrationExecutor(connection)
    call_command("migrate", verbosity=0)  # those of other apps that depend on them too


def codenames() -> set[str]:
    permissions = Permission.objects.filter(content_type__app_label="llm")
    return set(permissions.values_list("codename", flat=True))


def test_rows_and_permissions_are_kept(old_tables: MigrationExecutor) -> None:
    assert {"view_callplace", "view_spendtally"} <= codenames()
    kept = Permission.objects.get(codename="view_callplace").pk
    old = old_tables.loader.project_state(BEFORE).apps
    old.get_model("llm", "CallPlace").objects.create(
        endpoint="model.example:443", number=1, expires_at=db_now()
    )
    call_command("migrate", "llm", verbosity=0)
    assert CallSlot.objects.get().number == 1
    assert Permission.objects.get(codename="view_callslot").pk == kept
    assert not {"view_callplace", "view_spendtally"} & codenames()
