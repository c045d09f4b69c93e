"""The table of addresses and roles is that of the site, and nobody gets more than they should."""

from __future__ import annotations

import pytest

from tests.address_roles import PAGE, Row, page, table

PUBLIC = {"/api/auth/token", "/api/auth/session", "/api/schema", "/api/docs"}
SIGN_IN = {"/admin/login/", "/admin/jsi18n/"}
OF_SOMEBODY = ("project_id", "chapter_id", "task_id", "notification_id", "item_id", "import_id")


def got_something(status: int) -> bool:
    return status < 400


def complaint(row: Row) -> str:
    """What is wrong with a row, whatever the page says; empty: nothing."""
    anonymous, writer, other, support, operator, superuser = row.statuses
    if any(status >= 500 and status != 503 for status in row.statuses):
        return "a server error"
    if row.route.startswith("/admin/") and row.route not in SIGN_IN:
        if not {anonymous, writer, other} <= {302, 401, 403, 404, 405}:
            return "the admin for somebody who is not staff"
        if got_something(support) > got_something(operator) or (
            got_something(operator) > got_something(superuser)
        ):
            return "more for a smaller role"
        return ""
    if row.route.startswith("/api/") and row.route not in PUBLIC and anonymous != 401:
        return "the API without a sign-in"
    if any(f":{name}>" in row.route for name in OF_SOMEBODY):
        if {other, support, operator, superuser} != {404}:
            return "another's object is not 404"
        if got_something(anonymous) and anonymous != 302:
            return "an object without a sign-in"
    return ""


@pytest.mark.slow
@pytest.mark.sqlite_only
@pytest.mark.django_db
def test_every_address_and_role() -> None:
    rows = table()
    wrong = [f"{row.line()}: {text}" for row in rows if (text := complaint(row))]
    assert wrong == []
    told = page(rows).splitlines()
    written = PAGE.read_text(encoding="utf-8").splitlines()
    added = [line for line in told if line not in set(written)]
    gone = [line for line in written if line not in set(told)]
    assert (added, gone) == ([], []), "python -m tests.security_table, and look at the difference"
