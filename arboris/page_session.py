"""Who calls the API by a session, and from whose page."""

from __future__ import annotations

from typing import Any

from drf_spectacular.authentication import SessionScheme
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request


class PageSession(SessionAuthentication):
    """The session of the page that calls: ``X-Page-User`` says whose page it is.

    Once another account has signed in on the browser, an older page is signed out: its texts are
    not to come into the other's novels. Without the header it is whom the session names.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        found = super().authenticate(request)
        owner = request.headers.get("X-Page-User")
        if found is not None and owner not in {None, str(found[0].pk)}:
            return None
        return found


# Names it in the API's schema.
class PageSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]
    target_class = "arboris.page_session.PageSession"
