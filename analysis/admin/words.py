"""What an error says: its words may quote a chapter, and so are for those who may read one."""

from __future__ import annotations

from django.http import HttpRequest

from analysis.errors import without_text


def may_read(request: HttpRequest) -> bool:
    return request.user.has_perm("novels.read_text")


def of_error(request: HttpRequest, code: str, detail: str) -> str:
    """The detail of an error of this code, as this member of the staff may read it."""
    return detail if may_read(request) else without_text(code, detail)
