"""The API keeps to its own schema, whatever it is sent."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from arboris.novels.models import NovelProject
from arboris.tokens import service as tokens
from tests.every_object import make_all
from tests.schema_cases import findings, one_connection

EXAMPLES = 3


@pytest.mark.slow
@pytest.mark.sqlite_only
def test_every_answer_is_in_the_schema(writer: User, project: NovelProject) -> None:
    known = make_all(writer, project)
    headers = {"Authorization": f"Token {tokens.issue(writer)}"}
    with one_connection():
        sent, found = findings(headers, known, EXAMPLES)
    assert found == []
    assert sent > 300
