"""Every address of the site, asked by every kind of visitor: docs/security-table.md."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.views.generic import RedirectView

from tests.checkout import ROOT
from tests.every_object import first_key, make_all
from tests.factories import make_project, make_user
from tests.scratch_database import undone

PAGE = Path(ROOT) / "docs" / "security-table.md"
ROLES = ["anonymous", "writer", "other writer", "support", "operator", "superuser"]
NOT_ALLOWED = 405
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# What stands for a converter that names no object.
WORDS = {
    "kind": "json",
    "key": "x",
    "token": "x",
    "uidb36": "1",
    "app_label": "analysis",
    "url": "nothing/here",
    "language": "zh",
}
KINDS = {"/api/chapters/<int:chapter_id>/cast/": "character", "/api/trash/": "chapter"}
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>(?:[^()]|\[[^]]*\])*\)")


@dataclass(frozen=True, slots=True)
class Row:
    """One address and method: the status that each role gets, in the order of ROLES."""

    method: str
    route: str
    statuses: tuple[int, ...]

    def line(self) -> str:
        cells = [self.method, f"`{self.route}`".replace("|", "\\|"), *map(str, self.statuses)]
        return f"| {' | '.join(cells)} |"


def routes(resolver: Any = None, before: str = "/") -> Iterator[str]:
    """Every pattern of the URLconf, as Django writes it; one that another one hides comes once."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + str(pattern.pattern).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        else:
            assert isinstance(pattern, URLPattern)
            # The admin's old addresses of objects: each leads to its page, which is in the table.
            if getattr(pattern.callback, "view_class", None) is not RedirectView:
                yield route


def methods(route: str) -> list[str]:
    """The API has all five; a page knows two."""
    return METHODS if route.startswith("/api/") else METHODS[:2]


@override_settings(ARBORIS_SENDS_EMAIL=True, ARBORIS_SIGN_UP="open")
def table() -> list[Row]:
    """Asks for every row. In a transaction that the caller takes back."""
    writer = make_user("writer")
    known = make_all(writer, make_project(writer)) | WORDS
    clients = [client_for(role, writer) for role in ROLES]
    rows = []
    logging.disable()  # of refusals, of which nearly all of this consists
    try:
        for route in dict.fromkeys(routes()):
            address = address_of(route, known)
            for method in methods(route):
                owner = ask(clients[1], method, address)
                if owner != NOT_ALLOWED:  # nobody has it
                    others = (ask(client, method, address) for client in clients[2:])
                    statuses = (ask(clients[0], method, address), owner, *others)
                    rows.append(Row(method, route, statuses))
    finally:
        logging.disable(logging.NOTSET)
    return rows


def client_for(role: str, writer: User) -> Client:
    client = Client(raise_request_exception=False, REMOTE_ADDR="203.0.113.7")
    if role == "writer":
        client.force_login(writer)
    elif role != "anonymous":
        user = make_user(role, is_staff=role != "other writer", is_superuser=role == "superuser")
        group = {"support": "Support (read)", "operator": "Operator"}.get(role)
        if group:
            user.groups.add(Group.objects.get(name=group))
        client.force_login(user)
    return client


def address_of(route: str, known: dict[str, str]) -> str:
    """The route with objects that exist in the place of its parameters."""
    model = model_of(route)

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        # A page of the admin may have names of its own for its object.
        if (name in {"object_id", "number"} and model) or name not in known:
            return first_key(model) if model else known["id"]
        for start, kind in KINDS.items():
            if name == "kind" and route.startswith(start):
                return kind
        return known[name]

    return PARAMETER.sub(value, route)


def model_of(route: str) -> Any:
    """Whose page of the admin it is."""
    names = {f"/admin/{m._meta.app_label}/{m._meta.model_name}/": m for m in admin.site._registry}
    return next((model for start, model in names.items() if route.startswith(start)), None)


def ask(client: Client, method: str, address: str) -> int:
    """The status; what the request has changed is taken back."""
    cache.clear()  # the throttles
    session = dict(client.cookies)
    with undone():
        kind = "application/json" if address.startswith("/api/") else FORM
        body = "{}" if kind != FORM and method != "GET" else ""
        response = client.generic(method, address, body, content_type=kind)
        if response.streaming and address.startswith("/admin/"):
            list(response)  # a file that is made as it is sent: its end closes no connection
        elif response.streaming:
            response.close()
    client.cookies.clear()
    client.cookies.update(session)
    return response.status_code


FORM = "application/x-www-form-urlencoded"


def page(rows: list[Row]) -> str:
    head = f"| method | address | {' | '.join(ROLES)} |\n|---|---|{'---|' * len(ROLES)}"
    titles: dict[str, Callable[[str], bool]] = {
        "The API": lambda route: route.startswith("/api/"),
        "The admin": lambda route: route.startswith("/admin/"),
        "Pages, accounts, probes": lambda route: not route.startswith(("/api/", "/admin/")),
    }
    parts = [
        f"## {title}\n\n{head}\n" + "\n".join(row.line() for row in rows if belongs(row.route))
        for title, belongs in titles.items()
    ]
    return INTRODUCTION + "\n\n".join(parts) + "\n"


INTRODUCTION = """# Who may ask for what

Written by `python -m tests.security_table`, and compared with the site by
`tests/test_security_table.py`: every address of the URLconf, asked for one writer's object by each
kind of visitor, signed in by a session, with an empty body. An address that is not here fails the
test. A method that an address does not know is left out (405, or 401 for *anonymous*). Sign-up is
open, and the site sends e-mail. The probes are asked from another host, without the scrape token.

- *writer* owns the objects, *other writer* does not. *support* and *operator* are members of the
  groups "Support (read)" and "Operator".
- 302 leads to the sign-in page, back to a list, or on after a success. 400 is about what the empty
  body lacks: the gate was passed. 404 is what somebody else's object looks like, for staff too:
  they read through the admin alone. 503 of a chapter to be generated: no model is configured.

"""
