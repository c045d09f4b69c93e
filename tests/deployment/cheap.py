"""A root for docs/deployment.md that costs little: this host's programs over an empty system.

Replaced for cheapness, and run for real by tests/bench/deployment.py: ``apt-get`` (the packages are
this host's, MariaDB has its empty tables already and no durability), ``make setup`` (the virtual
environment is the one that runs the tests) and systemd (see systemctl.py).
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests import servers
from tests.deployment.machine import Machine, mount, put, put_systemctl

VENV = Path(sys.prefix).resolve()
BASE = Path(sys.base_prefix).resolve()
EMPTY = ("tmp", "run", "root", "opt", "srv", "etc", "var/lib", "var/log", "var/tmp")
OF_THE_HOST = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "login.defs")
OF_THE_PACKAGES = ("mysql", "redis", "nginx")
ACCOUNTS = {"root": 0, "www-data": 33, "mysql": 901, "redis": 902, "nobody": 65534}
NOTHING_TO_DO = "#!/bin/sh\necho 'the packages are the host'\\''s'\n"
# A development machine may have the server's program alone, without its unit.
MARIADB = """[Service]
Type=notify
User=mysql
RuntimeDirectory=mysqld
ExecStart=/usr/sbin/mariadbd --datadir=/var/lib/mysql --socket=/run/mysqld/mysqld.sock {hurry}
"""


def furnish(host: Machine) -> None:
    """Make the empty machine one on which the page's first packages are installed already.

    Raises servers.Missing where this host lacks one.
    """
    _needs()
    host.mount(_mounts(host.root))
    root = host.files
    for name in EMPTY:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).chmod(0o1777)
    _etc(root / "etc")
    put(root, "etc/systemd/system/mariadb.service",
        MARIADB.format(hurry=" ".join(servers.MARIADB_IN_A_HURRY)))  # fmt: skip
    for name in ("lib/nginx", "log/nginx"):
        (root / "var" / name).mkdir()
    for name in ("lib/mysql", "lib/redis", "log/redis"):
        (root / "var" / name).mkdir()
        _give(root / "var" / name)
    for path in (root / "etc" / "redis", *(root / "etc" / "redis").iterdir()):
        _give(path, "redis")
    put(root, "usr/local/bin/apt-get", NOTHING_TO_DO, 0o755)
    link = f"#!/bin/sh\nexec ln -sfn {VENV} /opt/arboris/.venv\n"
    put(root, "usr/local/bin/make", link, 0o755)
    put_systemctl(root, f"{VENV}/bin/python -I")
    install_db, _ = servers.mariadb_programs()
    host.run(f"{install_db} --user=mysql --datadir=/var/lib/mysql --skip-test-db >/dev/null")


def _give(path: Path, owner: str = "") -> None:
    number = ACCOUNTS[owner or path.name]
    os.chown(path, number, number)


def _needs() -> None:
    servers.mariadb_programs()
    servers.redis_program()
    servers.deployment_programs()


def _etc(etc: Path) -> None:
    for name in (*OF_THE_HOST, *OF_THE_PACKAGES):
        source = Path("/etc", name)
        if source.is_dir():
            shutil.copytree(source, etc / name, symlinks=True)
        elif source.exists():
            shutil.copy2(source, etc / name)
    for site in (etc / "nginx" / "sites-enabled").glob("*"):
        site.unlink()  # this host's own
    put(etc, "passwd", "".join(
        f"{name}:x:{number}:{number}::/:/bin/sh\n" for name, number in ACCOUNTS.items()
    ))  # fmt: skip
    put(etc, "group", "".join(f"{name}:x:{number}:\n" for name, number in ACCOUNTS.items()))
    put(etc, "shadow", "".join(f"{name}:*:19000:0:99999:7:::\n" for name in ACCOUNTS), 0o640)
    put(etc, "gshadow", "".join(f"{name}:*::\n" for name in ACCOUNTS), 0o640)
    put(etc, "nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\n")
    put(etc, "hosts", "127.0.0.1 localhost\n::1 localhost\n")
    put(etc, "ssl/openssl.cnf", Path("/etc/ssl/openssl.cnf").read_text(encoding="utf-8"))


def _mounts(root: Path) -> str:
    """/usr can be written without a change of the host's; python and its packages cannot."""
    lines = ""
    for name in ("bin", "sbin", "lib", "lib64"):
        host = Path("/", name)
        if host.is_symlink():
            lines += f"ln -s {host.readlink()} {root / name}\n"
        elif host.exists():
            lines += mount("--bind", host, root / name)
    above = root / ".usr"
    layers = f"lowerdir=/usr,upperdir={above}/upper,workdir={above}/work"
    lines += f"mkdir -p {above}/upper {above}/work\n"
    lines += mount("-t", "overlay", "overlay", "-o", layers, root / "usr")
    lines += mount("--rbind", "/dev", root / "dev") + mount("-t", "proc", "proc", root / "proc")
    for place in dict.fromkeys((VENV, BASE)):
        if not place.is_relative_to("/usr"):
            lines += mount("--bind", "-o", "ro", place, root / place.relative_to("/"))
    return lines
