"""A folder that is no Git repository, as one archive: its files less what is ignored."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stackwise.errors import ProjectError
from stackwise.project.model import Snapshot
from stackwise.project.source import read_text, relative

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# Never deployed, whatever a .gitignore says: history, what tools made, local data, and all that may hold a secret.
_ALWAYS = """
.git
.hg
.svn
.stackwise/
/stackwise.yml
/stackwise.*.yml
__pycache__/
*.py[cod]
node_modules/
.venv/
.tox/
.nox/
.mypy_cache/
.ruff_cache/
.pytest_cache/
.DS_Store
*.sqlite3
*.sqlite3-journal
*.sqlite3-wal
*.sqlite3-shm
.env
.env.*
.envs/
!.env.example
!.env.sample
!.env.template
*.pem
*.key
id_rsa
id_ecdsa
id_ed25519
*.p12
*.pfx
""".splitlines()


_Member = tuple[str, int, bytes]
_PLAIN, _EXECUTABLE, _LINK = 0o100644, 0o100755, 0o120000


def snapshot(directory: Path, *, media: str | None = None) -> Snapshot:
    """Pack the files of `directory`; `media` is the folder of uploads relative to it, which stays behind.

    Raises ProjectError for a link that leaves the folder, for what can't be read, and when nothing is left to pack.
    """
    root = directory.resolve()
    if not root.is_dir():
        raise ProjectError(f"{directory}: not a folder", hint="name the project's folder")
    members = sorted(_member(path, root) for path in _files(root, root, [], _ours(media)))
    if not members:
        raise ProjectError(f"{directory}: nothing to deploy: every file is ignored", hint="look at its .gitignore")
    return Snapshot(_identity(members), _archive(members), tuple(name for name, _, _ in members))


def _ours(media: str | None) -> GitIgnoreSpec:
    """Return what stays behind whatever the project's own .gitignore says."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - only a snapshot needs it, and a scan must start fast

    inside = media and media not in {".", ".."} and not media.startswith(("/", "../"))
    return GitIgnoreSpec.from_lines([*_ALWAYS, f"/{_literal(media.strip('/'))}/"] if inside and media else _ALWAYS)


def _literal(path: str) -> str:
    return "".join(f"\\{character}" if character in "*?[]!#\\ " else character for character in path)


def _files(folder: Path, root: Path, above: list[tuple[Path, GitIgnoreSpec]], ours: GitIgnoreSpec) -> Iterator[Path]:
    """Return the files and links under `folder` that are not ignored; an ignored folder is not looked into."""
    specifications = [*above, *_gitignore(folder, root)]
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(folder, root, error) from error
    for entry in entries:
        path = Path(entry.path)
        is_folder = entry.is_dir(follow_symlinks=False)
        if _is_ignored(path, root, specifications, ours, is_folder=is_folder):
            continue
        if is_folder:
            if not (path / "pyvenv.cfg").exists():
                yield from _files(path, root, specifications, ours)
        elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
            yield path


def _gitignore(folder: Path, root: Path) -> Iterator[tuple[Path, GitIgnoreSpec]]:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - as above

    path = folder / ".gitignore"
    if path.is_file():
        yield folder, GitIgnoreSpec.from_lines(read_text(path, root).splitlines())


def _is_ignored(
    path: Path, root: Path, specifications: list[tuple[Path, GitIgnoreSpec]], ours: GitIgnoreSpec, *, is_folder: bool
) -> bool:
    """Decide as Git does: the deepest .gitignore that has a word about `path` decides."""
    slash = "/" if is_folder else ""
    if ours.match_file(path.relative_to(root).as_posix() + slash):
        return True
    for folder, specification in reversed(specifications):
        said = specification.check_file(path.relative_to(folder).as_posix() + slash).include
        if said is not None:
            return said
    return False


def _member(path: Path, root: Path) -> _Member:
    name = path.relative_to(root).as_posix()
    try:
        if path.is_symlink():
            return name, _LINK, os.fsencode(_link_target(path, root))
        executable = path.stat().st_mode & stat.S_IXUSR
        return name, _EXECUTABLE if executable else _PLAIN, path.read_bytes()
    except OSError as error:
        raise _unreadable(path, root, error) from error


def _link_target(path: Path, root: Path) -> str:
    """Return where a link points, relative to itself; the place must be inside the project."""
    target = Path(os.path.normpath(path.parent / path.readlink()))
    if not target.is_relative_to(root) or not path.resolve().is_relative_to(root):
        hint = "copy what it points to into the project, or add the link to .gitignore"
        raise ProjectError(f"{relative(path, root)}: a link that leaves the project ({path.readlink()})", hint=hint)
    return Path(os.path.relpath(target, path.parent)).as_posix()


def _unreadable(path: Path, root: Path, error: OSError) -> ProjectError:
    reason = error.strerror or type(error).__name__
    return ProjectError(
        f"{relative(path, root)}: cannot be read: {reason}", hint="make it readable, or add it to .gitignore"
    )


def _identity(members: list[_Member]) -> str:
    """Return a name for the content: each part goes in with its length, so that no two lists of files look alike."""
    digest = hashlib.sha256()
    for name, mode, data in members:
        encoded = name.encode("utf-8", "surrogateescape")
        digest.update(b"%d %d %o\0" % (len(encoded), len(data), mode) + encoded + data)
    return digest.hexdigest()[:12]


def _archive(members: list[_Member]) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", fileobj=packed, mtime=0) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for name, mode, data in members:
            info = tarfile.TarInfo(name)
            info.mode = 0o777 if mode == _LINK else mode & 0o777
            if mode == _LINK:
                info.type, info.linkname = tarfile.SYMTYPE, data.decode("utf-8", "surrogateescape")
                archive.addfile(info)
            else:
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()
