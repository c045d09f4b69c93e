"""The end of a test that commits: the tables are as after the migrations again.

Django's way to it, ``flush``, empties all seventy tables and makes all content types and
permissions anew, which costs more than many a test.
"""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import TransactionTestCase

from analysis.apps import create_fixed_rows

KEPT = {model._meta.db_table for model in (ContentType, Permission)}


def empty(_case: TransactionTestCase) -> None:
    """In the place of ``TransactionTestCase._fixture_teardown``."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    quoted = [connection.ops.quote_name(name) for name in sorted(set(names) - KEPT)]
    looks = ", ".join(f"EXISTS (SELECT 1 FROM {table})" for table in quoted)
    with connection.constraint_checks_disabled(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {looks}")
            for table, has_rows in zip(quoted, cursor.fetchone(), strict=True):
                if has_rows:
                    cursor.execute(f"DELETE FROM {table}")
        create_fixed_rows(connection.alias)
