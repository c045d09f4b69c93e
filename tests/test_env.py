"""Settings from the environment: a wrong value stops the start with a message that names it."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from arboris import checks
from arboris.database_url import seconds_to_answer
from arboris.env import Env
from arboris.settings import database_from_url
from tests.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parent.parent
PREFIXES = ("ARBORIS_", "DJANGO_", "DATABASE_URL", "REDIS_URL")


def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **environ: str) -> dict[str, Any]:
    """The settings as they come of this environment alone."""
    for name in [name for name in os.environ if name.startswith(PREFIXES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ARBORIS_DATA_DIR", str(tmp_path))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "arboris.llm_settings")
    return runpy.run_path(str(ROOT / "arboris" / "settings.py"))


def test_defaults_are_as_documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(tmp_path, monkeypatch)
    assert settings["DATABASES"]["default"]["NAME"] == str(tmp_path / "arboris.db")
    assert settings["ARBORIS_MAX_CONCURRENT"] == settings["Q_CLUSTER"]["workers"] == 3
    assert settings["ARBORIS_POLL_INTERVAL"] == 10
    assert settings["ARBORIS_PROCESSING_TIMEOUT"] == 600
    assert settings["ARBORIS_ANALYZER"] == "local"
    assert settings["DEBUG"] is False
    assert len(settings["SECRET_KEY"]) >= 50


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ARBORIS_MAX_CONCURRENT", "three"),
        ("ARBORIS_MAX_CONCURRENT", "0"),
        ("ARBORIS_MAX_CONCURRENT", "65"),
        ("ARBORIS_MAX_CONCURRENT", "2.5"),
        ("ARBORIS_POLL_INTERVAL", "soon"),
        ("ARBORIS_POLL_INTERVAL", "0"),
        ("ARBORIS_POLL_INTERVAL", "nan"),
        ("ARBORIS_PROCESSING_TIMEOUT", "-1"),
        ("ARBORIS_PROCESSING_TIMEOUT", "inf"),
        ("ARBORIS_LEASE_SECONDS", "1"),
        ("ARBORIS_ANALYZER", "cloud"),
        ("ARBORIS_LLM_BASE_URL", "localhost:8080"),
        ("ARBORIS_LLM_BASE_URL", "ftp://localhost"),
        ("ARBORIS_LLM_PRICES", "cheap"),
        ("ARBORIS_LLM_BUDGET_PROJECT", "some"),
        ("ARBORIS_LLM_BUDGET_WRITER", "-1"),
        ("ARBORIS_LLM_MAX_CALLS", "-1"),
        ("ARBORIS_LLM_RETRIES", "11"),
        ("ARBORIS_TOKEN_RATE", "many"),
        ("ARBORIS_TOKEN_DAYS", "0"),
        ("ARBORIS_SCRAPE_TOKEN", "short"),
        ("ARBORIS_SCRAPE_TOKEN", "sixteen-and-more-ünlock"),
        ("ARBORIS_LOG_LEVEL", "LOUD"),
        ("ARBORIS_LOG_FORMAT", "xml"),
        ("DATABASE_URL", "oracle://localhost/arboris"),
        ("DATABASE_URL", "arboris.db"),
        ("DATABASE_URL", "mysql://localhost:port/arboris"),
        ("DATABASE_URL", "mysql://"),
        ("DATABASE_URL", "mysql://localhost"),
        ("DATABASE_URL", "mysql:///arboris"),
        ("DATABASE_URL", "mysql:///?unix_socket=/run/m.sock"),
        ("DATABASE_URL", "postgres://"),
        ("DATABASE_URL", "postgres://localhost/"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite://:memory:"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite://arboris.db"),
        ("DATABASE_URL", "sqlite://data/arboris.db"),
        ("DATABASE_URL", "sqlite:////nowhere/at/all/arboris.db"),
        ("DATABASE_URL", "sqlite:////tmp"),
        ("ARBORIS_DATA_DIR", "/dev/null/data"),
        ("ARBORIS_LLM_BASE_URL", "http://"),
        ("ARBORIS_LLM_BASE_URL", "http:///v1"),
        ("ARBORIS_LLM_BASE_URL", "https://:8080/v1"),
        ("ARBORIS_LLM_BASE_URL", "http://localhost:port/v1"),
        ("ARBORIS_LLM_BASE_URL", "http://[::1/v1"),
        ("DJANGO_SECRET_KEY", "a" * 31),
        ("REDIS_URL", "localhost:6379"),
        ("DJANGO_DEBUG", "perhaps"),
        ("ARBORIS_HTTPS", "2"),
        ("DJANGO_SECRET_KEY_FILE", "/nowhere/at/all"),
    ],
)
def test_a_wrong_value_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        load(tmp_path, monkeypatch, **{name: value})


@pytest.mark.parametrize("value", ["debug", "Debug", "DEBUG"])
def test_a_log_level_in_any_case_of_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    settings = load(tmp_path, monkeypatch, ARBORIS_LOG_LEVEL=value)
    assert settings["LOGGING"]["root"]["level"] == "DEBUG"


@pytest.mark.parametrize(("timeout", "lease"), [("600", 90), ("60", 60), ("1", 3)])
def test_a_lease_is_no_longer_than_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timeout: str, lease: float
) -> None:
    settings = load(tmp_path, monkeypatch, ARBORIS_PROCESSING_TIMEOUT=timeout)
    assert settings["ARBORIS_LEASE_SECONDS"] == lease


@pytest.mark.parametrize(("lease", "wrong"), [(60, False), (61, True)])
def test_a_lease_longer_than_the_deadline_names_both(
    settings: Settings, lease: float, wrong: bool
) -> None:
    settings.ARBORIS_PROCESSING_TIMEOUT = 60
    settings.ARBORIS_LEASE_SECONDS = lease
    found = checks.leases_end_before_the_deadline()
    assert bool(found) is wrong
    for error in found:
        assert "ARBORIS_LEASE_SECONDS" in error.msg
        assert "ARBORIS_PROCESSING_TIMEOUT" in error.msg


def test_each_check_has_an_id_of_its_own() -> None:
    ids = re.findall(r"arboris\.E\d+", (ROOT / "arboris" / "checks.py").read_text())
    assert len(ids) == len(set(ids)) >= 5


def test_a_data_directory_is_made_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "a #1? 100%25 小说" / "data"
    settings = load(tmp_path, monkeypatch, ARBORIS_DATA_DIR=str(directory))
    assert directory.is_dir()
    assert settings["DATABASES"]["default"]["NAME"] == str(directory / "arboris.db")


@pytest.mark.parametrize("argument", ["check", "qcluster"])
@pytest.mark.process
def test_the_start_itself_stops(tmp_path: Path, argument: str) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "ARBORIS_DATA_DIR": str(tmp_path),
        "ARBORIS_ANALYZER": "cloud",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", argument],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "ARBORIS_ANALYZER: 'cloud' is not one of local, llm" in done.stderr


def test_a_secret_may_lie_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"  {'out-of-a-file' * 3}\n", encoding="utf-8")
    settings = load(
        tmp_path,
        monkeypatch,
        DJANGO_SECRET_KEY_FILE=str(secret),
        ARBORIS_LLM_API_KEY_FILE=str(secret),
    )
    assert settings["SECRET_KEY"] == settings["ARBORIS_LLM_API_KEY"] == "out-of-a-file" * 3


def test_any_setting_may_lie_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = tmp_path / "number"
    number.write_text("7\n", encoding="utf-8")
    settings = load(tmp_path, monkeypatch, ARBORIS_MAX_CONCURRENT_FILE=str(number))
    assert settings["ARBORIS_MAX_CONCURRENT"] == 7


def test_a_value_and_a_file_at_once_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x", encoding="utf-8")
    env = Env({"DJANGO_SECRET_KEY": "y", "DJANGO_SECRET_KEY_FILE": str(secret)})
    with pytest.raises(ImproperlyConfigured, match="DJANGO_SECRET_KEY and DJANGO_SECRET_KEY_FILE"):
        env.text("DJANGO_SECRET_KEY")


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ImproperlyConfigured, match="A_FILE"):
        Env({"A_FILE": str(binary)}).text("A")


def test_an_empty_value_is_none() -> None:
    assert Env({"A": "  "}).whole("A", 5, low=1, high=9) == 5


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("Yes", True), ("off", False), ("0", False)]
)
def test_flags(value: str, expected: bool) -> None:
    assert Env({"A": value}).flag("A", default=not expected) is expected


def test_a_made_up_key_is_kept_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(tmp_path, monkeypatch)["SECRET_KEY"]
    assert load(tmp_path, monkeypatch)["SECRET_KEY"] == first
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("url", ["mysql://u@localhost/arboris", "postgres://u@localhost/arboris"])
def test_a_database_server_needs_a_given_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match="DJANGO_SECRET_KEY"):
        load(tmp_path, monkeypatch, DATABASE_URL=url)


@pytest.mark.parametrize("host", ["root@localhost", ""])
def test_mysql_by_unix_socket(host: str) -> None:
    url = f"mysql://{host}/arboris?unix_socket=/run/m.sock"
    config = database_from_url(url)
    assert (config["ENGINE"], config["NAME"]) == ("django.db.backends.mysql", "arboris")
    options = config["OPTIONS"]
    assert options["unix_socket"] == "/run/m.sock"
    assert options["isolation_level"] == "read committed"
    assert options["connect_timeout"] == 5
    assert options["read_timeout"] == options["write_timeout"] == 30
    assert "time_zone='+00:00'" in options["init_command"]
    assert "innodb_lock_wait_timeout=20 " in options["init_command"]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgres(scheme: str) -> None:
    config = database_from_url(f"{scheme}://u:p%40ss@db.example:5433/arboris")
    assert config["ENGINE"] == "django.db.backends.postgresql"
    assert (config["PASSWORD"], config["PORT"]) == ("p@ss", 5433)
    assert config["OPTIONS"]["isolation_level"].name == "READ_COMMITTED"
    assert config["OPTIONS"]["connect_timeout"] == 5
    assert config["OPTIONS"]["tcp_user_timeout"] == 30_000
    assert "-c lock_timeout=20000 " in config["OPTIONS"]["options"]
    names = ("keepalives_idle", "keepalives_interval", "keepalives_count")
    idle, interval, count = (config["OPTIONS"][name] for name in names)
    assert idle + interval * count <= 30
    assert config["ANSWER_SECONDS"] == 30


def test_the_address_may_name_other_time_limits() -> None:
    config = database_from_url("mysql://u@db.example/arboris?read_timeout=120")
    assert (config["OPTIONS"]["read_timeout"], config["OPTIONS"]["write_timeout"]) == (120, 30)
    config = database_from_url("postgres://u@db.example/arboris?keepalives_idle=120")
    assert config["OPTIONS"]["keepalives_idle"] == 120
    config = database_from_url("postgres://u@db.example/arboris?read_timeout=120")
    assert (config["ANSWER_SECONDS"], "read_timeout" in config["OPTIONS"]) == (120, False)


@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        ("/usr/bin/daphne -p 8000 arboris.asgi:application", 9),
        ("manage.py qcluster", 9),
        ("manage.py prune_analysis --noinput", 3600),
        ("manage.py migrate", None),
    ],
)
def test_commands_have_more_time_and_a_migration_any(command: str, seconds: int | None) -> None:
    assert seconds_to_answer(command.split(), 9) == seconds


@pytest.mark.parametrize("user", ["arboris@", ""])
def test_postgres_by_unix_socket(user: str) -> None:
    config = database_from_url(f"postgres://{user}/arboris?host=/run/postgresql&port=5433")
    assert (config["NAME"], config["HOST"], config["PORT"]) == ("arboris", "", "")
    assert config["OPTIONS"].items() >= {("host", "/run/postgresql"), ("port", 5433)}


def test_sqlite_takes_its_turn_and_waits(tmp_path: Path) -> None:
    config = database_from_url(f"sqlite:///{tmp_path / 'b.db'}")
    assert config["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_no_directory_is_made_for_a_database_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"DATABASE_URL.*{tmp_path / 'a'}"):
        load(tmp_path, monkeypatch, DATABASE_URL=f"sqlite:///{tmp_path / 'a' / 'b.db'}")
    assert not (tmp_path / "a").exists()


def test_the_proxy_lets_pass_what_the_site_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = (ROOT / "deploy" / "nginx" / "arboris.conf").read_text(encoding="utf-8")
    everywhere, imports = (
        int(found) * 1024 * 1024
        for found in re.findall(r"^ +client_max_body_size (\d+)m;", site, re.MULTILINE)
    )
    loaded = load(tmp_path, monkeypatch)
    assert everywhere > loaded["DATA_UPLOAD_MAX_MEMORY_SIZE"]
    assert imports > max(loaded["ARBORIS_MAX_IMPORT_BYTES"], loaded["ARBORIS_MAX_ARCHIVE_BYTES"])
