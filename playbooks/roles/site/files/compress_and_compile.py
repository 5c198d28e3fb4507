"""Compress what is new of the static files, with gzip and brotli, and compile the release's own code."""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
from pathlib import Path

# What browsers can unpack gains from it; images and fonts are compressed already.
ENDINGS = {
    ".css",
    ".js",
    ".mjs",
    ".svg",
    ".json",
    ".map",
    ".txt",
    ".html",
    ".xml",
    ".ico",
    ".webmanifest",
    ".wasm",
    ".ttf",
    ".otf",
    ".eot",
}
SMALLEST = 256
TOOLS = {".gz": ["gzip", "--keep", "--force", "--best"], ".br": ["brotli", "--keep", "--force", "--quality=9"]}


def new_files(root: Path, ending: str) -> list[Path]:
    """Find the files that have no compressed copy, or an older one."""
    found = []
    for path in root.rglob("*"):
        if path.suffix in ENDINGS and path.is_file() and path.stat().st_size >= SMALLEST:
            copy = path.with_name(path.name + ending)
            if not copy.exists() or copy.stat().st_mtime < path.stat().st_mtime:
                found.append(path)
    return found


def main() -> None:
    static, release = map(Path, sys.argv[1:3])
    os.umask(0o022)
    running = []
    for ending, tool in TOOLS.items():
        if files := new_files(static, ending):
            running.append(subprocess.Popen([*tool, "--", *files]))
    compileall.compile_dir(release / "app", quiet=2)
    compileall.compile_dir(release / "settings", quiet=2)
    if any(process.wait() for process in running):
        sys.exit("Some static files could not be compressed.")


main()
