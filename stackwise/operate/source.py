"""Where a project's files come from: a folder as it is, or a Git repository at a ref."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import tarfile
from pathlib import Path

from stackwise import paths
from stackwise.errors import ProjectError

_URL = re.compile(r"(https?|ssh|git|file)://|[\w.-]+@[\w.-]+:")
_SECONDS = 600


def source_folder(source: str, ref: str | None, folder: Path) -> Path:
    """Return a folder with the project's files: `source` itself, or what Git has at `ref`, laid out in the cache.

    A relative `source` starts at `folder`. Raises ProjectError with Git's own words.
    """
    remote = bool(_URL.match(source))
    place = source if remote else str((folder / Path(source).expanduser()).resolve())
    if not remote and not Path(place).is_dir():
        raise ProjectError(f"there is no folder {place}", hint="say where the project is: --set project.source=FOLDER")
    if not remote and ref is None:
        return Path(place)
    return _exported(place, ref or "HEAD", remote=remote)


def _exported(place: str, ref: str, *, remote: bool) -> Path:
    """Lay out the commit that `ref` names, below the cache and named by its id."""
    repository = _mirror(place) if remote else Path(place)
    commit = (
        _git(repository, "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}", place=place).decode().strip()
    )
    target = paths.cache_dir() / "sources" / f"{hashlib.sha256(place.encode()).hexdigest()[:12]}-{commit[:12]}"
    if not target.exists():
        # In a folder of the repository Git archives that folder alone.
        archive = _git(repository, "archive", "--format=tar", commit, place=place)
        unfinished = target.with_suffix(".new")
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(unfinished, filter="data")
        unfinished.rename(target)
    return target


def _mirror(url: str) -> Path:
    mirror = paths.cache_dir() / "mirrors" / hashlib.sha256(url.encode()).hexdigest()[:16]
    if mirror.exists():
        _git(mirror, "fetch", "--quiet", "--prune", "origin", "+refs/*:refs/*", place=url)
    else:
        mirror.parent.mkdir(parents=True, exist_ok=True)
        _git(mirror.parent, "clone", "--quiet", "--mirror", "--", url, str(mirror), place=url)
    return mirror


def _git(folder: Path, *arguments: str, place: str) -> bytes:
    try:
        argv = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(argv, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603 - our own arguments
    except FileNotFoundError as exc:
        raise ProjectError("there is no git here", hint="install it: apt install git") from exc
    except subprocess.TimeoutExpired as exc:
        raise ProjectError(
            f"git did not finish with {place} in {_SECONDS} s", hint="try it by hand: git clone"
        ) from exc
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
        raise ProjectError(
            f"git cannot read {place}: {last[0]}", hint="look at project.source and project.ref: stackwise check"
        )
    return done.stdout
