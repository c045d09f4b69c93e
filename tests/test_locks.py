"""What is installed is what the locks say, to the byte, and under licences that we know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.checkout import ROOT

NEEDED, DEV = ROOT / "requirements.txt", ROOT / "deploy/requirements/dev.txt"
LOCKS = [NEEDED, DEV, ROOT / "tests/bench/peers/requirements.txt"]
# Permissive, or weak copyleft of a library that is used as it comes. mysqlclient alone is GPL: it
# is loaded where an operator chooses MySQL or MariaDB, and nothing of it is passed on by us.
LICENCES = re.compile(
    r"(0BSD|(3-Clause )?BSD(-[23]-Clause| 3-Clause| License)?( License)?"
    r"|Apache(-2\.0| Software License)?|MIT(-0| License)?"
    r"|PSF-2\.0|Python Software Foundation License|ZPL-2\.1|TCL|Zlib|CC0-1\.0"
    r"|MPL-2\.0|Mozilla Public License 2\.0 \(MPL 2\.0\)|LGPL-3\.0-only|DFSG approved)"
)
UNTOLD = {"axe-playwright-python": "MIT"}  # by its repository
GPL = {"mysqlclient": "GPL-2.0-or-later"}


def entries(text: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Each requirement of a lock with its hashes."""
    for line in text.replace("\\\n", " ").splitlines():
        if line and line[0] not in "# -":
            hashes = re.findall(r"--hash=(\S+)", line)
            yield Requirement(re.sub(r"--hash=\S+", "", line).strip()), hashes


def here(lock: Any) -> Iterator[Requirement]:
    for requirement, _hashes in entries(lock.read_text(encoding="utf-8")):
        if requirement.marker is None or requirement.marker.evaluate():
            yield requirement


def licence(name: str) -> str:
    told = metadata.metadata(name)
    classifiers = told.get_all("Classifier") or []
    known = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License ::")]
    expression, text = (told.get_all(key) or [""] for key in ("License-Expression", "License"))
    return expression[0] or "; ".join(known) or text[0] or UNTOLD[name]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_requirement_is_pinned_with_its_hashes(lock: Any) -> None:
    found = list(entries(lock.read_text(encoding="utf-8")))
    assert len(found) > 3
    for requirement, hashes in found:
        assert re.fullmatch(r"==[^*]+", str(requirement.specifier)), requirement
        assert requirement.url is None, requirement
        assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes)


def test_what_is_installed_is_what_is_locked() -> None:
    wrong = [
        f"{wanted}: {metadata.version(wanted.name)} is installed"
        for wanted in [*here(NEEDED), *here(DEV)]
        if not wanted.specifier.contains(metadata.version(wanted.name))
    ]
    assert wrong == []


def test_licences_are_known() -> None:
    for name in sorted({wanted.name for wanted in [*here(NEEDED), *here(DEV)]}):
        told = licence(name)
        parts = [] if GPL.get(name) == told else re.split(r" (?:AND|OR) |; ", told)
        assert all(LICENCES.fullmatch(part) for part in parts), (name, told)


def test_scripts_are_pinned_with_their_hashes() -> None:
    lock = json.loads((ROOT / "deploy/js/package-lock.json").read_text(encoding="utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert len(packages) > 10
    for name, one in packages.items():
        assert one["integrity"].startswith("sha512-"), name
        assert re.fullmatch(r"\d[\w.+-]*", one["version"]), name
        assert LICENCES.fullmatch(one["license"]), (name, one["license"])
