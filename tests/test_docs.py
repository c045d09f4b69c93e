"""What the docs list is what the code has."""

from __future__ import annotations

import re

from tests.checkout import ROOT


def test_every_setting_is_documented() -> None:
    code = (ROOT / "arboris/settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', code))
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([A-Z_]+)`", page, re.MULTILINE))
    assert names >= {"DATABASE_URL", "ARBORIS_ANALYZER"}
    assert documented == names


def test_every_place_that_the_map_of_the_original_names_exists() -> None:
    page = (ROOT / "docs/original.md").read_text(encoding="utf-8")
    here = [row.split("|")[2] for row in page.splitlines() if row.startswith("| ")]
    paths = {
        path
        for cell in here
        for path in re.findall(
            r"`((?:arboris|analysis|notifications|deploy|tests)/[\w./-]*)`", cell
        )
    }
    assert len(paths) > 20
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []
