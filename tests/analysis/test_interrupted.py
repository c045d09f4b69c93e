"""Ctrl-C in the middle of a command: what was done is told exactly, and the rest is done later."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.analysis.test_command_line import Installation, installed
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.process

COPIED = (
    "chapter_id, version_id, project_id, user_id, priority, generation_config, error_type, "
    "error_message, error_fingerprint, retry_count, max_retries, attempt_count, created_at, "
    "due_at, "
    "lease_token, worker, progress_percent, progress_feature, turn, endpoint"
)


# The real settings, but at the so-many-th statement of a kind a signal comes, if not another one
# then that of a Ctrl-C.
INTERRUPTED = """
import os, signal
from arboris.settings import *
from django.db.backends.signals import connection_created

seen = 0

def run(execute, sql, params, many, context):
    global seen
    kind, number = os.environ["CTRL_C_AT"].split(":")
    result = execute(sql, params, many, context)
    if sql.startswith(kind):
        seen += 1
        if seen == int(number):
            os.kill(os.getpid(), signal.Signals[os.environ.get("SIGNAL", "SIGINT")])
    return result

def watch(connection, **_):
    if "CTRL_C_AT" in os.environ:
        connection.execute_wrappers.append(run)

connection_created.connect(watch)
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    directory = tmp_path_factory.mktemp("interrupted")
    (directory / "interrupted_settings.py").write_text(INTERRUPTED)
    with installed(directory, DJANGO_SETTINGS_MODULE="interrupted_settings") as here:
        yield here


def fill(here: Installation, number: int) -> None:
    """So installation pending, made in the database: one chapter has a single live analysis
    otherwise."""
    here.sql("DELETE FROM analysis_notifications")
    here.sql("DELETE FROM analysis_operatoraction")
    here.sql("DELETE FROM analysis_bulkpart")
    here.sql("DELETE FROM analysis_bulkchange")
    here.sql("DELETE FROM analysis_bulkoperation")
    here.sql("DELETE FROM pending_analysis WHERE id > 1")
    here.sql("UPDATE pending_analysis SET status = 'pending', active_chapter = 1")
    here.sql(
        f"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {number})"
        f" INSERT INTO pending_analysis ({COPIED}, status, active_chapter)"
        f" SELECT {COPIED}, 'pending', 1000 + i FROM pending_analysis, n WHERE id = 1"
    )


def interrupted(here: Installation, at: str, *arguments: str, **env: str) -> dict[str, Any]:
    """The document of a command that gets a Ctrl-C at a statement: its beginning, its number."""
    options = ("--noinput", "--json", "--reason", "test")
    done = here.manage(*arguments, *options, CTRL_C_AT=at, **env)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["interrupted"] is True
    return document


def recorded(here: Installation) -> list[Any]:
    return here.sql("SELECT count, reason, details FROM analysis_operatoraction")


def test_cancelling(installation: Installation) -> None:
    fill(installation, 1_200)
    at = 'UPDATE "pending_analysis":2'
    document = interrupted(installation, at, "cancel_analysis", "--all", SIGNAL="SIGHUP")
    done = document["done"]
    assert done == 1_000  # two batches
    assert installation.statuses().count("cancelled") == done == len(document["tasks"])
    ((count, reason, details),) = recorded(installation)
    assert (count, reason, json.loads(details)["state"]) == (done, "test", "interrupted")
    ((number, state),) = installation.sql("SELECT id, state FROM analysis_bulkoperation")
    assert state == "stopped"
    again = installation.manage("cancel_analysis", "--resume", str(number), "--noinput", "--json")
    assert (again.returncode, json.loads(again.stdout)["done"]) == (0, 1_200 - done)
    ((count, _, details),) = recorded(installation)
    assert (count, json.loads(details)["state"]) == (1_200, "done")
    told = installation.sql("SELECT data FROM analysis_notifications ORDER BY id")
    assert [json.loads(data) for (data,) in told] == [{"count": done}, {"count": 200}]
    again = installation.manage("cancel_analysis", "--all", "--noinput", "--json")
    assert (again.returncode, json.loads(again.stdout)["done"]) == (0, 0)
    again = installation.manage("cancel_analysis", "--resume", str(number), "--noinput")
    assert (again.returncode, "is not stopped: done" in again.stderr) == (1, True)


