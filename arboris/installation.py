"""The command ``arboris``: any command of manage.py, as the services of deploy/systemd run.

It is run by its path and imports nothing of Django, so that ``--help`` is there at once. manage.py
asks ``refuse_a_stray_database`` before it does anything.
"""

from __future__ import annotations

import argparse
import os
import pwd
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import parse_qs, unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
ENV_FILE = "/etc/arboris/env"
SERVICE_USER = "arboris"
# As the units have it; the environment file goes before it, there and here.
UNIT_ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "arboris.settings",
    "ARBORIS_DATA_DIR": "/var/lib/arboris",
    "ARBORIS_STATIC_ROOT": "/var/lib/arboris/static",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
UMASK = 0o027
# Of the caller's environment: how to speak, and the password that createsuperuser --noinput takes.
KEPT = re.compile(r"LANG|LANGUAGE|LC_\w+|TERM|COLUMNS|LINES|NO_COLOR|TZ|DJANGO_SUPERUSER_\w+")
# What needs no database that is there: the first makes it.
WITHOUT_DATABASE = {"migrate", "help", "version", "check", "collectstatic"}
NAMES_A_DATABASE = ("DATABASE_URL", "DATABASE_URL_FILE", "ARBORIS_DATA_DIR")

# systemd's EnvironmentFile=: one or more quoted pieces, then what is not quoted up to the line's
# end; \ before a character takes it as it is, before a line's end joins the next line.
_ENTRY = re.compile(
    r"""\s*(?:
      [#;][^\n]*
    | (?P<name>[^=\n]+)=(?P<quoted>(?:[^\S\n]*(?:'[^']*'|"(?:\\.|[^"\\])*"))*)
      [^\S\n]*(?P<bare>(?:\\.|[^\\\n])*)
    | [^\n]*
    )(?:\n|\Z)""",
    re.DOTALL | re.VERBOSE,
)
_QUOTED = re.compile(r"""'([^']*)'|"((?:\\.|[^"\\])*)\"""", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Unusable(Exception):
    """Why the command cannot be run here, as a sentence for the person who called it."""


def read_env_file(text: str) -> dict[str, str]:
    """The variables of a file as systemd reads it; nothing in it is evaluated by a shell.

    As systemd does, lines without ``=`` and names that are none are left out, and of two
    values for a name the later one holds. Raises Unusable where a quote is not closed.
    """
    values = {}
    position = 0
    while position < len(text):
        entry = _ENTRY.match(text, position)
        assert entry is not None  # whatever a line holds
        position = entry.end()
        name = (entry["name"] or "").strip()
        if _NAME.fullmatch(name):
            if entry["bare"].startswith(("'", '"')):
                raise Unusable(f"{name}: a quote is not closed")
            values[name] = _value(entry["quoted"], entry["bare"])
    return values


def _value(quoted: str, bare: str) -> str:
    pieces = [
        single or re.sub(r"\\(.)", _unescape, double, flags=re.DOTALL)
        for single, double in _QUOTED.findall(quoted)
    ]
    # A space that was escaped stays.
    trimmed = re.sub(r"(?<!\\)\s+\Z", "", bare)
    pieces.append(re.sub(r"\\(.)", lambda it: it[1].strip("\n"), trimmed, flags=re.DOTALL))
    return "".join(pieces)


def _unescape(escape: re.Match[str]) -> str:
    """In double quotes only what a shell would replace there can be escaped."""
    return "" if escape[1] == "\n" else escape[1] if escape[1] in '"\\`$' else escape[0]


def database_of(env: Mapping[str, str]) -> tuple[str, Path | None]:
    """The address of the database without its password, and its file where it is SQLite."""
    url = env.get("DATABASE_URL", "").strip()
    if not url and (path := env.get("DATABASE_URL_FILE")):
        try:
            url = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Unusable(f"DATABASE_URL_FILE: cannot read {path}: {error}") from error
    if not url:
        url = f"sqlite:///{env['ARBORIS_DATA_DIR']}/arboris.db"
    if url.startswith("sqlite:///"):
        file = Path(unquote(urlsplit(url).path)[1:])
        return f"sqlite {file}", ROOT / file
    return _without_password(url), None


def _without_password(url: str) -> str:
    scheme = url.partition("://")[0]
    try:
        parts = urlsplit(url)
        # A password with a / or # that is not encoded ends up behind what looks like the host.
        if "@" in url.removeprefix(f"{scheme}://{parts.netloc}"):
            raise ValueError
        user, port = parts.username or "", parts.port
        options = parse_qs(parts.query)
    except ValueError:
        raise Unusable("DATABASE_URL: this is no valid address.") from None
    host = parts.hostname or (options.get("unix_socket") or options.get("host") or [""])[0]
    return f"{scheme} {user}@{host}{f':{port}' if port else ''}{parts.path}"


def refuse_a_stray_database(env: Mapping[str, str] = os.environ) -> None:
    """End a command of manage.py that would open another database than this host's installation.

    Without any setting it would quietly make a new SQLite file in the checkout.
    """
    file = Path(env.get("ARBORIS_ENV_FILE") or ENV_FILE)
    if any(env.get(name) for name in NAMES_A_DATABASE) or not _exists(file):
        return
    sys.exit(
        f"manage.py: {file} has the settings of this host's installation, and this command has none"
        " of them: it would use a new SQLite file. Run it as: sudo arboris COMMAND. To work apart"
        " from the installation set ARBORIS_DATA_DIR or DATABASE_URL."
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:  # in a directory that is closed to us
        return True


def main(arguments: Sequence[str]) -> NoReturn:
    """Replaces this process: exit code, signals and terminal are the command's own."""
    options = _parse(arguments)
    command = [str(ROOT / ".venv/bin/python"), "manage.py", *options.command]
    try:
        env = _environment(options.env_file, options.user)
        database, file = database_of(env)
        new = file is not None and not file.exists()
        asks = {"-h", "--help", "--version"}.intersection(options.command)
        if new and not asks and options.command[0] not in WITHOUT_DATABASE:
            raise Unusable(f"there is no database {database}: arboris migrate would make it")
        sys.stderr.write(f"arboris: {database}{' (a new file)' if new else ''}\n")
        sys.stderr.flush()
        _become(options.user, Path(env["ARBORIS_DATA_DIR"]))
        os.chdir(ROOT)
        os.execve(command[0], command, env)
    except (Unusable, OSError) as error:
        sys.exit(f"arboris: {error}")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="arboris",
        usage="arboris [--env-file PATH] [--user NAME] COMMAND [ARGUMENT ...]",
        description="Run a command of manage.py as the services of this installation run: with "
        "their settings, as their user. It says on stderr which database it speaks to.",
        epilog="arboris help lists the commands, arboris COMMAND --help explains one.\n\n"
        "  sudo arboris analysis_status\n  sudo arboris migrate\n"
        "  sudo arboris retry_analysis --status failed --older-than 2h --dry-run",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--env-file", metavar="PATH", default=os.environ.get("ARBORIS_ENV_FILE") or ENV_FILE,
        help=f"the settings, as systemd reads them (default: $ARBORIS_ENV_FILE, else {ENV_FILE})",
    )  # fmt: skip
    parser.add_argument(
        "--user", metavar="NAME", default=SERVICE_USER,
        help=f"the user that the services run as (default: {SERVICE_USER})",
    )  # fmt: skip
    parser.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if not options.command:
        parser.error("which COMMAND?")
    return options


def _environment(file: str, user: str) -> dict[str, str]:
    """What a service gets, and of the caller's environment how to speak to whom."""
    try:
        settings = read_env_file(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, Unusable) as error:
        raise Unusable(f"cannot read the settings of {file}: {error}") from error
    caller = os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    env = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    env |= {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": _account(user).pw_dir,
        "USER": user,
        "LOGNAME": caller,  # the record of who changed what names the person, not the service
    }
    return env | UNIT_ENVIRONMENT | settings


def _account(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise Unusable(f"there is no user {user} on this host (--user names another)") from None


def _become(user: str, data: Path) -> None:
    """Drop to the service's user for good; its data directory is made as systemd would make it."""
    account = _account(user)
    if os.geteuid() == account.pw_uid:
        os.umask(UMASK)
        return
    if os.geteuid() != 0:
        raise Unusable(f"run it as root or as {user}")
    if not data.exists():
        data.mkdir(mode=0o750)
        os.chown(data, account.pw_uid, account.pw_gid)
    os.initgroups(user, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    os.umask(UMASK)


if __name__ == "__main__":
    main(sys.argv[1:])
