"""The command ``arboris``, and what manage.py refuses on a host that has an installation.

That it drops to the service's user is in tests/deployment, where there is one.
"""

from __future__ import annotations

import os
import pwd
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from arboris import installation
from tests.checkout import ROOT
from tests.test_readme import clean_environment
from tests.waiting import PATIENCE_SECONDS

ARBORIS = str(ROOT / "deploy" / "arboris")
ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A=1\nB = 2 \n\n# C=3\n; D=4\nno assignment\n1E=5", {"A": "1", "B": "2"}),
        ("A=x # no comment", {"A": "x # no comment"}),
        ("A=\nB=b", {"A": "", "B": "b"}),
        ("A='$HOME `id` \\n'", {"A": "$HOME `id` \\n"}),
        ('A="a \\"b\\" \\$c \\d"', {"A": 'a "b" $c \\d'}),
        ("A=\"two\" 'pieces' and more", {"A": "twopiecesand more"}),
        ("A=$(id)${B}", {"A": "$(id)${B}"}),
        ("A=one \\\ntwo\nB=back\\\\slash", {"A": "one two", "B": "back\\slash"}),
        ('A="two\nlines"', {"A": "two\nlines"}),
        ("A=it's\nA=later", {"A": "later"}),
        ('J={"*": {"prompt": 0.5}}', {"J": '{"*": {"prompt": 0.5}}'}),
    ],
)
def test_the_environment_file_is_read_as_systemd_reads_it(
    text: str, values: dict[str, str]
) -> None:
    assert installation.read_env_file(text) == values


def test_a_quote_that_is_not_closed_is_named() -> None:
    with pytest.raises(installation.Unusable, match="B: a quote"):
        installation.read_env_file("A=1\nB='open\nC=3\n")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://lin:hidden@db.example:3306/arboris", "mysql lin@db.example:3306/arboris"),
        ("postgres://lin:hid@den@db/arboris?password=hidden", "postgres lin@db/arboris"),
        ("mysql://lin:hidden@/arboris?unix_socket=/run/m.sock", "mysql lin@/run/m.sock/arboris"),
    ],
)
def test_a_database_is_named_without_its_password(url: str, said: str) -> None:
    assert installation.database_of({"DATABASE_URL": url}) == (said, None)


def test_an_address_that_cannot_be_taken_apart_is_not_shown() -> None:
    with pytest.raises(installation.Unusable, match=r"^DATABASE_URL: this is no valid address\.$"):
        installation.database_of({"DATABASE_URL": "mysql://lin:12/hidden@db/arboris"})


def test_the_units_have_the_same_environment() -> None:
    for unit in (ROOT / "deploy" / "systemd").glob("*.service"):
        text = unit.read_text(encoding="utf-8")
        given = dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.MULTILINE))
        assert given.items() <= installation.UNIT_ENVIRONMENT.items()
        assert given.keys() >= {"DJANGO_SETTINGS_MODULE", "ARBORIS_DATA_DIR"}
        assert f"EnvironmentFile={installation.ENV_FILE}\n" in text
        assert f"User={installation.SERVICE_USER}\n" in text
        assert f"UMask={installation.UMASK:04o}\n" in text


def arboris(env_file: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ARBORIS, "--env-file", str(env_file), "--user", ME, *command],
        env=clean_environment() | {"LC_ALL": "en_US.UTF-8"} | more, cwd="/",
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """The settings of an installation with SQLite, which has no database yet."""
    (tmp_path / "env").write_text(f'ARBORIS_DATA_DIR="{tmp_path}/data"\n', encoding="utf-8")
    return tmp_path / "env"


@pytest.mark.process
def test_a_command_speaks_to_the_database_of_the_environment_file(env_file: Path) -> None:
    database = env_file.parent / "data" / "arboris.db"
    refused = arboris(env_file, "analysis_status")
    assert refused.returncode == 1
    assert f"there is no database sqlite {database}" in refused.stderr
    assert not database.exists()

    # Neither the caller's settings count nor the directory that it was called in.
    migrate = ("migrate", "contenttypes", "--verbosity=0")
    made = arboris(env_file, *migrate, DATABASE_URL="mysql://x@nowhere/x")
    assert (made.returncode, made.stderr) == (0, f"arboris: sqlite {database} (a new file)\n")
    listed = arboris(env_file, "showmigrations", "contenttypes")
    assert (listed.returncode, listed.stderr) == (0, f"arboris: sqlite {database}\n")
    assert "[X] 0001_initial" in listed.stdout
    assert arboris(env_file, "retry_analysis").returncode == 2


@pytest.mark.process
def test_a_signal_and_an_end_are_the_commands_own(env_file: Path) -> None:
    (env_file.parent / "data").mkdir()
    (env_file.parent / "data" / "arboris.db").touch()
    waits = "print('ready', flush=True); import time; time.sleep(600)"
    with subprocess.Popen(
        [ARBORIS, "--env-file", str(env_file), "--user", ME, "shell", "-v0", "-c", waits],
        env=clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.terminate()
            assert process.wait(PATIENCE_SECONDS) == -signal.SIGTERM
        finally:
            process.kill()


@pytest.mark.process
def test_help_starts_no_django_and_nothing_is_run_without_a_command(tmp_path: Path) -> None:
    helped = subprocess.run(
        [sys.executable, "-I", "-X", "importtime", installation.__file__, "--help"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert helped.returncode == 0
    assert "--env-file" in helped.stdout
    assert "argparse" in helped.stderr
    assert "django" not in helped.stderr
    for wrong, code, said in [
        ([], 2, "COMMAND"),
        (["--env-file", str(tmp_path / "none"), "migrate"], 1, "cannot read the settings"),
        (["--env-file", os.devnull, "--user", "nobody-here", "migrate"], 1, "no user nobody-here"),
    ]:
        done = subprocess.run([ARBORIS, *wrong], capture_output=True, text=True)
        assert (done.returncode, said in done.stderr) == (code, True)


@pytest.mark.process
def test_manage_py_opens_no_new_file_beside_an_installation(env_file: Path) -> None:
    environment = clean_environment() | {"ARBORIS_ENV_FILE": str(env_file)}
    command = [sys.executable, str(ROOT / "manage.py"), "check"]
    refused = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "sudo arboris" in refused.stderr
    apart = environment | {"ARBORIS_DATA_DIR": str(env_file.parent / "apart")}
    assert subprocess.run(command, env=apart, capture_output=True).returncode == 0
