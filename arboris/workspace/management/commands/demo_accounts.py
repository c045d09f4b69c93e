"""Make a demo writer and a demo staff account with fresh random passwords."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand


def create_accounts() -> dict[str, str]:
    """Passwords by user name of the accounts that did not exist yet; known only here and now."""
    made = {}
    for name, staff in (("writer", False), ("staff", True)):
        users = get_user_model().objects
        if not users.filter(username=name).exists():
            made[name] = secrets.token_urlsafe(12)
            users.create_user(name, password=made[name], is_staff=staff, is_superuser=staff)
    return made


class Command(BaseCommand):
    help = "Create the accounts 'writer' and 'staff' where missing; prints their passwords as JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(create_accounts()))
