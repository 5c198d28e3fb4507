"""What goes into a snapshot, and that the same files give the same bytes."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from stackwise.errors import ProjectError
from stackwise.project import snapshot

STAYS = """\
.git/config
.env
.env.production
.venv/bin/python
odd/pyvenv.cfg
odd/lib/x.py
site/__pycache__/x.cpython-311.pyc
node_modules/x/y.js
.stackwise/runs/1.json
stackwise.yml
stackwise.staging.yml
db.sqlite3
data/x.sqlite3
deploy.key
tls/site.pem
id_ed25519
media/avatars/me.png"""


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    for folder, when in (("a", 1), ("b", 2_000_000_000)):
        write(tmp_path / folder, "manage.py", "site/settings.py")
        os.utime(tmp_path / folder / "manage.py", (when, when))
    (tmp_path / "b" / "site" / "settings.py").chmod(0o600)
    first, second = snapshot(tmp_path / "a"), snapshot(tmp_path / "b")
    assert (first.id, first.archive) == (second.id, second.archive)
    assert len(first.id) == 12


@pytest.mark.parametrize("change", ["name", "content", "mode"])
def test_every_difference_gives_another_id(tmp_path: Path, change: str) -> None:
    write(tmp_path, "a.py", "b.py")
    before = snapshot(tmp_path).id
    if change == "name":
        (tmp_path / "a.py").rename(tmp_path / "c.py")
    elif change == "content":
        (tmp_path / "a.py").write_text("other")
    else:
        (tmp_path / "a.py").chmod(0o755)
    assert snapshot(tmp_path).id != before


def test_what_stays_behind(tmp_path: Path) -> None:
    stays = STAYS.splitlines()
    goes = ["manage.py", ".env.example", "site/settings.py", "static/media/x.css", "keys.py", "docs/stackwise.yml"]
    write(tmp_path, *stays, *goes)
    assert sorted(snapshot(tmp_path, media="media").files) == sorted(goes)


def test_gitignore_as_git_reads_it(tmp_path: Path) -> None:
    write(tmp_path, "a.log", "keep.log", "build/x", "sub/a.txt", "sub/b.txt", "sub/deep/c.txt", "dist/!odd", "x.py")
    (tmp_path / ".gitignore").write_text("*.log\n!keep.log\nbuild/\n/sub/*.txt\n\\!odd\n")
    (tmp_path / "sub" / ".gitignore").write_text("!b.txt\ndeep/\n")
    assert snapshot(tmp_path).files == (".gitignore", "keep.log", "sub/.gitignore", "sub/b.txt", "x.py")


def test_the_archive_holds_plain_modes_and_nobody(tmp_path: Path) -> None:
    write(tmp_path, "manage.py", "a b/ü'$(x).txt")
    (tmp_path / "manage.py").chmod(0o4711)
    (tmp_path / "link").symlink_to("a b")
    with tarfile.open(fileobj=io.BytesIO(snapshot(tmp_path).archive)) as archive:
        members = {member.name: member for member in archive}
    assert sorted(members) == ["a b/ü'$(x).txt", "link", "manage.py"]
    assert [members[name].mode for name in ("manage.py", "a b/ü'$(x).txt")] == [0o755, 0o644]
    assert {(m.uid, m.gid, m.mtime, m.uname) for m in members.values()} == {(0, 0, 0, "")}
    assert members["link"].linkname == "a b"


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "sub/../../outside", "chain"])
def test_a_link_that_leaves_is_refused(tmp_path: Path, target: str) -> None:
    write(tmp_path, "outside", "project/sub/x")
    root = tmp_path / "project"
    (root / "chain").symlink_to("../outside")
    (root / "a-link").symlink_to(target)
    with pytest.raises(ProjectError, match="a link that leaves the project") as caught:
        snapshot(root)
    assert ".gitignore" in caught.value.hint


def test_an_ignored_link_and_a_pipe_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "x.py")
    (tmp_path / ".gitignore").write_text("out\n")
    (tmp_path / "out").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    assert snapshot(tmp_path).files == (".gitignore", "x.py")


def test_an_absolute_link_inside_becomes_relative(tmp_path: Path) -> None:
    write(tmp_path, "a/x", "b/y")
    (tmp_path / "b" / "link").symlink_to(tmp_path / "a" / "x")
    with tarfile.open(fileobj=io.BytesIO(snapshot(tmp_path).archive)) as archive:
        assert archive.getmember("b/link").linkname == "../a/x"


def test_nothing_to_pack(tmp_path: Path) -> None:
    write(tmp_path, ".env")
    with pytest.raises(ProjectError, match="nothing to deploy"):
        snapshot(tmp_path)
    with pytest.raises(ProjectError, match="not a folder"):
        snapshot(tmp_path / "nowhere")
