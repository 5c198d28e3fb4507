"""Where things are: our own data, and the user's files.

The folders follow the XDG base directory specification: records and secrets are state, the sandbox's cached base is
cache, the keys and the theme that somebody likes are configuration.
https://specifications.freedesktop.org/basedir-spec/latest/
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

# The answers file of a folder, where nobody names another one.
DEFAULT_FILE = "stackwise.yml"


def answers_flag(path: Path) -> str:
    """Return what names an answers file in a command, with a space before it; nothing where it is the usual one."""
    return "" if path == Path(DEFAULT_FILE) else f" -a {shlex.quote(str(path))}"


def data_dir() -> Path:
    """Return the folder that holds `catalog/` and `playbooks/`: inside an installed wheel, else the checkout."""
    installed = _PACKAGE / "_data"
    return installed if installed.is_dir() else _PACKAGE.parent


def catalog_dir() -> Path:
    """Return the folder of the component catalog."""
    return data_dir() / "catalog"


def roles_dir() -> Path:
    """Return the folder of the Ansible roles."""
    return data_dir() / "playbooks" / "roles"


def state_dir() -> Path:
    """Return the user's folder for journals, keys and secrets (made 0700 by whoever writes there first)."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "stackwise"


def config_dir() -> Path:
    """Return the user's folder for what is a matter of taste: keys and theme."""
    return _xdg("XDG_CONFIG_HOME", ".config") / "stackwise"


def cache_dir() -> Path:
    """Return the user's folder for what can be made again, such as the sandbox's base systems."""
    return _xdg("XDG_CACHE_HOME", ".cache") / "stackwise"


def _xdg(variable: str, fallback: str) -> Path:
    value = os.environ.get(variable, "")
    # The specification says that a relative path is invalid and must be ignored.
    return Path(value) if value.startswith("/") else Path.home() / fallback
