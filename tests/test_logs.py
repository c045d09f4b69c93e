"""The log: from a request to the end of its analysis by one id, and never a word of the text."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from analysis.models import PendingAnalysis
from analysis.worker.loop import run_due
from arboris import logs
from arboris.errors import ServiceError
from arboris.novels.models import NovelProject
from tests.analyzers import Failing
from tests.factories import LONG_ENOUGH, JsonClient

pytestmark = pytest.mark.django_db(transaction=True)
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """What was written so far as ARBORIS_LOG_FORMAT=json has it, of this program's loggers."""
    caplog.set_level(logging.INFO)
    caplog.handler.setFormatter(logs.Json())

    def read() -> list[dict[str, Any]]:
        written = [json.loads(line) for line in caplog.text.splitlines()]
        return [line for line in written if line["logger"].startswith(("analysis", "arboris"))]

    return read


def submit(api: JsonClient, project: NovelProject, **headers: str) -> Any:
    url = f"/api/projects/{project.pk}/chapters"
    return api.post(url, {"content": LONG_ENOUGH}, headers=headers)


@pytest.mark.usefixtures("scripted")
def test_a_request_is_followed_to_the_end_of_its_analysis(
    api: JsonClient, project: NovelProject, lines: Lines
) -> None:
    saved = submit(api, project, **{"X-Request-ID": "edge-1.a"})
    assert saved["X-Request-ID"] == "edge-1.a"
    run_due()
    told = [line for line in lines() if line.get("request") == "edge-1.a"]
    assert [line["message"] for line in told] == [
        "analysis queued",
        "analysis claimed",
        "analysis completed",
    ]
    task = PendingAnalysis.objects.get()
    for line in told:
        assert line["task"] == task.pk
        assert line["chapter"] == task.chapter_id
        assert line["novel"] == str(project.pk)
        assert line["writer"] == project.owner_id
        assert line["time"].endswith("Z")
    assert [line.get("attempt") for line in told] == [None, 1, 1]
    assert told[2]["feature"]
    assert told[2]["seconds"] >= 0


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "kopf\u00e9"])
def test_an_id_that_is_none_gets_another(
    api: JsonClient, project: NovelProject, given: str
) -> None:
    answers = {submit(api, project, **{"X-Request-ID": given})["X-Request-ID"] for _ in range(2)}
    assert len(answers) == 2
    assert given not in answers
    assert answers == set(PendingAnalysis.objects.values_list("request_id", flat=True))


def test_a_failure_is_told_by_code_and_group_alone(
    api: JsonClient, project: NovelProject, settings: Settings, lines: Lines
) -> None:
    settings.ARBORIS_ANALYZERS = {"failing": "tests.analyzers.Failing"}
    settings.ARBORIS_ANALYZER = "failing"

    class Echoing(ServiceError):
        """An error whose message quotes the text, as that of an endpoint may."""

        code, sentence, retryable = "bad_answer", "没有看懂", False

    Failing.error = Echoing(f"not understood: {LONG_ENOUGH[:40]}")
    submit(api, project)
    run_due()
    task = PendingAnalysis.objects.get()
    assert LONG_ENOUGH[:40] in task.error_message
    failed = next(line for line in lines() if line["message"] == "analysis failed")
    assert (failed["error"], failed["now"]) == ("bad_answer", "failed")
    assert failed["group"] == task.error_fingerprint
    assert LONG_ENOUGH[:10] not in json.dumps(lines(), ensure_ascii=False)


def test_plain_lines_quote_what_is_no_word() -> None:
    record = logging.LogRecord("arboris", logging.INFO, __file__, 1, "done", (), None)
    record.fields = {"task": 7, "said": 'two "words"'}
    with logs.bound(request="r1", novel=None):
        line = logs.Plain("{levelname} {message}", style="{").format(record)
    assert line == 'INFO done request=r1 task=7 said="two \\"words\\""'
