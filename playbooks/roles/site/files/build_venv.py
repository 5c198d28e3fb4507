"""Make the virtual environment of a release, or find the one that was made from the same requirements."""

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

PIP_WHEELS = Path("/usr/share/python-wheels")
NESTED = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[ =]?\s*(\S+)", re.MULTILINE)
NEEDS_COMPILER = "{} has no wheel for this Python, and would need a compiler or a library that the server has not"
# What pip says, and what it means; the first that fits is the cause, the others follow from it.
REASONS = [
    (r"No space left on device()", "the disk is full"),
    (r"Invalid requirement: (.+)", "this is no requirement: {}"),
    (r"Could not open requirements file: .*'(.+)'", "there is no requirements file {}"),
    (r"(?:Name or service not known|name resolution|Network is unreachable)()", "the package index can't be reached"),
    (
        r"CERTIFICATE_VERIFY_FAILED()",
        "the certificate of the package index is signed by an authority that is not trusted",
    ),
    (r"Collecting (\S+)(?:(?!Collecting)[\s\S])*subprocess-exited-with-error", NEEDS_COMPILER),
    (r"(?:Failed building wheel for|Failed to build) ([^\s']+)", NEEDS_COMPILER),
    (r"Cannot install (.+) because these package versions have", "these exclude each other: {}"),
    (r"No matching distribution found for (.+)", "nothing that could be installed was found for {}"),
    (r"ERROR: (.+)", "{}"),
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
    """Say in a line why pip failed."""
    for pattern, words in REASONS:
        if found := re.search(pattern, output):
            return words.format(found[1].strip())
    return "pip failed without a word"


def pip_install(venv: Path, user: str, arguments: list[str]) -> None:
    """Install as the site's user: a package that runs code of its own on the way does not run it as root."""
    # pip is used from Debian's own wheel and does not stay: the server has no need of it later.
    pip = next(iter(sorted(PIP_WHEELS.glob("pip-*.whl")))) / "pip"
    options = ["--no-cache-dir", "--no-input", "--prefer-binary", "--progress-bar=off"]
    with tempfile.TemporaryDirectory(prefix="stackwise-pip-") as home:
        shutil.chown(home, user)
        done = subprocess.run(
            ["/usr/sbin/runuser", f"--user={user}", "--", venv / "bin/python", pip, "install", *options, *arguments],
            env={"PIP_CERT": "/etc/ssl/certs/ca-certificates.crt", **os.environ, "HOME": home, "TMPDIR": home},
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        output = done.stdout + done.stderr
        sys.stdout.write(output)
        sys.exit(f"The Python packages could not be installed: {reason(output)}.")


def build(venv: Path, user: str, files: list[Path], packages: list[str], constraints: list[str]) -> None:
    """Make the environment at its final place, since its programs name that place in their first lines."""
    shutil.rmtree(venv, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    subprocess.run(["/usr/bin/chown", "--recursive", user, venv], check=True)
    pins = venv / "constraints.txt"
    pins.write_text("\n".join(constraints) + "\n")
    if files or packages:
        pip_install(venv, user, [f"--constraint={pins}", *(f"--requirement={path}" for path in files), *packages])
    subprocess.run(["/usr/bin/chown", "--recursive", "root:root", venv], check=True)


def main() -> None:
    """Read what is asked for, build it if it is not there, and link the release to it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--release", type=Path, required=True)
    parser.add_argument("--venvs", type=Path, required=True)
    parser.add_argument("--user", required=True)
    for name in ("--requirements", "--packages", "--constraints"):
        parser.add_argument(name, type=json.loads, required=True)
    asked = parser.parse_args()
    files = [asked.release / "app" / name for name in asked.requirements]
    venv: Path = asked.venvs / key(sys.version, files, asked.packages, asked.constraints)
    # Without its marker an environment is what an interrupted run left.
    if not (venv / ".complete").exists():
        build(venv, asked.user, files, asked.packages, asked.constraints)
        (venv / ".complete").touch()
    link = asked.release / "venv"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("../../venvs") / venv.name)


if __name__ == "__main__":
    main()
