"""A catalog file that is wrong: one clear error, with the file, the line and the remedy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stackwise import paths
from stackwise.catalog import load_catalog
from stackwise.errors import CatalogError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a copy of the catalog to spoil."""
    return Path(shutil.copytree(paths.catalog_dir(), tmp_path / "catalog"))


def change(path: Path, old: str, new: str) -> int:
    """Replace the first `old` and return its line."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("components/web/nginx.yml", "licence:", "license:", "license"),
        ("components/web/nginx.yml", "good_at: [fast", "good_at: [Fast and loud", "good_at"),
        ("components/web/nginx.yml", "  minimum: 64", "  minimum: many", "minimum"),
        ("components/web/nginx.yml", 'memory_mb: "12 + 4 * cpus"', 'memory_mb: "open(1)"', "not part of the language"),
        ("components/process/upstart.yml", "  move:", "  moved:", "moved"),
        ("rules/fit.yml", "  kind: conflict", "  kind: verdict", "kind"),
        ("rules/weights.yml", "  of: [paas]", "  for: [paas]", "for"),
        ("tradeoffs.yml", "side: good_at", "side: bad_at", "side"),
        ("questions.yml", "  type: string", "  type: sting", "type"),
    ],
)
def test_a_fault_has_its_file_and_line(root: Path, name: str, old: str, new: str, says: str) -> None:
    line = change(root / name, old, new)
    with pytest.raises(CatalogError) as caught:
        load_catalog(root)
    where, _, _ = caught.value.message.removeprefix(f"{root / name}:").partition(":")
    assert caught.value.message.startswith(f"{root / name}:")
    assert abs(int(where) - line) <= 2
    assert says in caught.value.message
    assert caught.value.hint.endswith("`stackwise schema component`")


def test_a_file_that_is_no_yaml_says_where_it_stops_being_so(root: Path) -> None:
    path = root / "components" / "web" / "nginx.yml"
    path.write_text(path.read_text() + "notes: [unfinished\n")
    with pytest.raises(CatalogError) as caught:
        load_catalog(root)
    assert caught.value.message.startswith(f"{path}:")
    assert "stackwise catalog list" in caught.value.hint


def test_an_id_may_stand_once(root: Path) -> None:
    shutil.copy(root / "components" / "web" / "nginx.yml", root / "components" / "web" / "other.yml")
    with pytest.raises(CatalogError, match="twice"):
        load_catalog(root)


def test_a_missing_file_is_named(root: Path) -> None:
    (root / "questions.yml").unlink()
    with pytest.raises(CatalogError, match=r"questions\.yml is missing"):
        load_catalog(root)


def test_a_kept_copy_goes_when_a_file_changes(root: Path) -> None:
    assert load_catalog(root).component("nginx").name == "nginx"
    change(root / "components" / "web" / "nginx.yml", "name: nginx", "name: engine x")
    load_catalog.cache_clear()
    assert load_catalog(root).component("nginx").name == "engine x"


def test_a_kept_copy_that_was_spoilt_is_not_believed(root: Path) -> None:
    load_catalog(root)
    (copy,) = paths.cache_dir().glob("catalog-*.json")
    for spoilt in ("{", "[]", "{}", "null", '"text"'):
        copy.write_text(spoilt)
        load_catalog.cache_clear()
        assert load_catalog(root).component("nginx").name == "nginx"
    assert [path.name for path in paths.cache_dir().iterdir()] == [copy.name]


def test_a_cache_folder_that_cannot_be_written_is_no_loss(root: Path) -> None:
    paths.cache_dir().parent.mkdir(parents=True)
    paths.cache_dir().write_text("a file is in the way")
    assert load_catalog(root).component("nginx").name == "nginx"
