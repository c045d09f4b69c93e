"""A database for what is run beside the suite: ``with scratch_database(): …``."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

import django


@contextlib.contextmanager
def scratch_database() -> Iterator[None]:
    """Sets Django up on SQLite, in a directory of its own, so that a suite may run at that time.

    All that happens inside is in one transaction, which is taken back.
    """
    with tempfile.TemporaryDirectory() as directory:
        os.environ["ARBORIS_DATA_DIR"] = directory
        os.environ.pop("DATABASE_URL", None)
        with _set_up():
            yield


@contextlib.contextmanager
def _set_up() -> Iterator[None]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")
    django.setup()
    from django.conf import settings
    from django.test.utils import (
        setup_databases,
        setup_test_environment,
        teardown_databases,
        teardown_test_environment,
    )

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        with undone():
            yield
    finally:
        teardown_databases(databases, verbosity=0)
        teardown_test_environment()


@contextlib.contextmanager
def undone() -> Iterator[None]:
    """What happens inside is taken back."""
    from django.db import transaction

    with transaction.atomic():
        yield
        transaction.set_rollback(True)
