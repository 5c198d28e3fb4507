"""The generated pages say what the code says now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

GENERATOR = Path(__file__).resolve().parents[2] / "docs" / "reference" / "generate.py"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Make the pages in a process of its own: click remembers how a command was called before."""
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, str(GENERATOR), str(folder)], check=True)
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*.md")}


@pytest.mark.parametrize("name", ["commands.md", "component.md", "answers.md", "roles.md", "providers/README.md"])
def test_page_is_not_stale(pages: dict[str, str], name: str) -> None:
    assert (GENERATOR.parent / name).read_text(encoding="utf-8") == pages[name], "make it anew: make docs"


def test_every_provider_has_a_page_and_none_is_stale(pages: dict[str, str]) -> None:
    there = {f"providers/{path.name}": path.read_text("utf-8") for path in (GENERATOR.parent / "providers").iterdir()}
    assert there == {name: page for name, page in pages.items() if name.startswith("providers/")}, "make docs"
