"""Make the virtual environment of a release, or find the one that has the same requirements."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WHEELS = Path("/usr/share/python-wheels")
NESTED = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[ =]?\s*(\S+)", re.MULTILINE)
REASONS = [
    (r"No matching distribution found for (.+)", "nothing that can be installed was found for {}"),
    (
        r"Collecting (\S+)(?:(?!Collecting)[\s\S])*subprocess-exited-with-error",
        "{} has no wheel for this Python and would need a compiler",
    ),
    (
        r"(?:Failed building wheel for|Failed to build|ERROR: Failed to build '?)\s*([^\s']+)",
        "{} has no wheel for this Python and would need a compiler",
    ),
    (r"Invalid requirement: (.+)", "this is no requirement: {}"),
    (r"Could not open requirements file: .*'(.+)'", "there is no requirements file {}"),
    (
        r"Cannot install (.+) because these package versions have conflicting dependencies",
        "these ask for versions that exclude each other: {}",
    ),
    (r"No space left on device()", "the disk is full{}"),
    (
        r"(?:Name or service not known|Temporary failure in name resolution|Network is unreachable)()",
        "the package index can't be reached{}",
    ),
]


def with_nested(path: Path, seen: dict[Path, bytes]) -> dict[Path, bytes]:
    """Add a requirements file and those it includes, with their content."""
    if path not in seen and path.is_file():
        seen[path] = path.read_bytes()
        for name in NESTED.findall(seen[path].decode(errors="replace")):
            with_nested((path.parent / name).resolve(), seen)
    return seen


def key(python: str, files: list[Path], packages: list[str], constraints: list[str]) -> str:
    """Name an environment after all that decides what is in it."""
    seen: dict[Path, bytes] = {}
    for path in files:
        with_nested(path.resolve(), seen)
    parts = [python.encode(), *seen.values(), *(line.encode() for line in (*packages, "--", *constraints))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def reason(output: str) -> str:
    """Say in a line why pip failed; its first complaint is the cause, the later ones follow from it."""
    for pattern, words in REASONS:
        if found := re.search(pattern, output):
            return words.format(found[1].strip())
    lines = [line for line in output.splitlines() if line.startswith("ERROR")]
    return lines[0] if lines else "pip failed"


def install(venv: Path, user: str, arguments: list[str]) -> None:
    """Install as the site's user: a package that runs code of its own on the way does not do it as root."""
    pip = next(iter(sorted(WHEELS.glob("pip-*.whl"))))
    with tempfile.TemporaryDirectory(prefix="stackwise-pip-") as home:
        shutil.chown(home, user)
        done = subprocess.run(
            [
                "runuser",
                f"--user={user}",
                "--",
                venv / "bin/python",
                pip / "pip",
                "install",
                "--no-cache-dir",
                "--no-input",
                "--prefer-binary",
                "--progress-bar=off",
                *arguments,
            ],
            env={
                "PIP_CERT": "/etc/ssl/certs/ca-certificates.crt",
                **os.environ,
                "HOME": home,
                "TMPDIR": home,
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        output = done.stdout + done.stderr
        sys.stdout.write(output)
        sys.exit(f"The Python packages could not be installed: {reason(output)}.")


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("release", "venvs"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--user", required=True)
    for name in ("requirements", "packages", "constraints"):
        parser.add_argument(f"--{name}", type=json.loads, required=True)
    asked = parser.parse_args()
    files = [asked.release / "app" / name for name in asked.requirements]
    venv: Path = asked.venvs / key(sys.version, files, asked.packages, asked.constraints)
    # Without its marker an environment is what an interrupted run left.
    marker = venv / ".complete"
    if not marker.exists():
        shutil.rmtree(venv, ignore_errors=True)
        # pip is used from Debian's own wheel and does not stay: a server has no need of it later.
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        shutil.chown(venv, asked.user)
        subprocess.run(["chown", "--recursive", asked.user, venv], check=True)
        constraints = venv / "constraints.txt"
        constraints.write_text("\n".join(asked.constraints) + "\n")
        arguments = [f"--constraint={constraints}", *(f"--requirement={path}" for path in files), *asked.packages]
        if files or asked.packages:
            install(venv, asked.user, arguments)
        subprocess.run(["chown", "--recursive", "root:root", venv], check=True)
        marker.touch()
    link = asked.release / "venv"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("../../venvs") / venv.name)


main()