def test_a_command_that_is_killed_is_resumed_where_it_was(installation: Installation) -> None:
    fill(installation, 1_200)
    killed = installation.manage(
        *("cancel_analysis", "--all", "--noinput", "--reason", "test"),
        CTRL_C_AT='UPDATE "pending_analysis":2',
        SIGNAL="SIGKILL",
    )
    assert killed.returncode == -signal.SIGKILL
    assert installation.statuses().count("cancelled") == 500  # and of the second batch none
    ((number, state),) = installation.sql("SELECT id, state FROM analysis_bulkoperation")
    resume = ("cancel_analysis", "--resume", str(number), "--noinput", "--json")
    early = installation.manage(*resume)
    assert (state, early.returncode, "running" in early.stderr) == ("running", 1, True)
    installation.sql("UPDATE analysis_bulkoperation SET lease_expires_at = '2026-01-01 00:00:00'")
    done = installation.manage(*resume)
    assert (done.returncode, json.loads(done.stdout)["done"]) == (0, 700)
    ((count, reason, details),) = recorded(installation)
    assert (count, reason, json.loads(details)["state"]) == (1_200, "test", "done")
    told = installation.sql("SELECT data FROM analysis_notifications")
    assert [json.loads(data) for (data,) in told] == [{"count": 1_200}]


def test_a_reader_who_goes_ends_it_between_two_steps(installation: Installation) -> None:
    fill(installation, 1_200)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        process = installation.begin("cancel_analysis", "--all", "--noinput", stdout=writer)
    finally:
        os.close(writer)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, "Traceback" in err, "Exception" in err) == (3, False, False), err
    ((count, _, details),) = recorded(installation)
    assert 0 < count < 1_200
    assert json.loads(details)["state"] == "interrupted"
    assert installation.statuses().count("cancelled") == count
    assert f"{count} were done" in err


def test_pruning(installation: Installation) -> None:
    fill(installation, 2_000)
    ended = datetime.now(UTC) - timedelta(days=60)
    installation.sql(
        "UPDATE pending_analysis SET status = 'completed', active_chapter = NULL,"
        f" completed_at = '{ended:%Y-%m-%d %H:%M:%S}' WHERE id > 1"
    )
    at = 'DELETE FROM "pending_analysis":2'
    document = interrupted(installation, at, "prune_analysis", "--all")
    deleted = document["deleted"]
    assert 0 < deleted < 1_999
    assert len(installation.statuses()) == 2_000 - deleted
    assert len(document["tasks"]) == deleted
    ((count, _, details),) = recorded(installation)
    assert (count, json.loads(details)["state"]) == (deleted, "interrupted")
    assert installation.manage("prune_analysis", "--all", "--noinput").returncode == 0
    assert installation.statuses() == ["pending"]


def test_draining_keeps_the_pause(installation: Installation) -> None:
    fill(installation, 2)
    installation.sql("UPDATE pending_analysis SET status = 'processing' WHERE id = 1")
    paused = "SELECT paused_reason FROM analysis_queuecontrol WHERE paused_at IS NOT NULL"
    with installation.begin(
        "pause_analysis", "--drain", "--noinput", "--json", "--reason", "moving"
    ) as process:
        try:
            wait_for(lambda: installation.sql(paused), "the queue is paused")
            wait_for(lambda: recorded(installation), "it is recorded")
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()
    assert process.returncode == 3, err
    document = json.loads(out)
    assert (document["drained"], document["running"], document["paused"]) == (False, 1, True)
    assert "The pause stays." in err
    assert installation.sql(paused) == [("moving",)]
    assert installation.manage("resume_analysis", "--noinput").returncode == 0
