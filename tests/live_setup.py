"""Run as a module beside a live site: its tables and its two writers, told as JSON on stdout.

With the name of a file, a copy of the SQLite database without the writers goes there.
"""

from __future__ import annotations

import json
import os
import sys

import django

PASSWORD = "lantern-under-eaves-42"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arboris.settings")
    django.setup()

    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection

    from arboris.tokens import service

    call_command("migrate", verbosity=0, skip_checks=True)
    if copy := sys.argv[1:]:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", copy)
    tokens = {}
    for name in ("writer", "stranger"):
        user = User.objects.create_user(name, password=PASSWORD)
        tokens[name] = service.issue(user)
    json.dump(tokens, sys.stdout)


if __name__ == "__main__":
    main()
