"""The keys of before are hashed and go on to work; their readable table goes."""

import hashlib

from django.db import migrations
from django.utils import timezone

OLD = "authtoken_token"


def hash_keys(apps, schema_editor):
    connection = schema_editor.connection
    if OLD not in connection.introspection.table_names():
        return
    api_token = apps.get_model("tokens", "ApiToken")
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {connection.ops.quote_name('key')}, user_id FROM {OLD}")
        rows = cursor.fetchall()
    hashed = [
        api_token(
            user_id=user_id,
            digest=hashlib.sha256(key.encode()).hexdigest(),
            created_at=now,
            used_at=now,
        )
        for key, user_id in rows
    ]
    # Conflicts: a database that cannot take tables back was stopped half way, and begins again.
    api_token.objects.bulk_create(hashed, batch_size=500, ignore_conflicts=True)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA secure_delete = ON")  # else the keys would stay in the file
        cursor.execute(f"DELETE FROM {OLD}")
        # The version before this one, put back, makes its table anew.
        cursor.execute("DELETE FROM django_migrations WHERE app = 'authtoken'")


def drop_table(apps, schema_editor):
    schema_editor.execute(f"DROP TABLE IF EXISTS {OLD}")


class Migration(migrations.Migration):
    dependencies = [("tokens", "0001_initial")]
    # A way back has no keys: no digest becomes one again.
    operations = [
        migrations.RunPython(hash_keys, migrations.RunPython.noop),
        # MySQL and MariaDB change no table in a transaction.
        migrations.RunPython(drop_table, migrations.RunPython.noop, atomic=False),
    ]
