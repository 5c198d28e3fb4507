"""Compress what is new of the static files, with gzip and brotli, and compile the release's own code."""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
from pathlib import Path

# What browsers can unpack and gains from it; images and modern fonts are compressed already.
ENDINGS = {".css", ".js", ".mjs", ".svg", ".json", ".map", ".txt", ".html", ".xml", ".webmanifest", ".wasm", ".ttf"}
SMALLEST = 256
TOOLS = {
    ".gz": ["/usr/bin/gzip", "--keep", "--force", "--best"],
    ".br": ["/usr/bin/brotli", "--keep", "--force", "--quality=9"],
}


def new_files(root: Path, ending: str) -> list[Path]:
    """Find the files that have no compressed copy, or an older one."""
    found = []
    for path in root.rglob("*"):
        if path.suffix in ENDINGS and path.is_file() and path.stat().st_size >= SMALLEST:
            copy = path.with_name(path.name + ending)
            if not copy.exists() or copy.stat().st_mtime < path.stat().st_mtime:
                found.append(path)
    return found


def start(tool: list[str], files: list[Path]) -> subprocess.Popen[bytes]:
    """Start a tool on files by way of xargs, which knows how many names a command line takes."""
    process = subprocess.Popen(["/usr/bin/xargs", "--null", "--no-run-if-empty", *tool, "--"], stdin=subprocess.PIPE)
    if process.stdin:
        process.stdin.write(b"\0".join(os.fsencode(path) for path in files))
        process.stdin.close()
    return process


def main() -> None:
    """Compress in two processes and compile in this one, at the same time."""
    static, release = map(Path, sys.argv[1:3])
    os.umask(0o022)
    running = [start(tool, new_files(static, ending)) for ending, tool in TOOLS.items()]
    compileall.compile_dir(release / "app", quiet=2)
    compileall.compile_dir(release / "settings", quiet=2)
    failed = [process.args for process in running if process.wait()]
    if failed:
        sys.exit(f"Some static files could not be compressed: {failed}.")


if __name__ == "__main__":
    main()
