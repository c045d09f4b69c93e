"""The steps that docs/deployment.md prints."""

from __future__ import annotations

from tests.checkout import ROOT

PAGE = ROOT / "docs" / "deployment.md"


def steps(heading: str) -> list[str]:
    """The ``sh`` blocks below a heading, up to the next heading of any level."""
    found: list[str] = []
    here = False
    fence = ""
    block: list[str] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if fence and line == "```":
            if here and fence == "```sh":
                found.append("\n".join(block) + "\n")
            fence, block = "", []
        elif fence:
            block.append(line)
        elif line.startswith("```"):
            fence = line
        elif line.startswith("#"):
            here = line.lstrip("#").strip() == heading
    assert found, f"{PAGE.name} prints no step below {heading!r}"
    return found
