"""Projects of strangers, built in a folder, and their settings as Django itself sees them, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from stackwise.plan.decisions import decide
from stackwise.plan.settings import Decisions, Setting, SiteFacts, core_settings
from stackwise.project import Project, scan
from stackwise.render.overlay import render_overlay

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
KEY = "a-key-for-tests-with-enough-signs-0123456789-abcdefghijklmnopqrstuvwxyz"
HOSTS = ("shop.example", "203.0.113.7")

POSTGRESQL = Setting(
    "DATABASES.default",
    {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "shop",
        "USER": "shop",
        "HOST": "/run/postgresql",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    },
    "The database of the stack.",
)
REDIS = Setting(
    "CACHES.default",
    {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "unix:///run/redis/redis-server.sock?db=0",
        "KEY_PREFIX": "shop",
    },
    "The cache of the stack.",
)
MANAGE = """\
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
SETTINGS = """\
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.staticfiles"]
ROOT_URLCONF = "shop.urls"
"""
_SHOW = """\
import json, sys
from pathlib import PurePath
from django.conf import settings
print(json.dumps({name: getattr(settings, name) for name in json.load(sys.stdin)}, default=str))
"""


def facts(tmp_path: Path, *, tls: bool = True) -> SiteFacts:
    return SiteFacts(HOSTS, tls, str(tmp_path / "static"), str(tmp_path / "media"))


def make(root: Path, settings: str, **files: str) -> Project:
    """Build a small Django project around `settings` and scan it; `files` are named with __ for a slash."""
    everything = {
        "manage.py": MANAGE,
        "shop/__init__.py": "",
        "shop/urls.py": "urlpatterns = []\n",
        "shop/settings.py": SETTINGS + settings,
        "shop/wsgi.py": "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n",
        **{name.replace("__", "/") + ".py": text for name, text in files.items()},
    }
    for name, text in everything.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return scan(root)


def wishes(tmp_path: Path, *more: Setting, tls: bool = True) -> list[Setting]:
    return [*core_settings(facts(tmp_path, tls=tls)), *more]


class Site:
    """A project with its overlay, as it lies on a server."""

    def __init__(self, project: Project, decisions: Decisions, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name, text in render_overlay(project, decisions).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        root = Path(project.root)
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": f"{folder}:{root / project.app_dir}",
            "DJANGO_SETTINGS_MODULE": "stackwise_settings",
            "SECRET_KEY": KEY,
            **decisions.environment,
        }

    def run(self, *arguments: str, given: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        environment = {**self.environment, **more}
        return subprocess.run(
            command,
            env=environment,
            cwd=self.folder,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def settings(self, *names: str) -> dict[str, Any]:
        done = self.run("-c", _SHOW, given=json.dumps(names))
        assert done.returncode == 0, done.stderr
        shown = json.loads(done.stdout)
        assert isinstance(shown, dict)
        return shown

    def manage(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "django", *arguments, **more)


def put_up(tmp_path: Path, project: Project, *more: Setting, tls: bool = True) -> tuple[Site, Decisions]:
    decisions = decide(project, wishes(tmp_path, *more, tls=tls))
    return Site(project, decisions, tmp_path / "overlay"), decisions
