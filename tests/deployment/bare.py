"""A bare Debian for docs/deployment.md, from this host's own package sources.

Replaced, since no systemd runs in a namespace of this kind: ``systemctl``. Packages start no
service when they are installed (policy-rc.d): the page starts each by name. ``apt-get`` and
``make`` leave the machine's own network for this host's, which reaches the packages.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests import servers
from tests.deployment.machine import Machine, mount, put, put_systemctl

OUTSIDE = ".outside"
TO_THE_OUTSIDE = f'#!/bin/sh\nexec nsenter --net=/{OUTSIDE} /usr/bin/{{name}} "$@"\n'
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def furnish(host: Machine, base: Path | None) -> dict[str, str]:
    """Install a bare Debian of this host's release, or copy one; returns what its steps are given.

    Raises servers.Missing where this host lacks debootstrap.
    """
    program = servers.program("debootstrap", "debootstrap")
    release = _release()
    mirror = next(uri for uri, name, part in _sources() if (name, part) == (release, "main"))
    host.mount(
        f"cp -a {base}/. {host.root}" if base else f"{program} {release} {host.root} {mirror}"
    )
    root = host.files
    sources = "".join(f"deb {uri} {name} {part}\n" for uri, name, part in _sources())
    put(root, "etc/apt/sources.list", sources)
    put(root, "etc/apt/apt.conf.d/99host", _output("apt-config", "dump", "Acquire"))
    put(root, "usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
    (root / "etc" / "resolv.conf").unlink(missing_ok=True)
    shutil.copy2("/etc/resolv.conf", root / "etc" / "resolv.conf")
    for name in ("apt-get", "make"):
        put(root, f"usr/local/bin/{name}", TO_THE_OUTSIDE.format(name=name), 0o755)
    put_systemctl(root, "/usr/bin/python3 -I")
    place = host.root / OUTSIDE
    host.mount(
        mount("--rbind", "/dev", host.root / "dev")
        + mount("-t", "proc", "proc", host.root / "proc")
        + f"touch {place}; mount --bind /proc/{os.getpid()}/ns/net {place}\n"
    )
    return _pip(root) | {"DEBIAN_FRONTEND": "noninteractive"}


def _pip(root: Path) -> dict[str, str]:
    """This host's configuration of pip, by which it reaches its packages."""
    settings = _output("python3", "-m", "pip", "config", "list")
    pairs = re.findall(r"^(?:global|:env:)\.([\w-]+)='(.*)'$", settings, re.MULTILINE)
    # Not what names files of this host.
    pairs = [(key, value) for key, value in pairs if not re.search(r"file:|^/", value)]
    env = {
        f"PIP_{key.upper().replace('-', '_')}": value.replace("\\n", " ") for key, value in pairs
    }
    if CERTIFICATES.exists():
        shutil.copy2(CERTIFICATES, root / "etc" / "host-certificates.crt")
        env["PIP_CERT"] = "/etc/host-certificates.crt"
    return env | {n: v for n, v in os.environ.items() if n.lower().endswith("_proxy")}


def _sources() -> list[list[str]]:
    """Address, suite and component of each of this release's package sources."""
    listed = _output(
        "apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
        "Created-By: Packages",
    )  # fmt: skip
    sources = [line.split() for line in listed.splitlines()]
    return [source for source in sources if source[1].startswith(_release())]


def _release() -> str:
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    found = re.search(r'^VERSION_CODENAME="?(\w+)', text, re.MULTILINE)
    if found is None:
        raise servers.Missing("Debian itself")
    return found[1]


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
