"""What the docs list is what the code has."""

from __future__ import annotations

import re

from tests.checkout import ROOT


def test_every_setting_is_documented() -> None:
    files = sorted((ROOT / "arboris").glob("*settings.py"))
    assert len(files) >= 3
    code = "".join(path.read_text(encoding="utf-8") for path in files)
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


PAGES = ("CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", "docs/hazards.md")


def test_every_file_that_the_door_names_exists() -> None:
    """Also ``queue/…`` and its like, which stand for a part of ``analysis/``."""
    rooms = "arboris|analysis|notifications|deploy|tests|docs|queue|analyzers|workspace"
    named = {
        (page, path)
        for page in PAGES
        for path in re.findall(
            rf"`((?:{rooms})/[\w./-]*)`", (ROOT / page).read_text(encoding="utf-8")
        )
    }
    assert len(named) > 40
    roots = (ROOT, ROOT / "analysis", ROOT / "arboris")
    assert sorted(x for x in named if not any((root / x[1]).exists() for root in roots)) == []


def test_every_hop_of_the_walk_is_in_the_code() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    hops = re.findall(r"^\| \d+ \| `([\w./]+)`(?: `([\w.]+)`)?", page, re.MULTILINE)
    assert 15 < len(hops) <= 25
    for path, name in hops:
        if path.endswith(".py") and name:
            code = (ROOT / path).read_text(encoding="utf-8")
            assert f"def {name.rpartition('.')[2]}(" in code, (path, name)


def test_every_picture_is_there_and_shown() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    shown = {
        (page.parent / path).resolve()
        for page in pages
        for path in re.findall(r"!\[[^]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    kept = {path.resolve() for path in (ROOT / "docs" / "images").iterdir()}
    assert shown == kept
