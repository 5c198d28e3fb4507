"""Layouts of strangers' projects, each built in a folder of its own and read without running it."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest

from stackwise.errors import ProjectError
from stackwise.project import Project, evaluate, scan

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

MANAGE = """\
import os
def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{settings}")
    from django.core.management import execute_from_command_line
"""
WSGI = """\
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{settings}")
application = get_wsgi_application()
"""
SETTINGS = """\
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
INSTALLED_APPS = ["django.contrib.staticfiles"]
ROOT_URLCONF = "site.urls"
"""


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def django(root: Path, settings: str, files: dict[str, str | bytes]) -> Project:
    package = settings.split(".", maxsplit=1)[0]
    entries: dict[str, str | bytes] = {
        "manage.py": MANAGE.format(settings=settings),
        f"{package}/__init__.py": "",
        f"{package}/wsgi.py": WSGI.format(settings=settings),
    }
    return scan(write(root, {**entries, **files}))


def variables(project: Project) -> dict[str, tuple[str, str, bool, tuple[str, ...]]]:
    return {each.name: (each.reader, each.cast, each.required, each.feeds) for each in project.environment}


def test_what_the_generator_makes() -> None:
    project = scan(EXAMPLES / "startproject")
    assert project.settings == "mysite.settings"
    assert project.wsgi == "mysite.wsgi:application"
    assert project.django_version == "~=5.2.0"
    assert project.requirements.packages == ("Django~=5.2.0",)
    assert project.databases[0].engine == "django.db.backends.sqlite3"
    assert next(str(finding) for finding in project.findings if "DEBUG" in finding.message).startswith(
        "mysite/settings.py:26"
    )
    json.dumps(dataclasses.asdict(project))


def test_the_written_key_is_in_no_part_of_the_scan(tmp_path: Path) -> None:
    text = SETTINGS + (
        "import os\nSECRET_KEY = os.environ.get('KEY', 'canary-1') or 'canary-2'\n"
        "DATABASES = {'default': {'PASSWORD': os.environ.get('P', 'canary-3'), 'USER': os.environ['U']}}\n"
        "BROKER = os.environ.get('BROKER_URL', 'amqp://me:canary-4@host')\n"
        "import environ\nenv = environ.Env(API_TOKEN=(str, 'canary-5'))\nTOKEN = env('API_TOKEN')\n"
        "OTHER = 'https://me:canary-6@host/' + os.environ['REST']\n"
    )
    project = django(tmp_path, "site.settings", {"site/settings.py": text})
    assert "canary" not in json.dumps(dataclasses.asdict(project))


def test_a_package_by_environment_prefers_production(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "config/settings/__init__.py": "",
        "config/settings/base.py": SETTINGS + "DEBUG = True\nSTATIC_URL = '/s/'\nINSTALLED_APPS += ['shop']\n",
        "config/settings/local.py": "from .base import *\n",
        "config/settings/test.py": "from .base import *\n",
        "config/settings/production.py": "from .base import *\nDEBUG = False\nSTATIC_ROOT = BASE_DIR / 'out'\n",
    }
    project = django(tmp_path, "config.settings.local", files)
    assert project.settings == "config.settings.production"
    assert next(each.module for each in project.settings_candidates) == "config.settings.production"
    assert project.installed_apps == ("django.contrib.staticfiles", "shop")
    assert project.literals is not None
    assert project.literals["DEBUG"] is False
    assert project.static_root == "config/out"
    assert project.static_url == "/s/"


@pytest.mark.parametrize("name", ["prod", "live", "production", "settings_prod"])
def test_names_of_production(tmp_path: Path, name: str) -> None:
    files: dict[str, str | bytes] = {
        f"site/settings/{each}.py": SETTINGS for each in ("base", "dev", "ci", "staging", name)
    }
    assert django(tmp_path, "site.settings.dev", files).settings == f"site.settings.{name}"


def test_a_test_module_is_taken_only_when_there_is_nothing_else(tmp_path: Path) -> None:
    project = django(tmp_path, "site.settings.local", {"site/settings/local.py": SETTINGS})
    assert project.settings == "site.settings.local"
    assert any("not for users" in finding.message for finding in project.findings)


def test_under_src(tmp_path: Path) -> None:
    files = {
        "src/manage.py": MANAGE.format(settings="shop.settings"),
        "src/shop/__init__.py": "",
        "src/shop/settings.py": SETTINGS,
        "src/shop/wsgi.py": WSGI.format(settings="shop.settings"),
        "pyproject.toml": '[project]\nname = "My Shop"\nrequires-python = ">=3.11"\n'
        'dependencies = ["Django>=5.1", "redis[hiredis]"]\n',
    }
    project = scan(write(tmp_path, dict(files)))
    assert (project.app_dir, project.manage, project.settings) == ("src", "src/manage.py", "shop.settings")
    assert project.wsgi == "shop.wsgi:application"
    assert (project.name, project.requires_python, project.django_version) == ("my-shop", ">=3.11", ">=5.1")
    assert project.requirements.names == ("django", "redis")


def test_manage_above_src(tmp_path: Path) -> None:
    files = {
        "manage.py": MANAGE.format(settings="shop.settings"),
        "src/shop/settings.py": SETTINGS,
        "src/shop/wsgi.py": WSGI.format(settings="shop.settings"),
    }
    project = scan(write(tmp_path, dict(files)))
    assert (project.app_dir, project.manage, project.wsgi) == ("src", "manage.py", "shop.wsgi:application")


def test_a_flat_project_without_manage(tmp_path: Path) -> None:
    files = {"settings.py": SETTINGS, "wsgi.py": WSGI.format(settings="settings"), "urls.py": ""}
    project = scan(write(tmp_path, dict(files)))
    assert (project.settings, project.wsgi, project.manage, project.app_dir) == (
        "settings",
        "wsgi:application",
        None,
        ".",
    )


def test_cookiecutter_django(tmp_path: Path) -> None:
    base = (
        "from pathlib import Path\nimport environ\nBASE_DIR = Path(__file__).resolve().parent.parent.parent\n"
        "APPS_DIR = BASE_DIR / 'shop'\nenv = environ.Env()\nDJANGO_APPS = ['django.contrib.staticfiles']\n"
        "LOCAL_APPS = ['shop.users']\nINSTALLED_APPS = DJANGO_APPS + LOCAL_APPS\nROOT_URLCONF = 'config.urls'\n"
        "WSGI_APPLICATION = 'config.wsgi.application'\nDEBUG = env.bool('DJANGO_DEBUG', False)\n"
        "DATABASES = {'default': env.db('DATABASE_URL')}\nDATABASES['default']['ATOMIC_REQUESTS'] = True\n"
        "STATIC_ROOT = str(BASE_DIR / 'staticfiles')\nSTATIC_URL = '/static/'\nMEDIA_ROOT = str(APPS_DIR / 'media')\n"
        "REDIS_URL = env('REDIS_URL', default='redis://redis:6379/0')\n"
    )
    production = (
        "from .base import *  # noqa\nfrom .base import DATABASES, env\n"
        "SECRET_KEY = env('DJANGO_SECRET_KEY')\n"
        "ALLOWED_HOSTS = env.list('DJANGO_ALLOWED_HOSTS', default=['example.com'])\n"
        "DATABASES['default']['CONN_MAX_AGE'] = env.int('CONN_MAX_AGE', default=60)\n"
        "CACHES = {'default': {'BACKEND': 'django_redis.cache.RedisCache', 'LOCATION': REDIS_URL}}\n"
        "STORAGES = {'staticfiles': {'BACKEND': 'whitenoise.storage.CompressedManifestStaticFilesStorage'}}\n"
    )
    files: dict[str, str | bytes] = {
        "config/settings/__init__.py": "",
        "config/settings/base.py": base,
        "config/settings/local.py": "from .base import *\n",
        "config/settings/production.py": production,
        "requirements/base.txt": "django==5.1.4  # https://www.djangoproject.com/\ndjango-redis==5.4\nwhitenoise==6.8\n",
        "requirements/production.txt": "-r base.txt\ngunicorn==23\npsycopg[c]==3.2 \\\n    --hash=sha256:00\n",
        "requirements/local.txt": "-r base.txt\npytest\n",
        "package.json": '{"scripts": {"build": "webpack"}}',
    }
    project = django(tmp_path, "config.settings.local", files)
    assert project.settings == "config.settings.production"
    assert project.requirements.files == ("requirements/production.txt",)
    assert project.requirements.included == ("requirements/base.txt",)
    assert project.requirements.names == ("django", "django-redis", "whitenoise", "gunicorn", "psycopg")
    assert project.django_version == "==5.1.4"
    assert project.media_root == "shop/media"
    assert project.static_storage == "whitenoise.storage.CompressedManifestStaticFilesStorage"
    assert project.frontend_build == "package.json"
    assert project.uses == ("django-redis", "gunicorn", "psycopg", "whitenoise")
    assert project.caches == {"default": "django_redis.cache.RedisCache"}
    found = variables(project)
    assert found["DATABASE_URL"][:3] == ("django-environ", "db-url", True)
    assert found["DATABASE_URL"][3] == ("DATABASES",)
    assert found["DJANGO_SECRET_KEY"] == ("django-environ", "str", True, ("SECRET_KEY",))
    assert found["DJANGO_ALLOWED_HOSTS"][1:] == ("list", False, ("ALLOWED_HOSTS",))
    assert "CACHES.default.LOCATION" in found["REDIS_URL"][3]
    assert project.expressions is not None
    given = {"DATABASE_URL": "postgresql://u@/n?host=/run/postgresql", "CONN_MAX_AGE": "5"}
    made = evaluate(project.expressions["DATABASES"], given)
    assert isinstance(made, dict)
    assert made["default"]["NAME"] == "n"
    assert made["default"]["CONN_MAX_AGE"] == 5
    assert made["default"]["ATOMIC_REQUESTS"] is True


def test_star_imports_in_a_circle_end(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "site/settings/__init__.py": "from .a import *\n" + SETTINGS,
        "site/settings/a.py": "from .b import *\nA = 1\n",
        "site/settings/b.py": "from .a import *\nfrom . import *\nB = 2\n",
    }
    assert django(tmp_path, "site.settings", files).settings == "site.settings"


def test_settings_that_choose_by_the_environment(tmp_path: Path) -> None:
    text = (
        "import os\nif os.environ.get('ENV') == 'production':\n    from .live import *\nelse:\n    from .dev import *\n"
    )
    files: dict[str, str | bytes] = {
        "site/settings/__init__.py": text,
        "site/settings/live.py": SETTINGS + "DEBUG = False\n",
        "site/settings/dev.py": SETTINGS + "DEBUG = True\n",
    }
    project = django(tmp_path, "site.settings", files)
    assert project.settings == "site.settings.live"
    (tmp_path / "site/settings/live.py").rename(tmp_path / "site/settings/one.py")
    (tmp_path / "site/settings/__init__.py").write_text(text.replace("live", "one"))
    project = scan(tmp_path)
    assert project.settings == "site.settings"
    assert project.expressions is not None
    assert evaluate(project.expressions["DEBUG"], {"ENV": "production"}) is False
    assert evaluate(project.expressions["DEBUG"], {}) is True


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + SETTINGS.encode(),
        ("# -*- coding: latin-1 -*-\nNAME = 'caf\xe9'\n" + SETTINGS).encode("latin-1"),
        SETTINGS.replace("\n", "\r\n").encode(),
    ],
)
def test_encodings_that_python_reads(tmp_path: Path, content: bytes) -> None:
    assert django(tmp_path, "site.settings", {"site/settings.py": content}).settings == "site.settings"


def test_requirements_in_utf_16(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "site/settings.py": SETTINGS,
        "requirements.txt": "Django==4.2\r\n".encode("utf-16"),
    }
    assert django(tmp_path, "site.settings", files).django_version == "==4.2"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"INSTALLED_APPS = []\nDEBUG = = 1\n", "site/settings.py:2:"),
        (b"INSTALLED_APPS = []\0\x01", "site/settings.py: not a text file"),
        (b"# coding: klingon\nINSTALLED_APPS = []\n", "site/settings.py:"),
        (b"INSTALLED_APPS = '\xff'\n", "site/settings.py:"),
        (b"INSTALLED_APPS = " + b"(" * 5000, "site/settings.py"),
        (b"", "no complete Django settings"),
    ],
)
def test_settings_that_cannot_be_read(tmp_path: Path, content: bytes, place: str) -> None:
    with pytest.raises(ProjectError) as caught:
        django(tmp_path, "site.settings", {"site/settings.py": content})
    assert place in caught.value.message
    assert caught.value.hint


def test_folders_that_are_no_project(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for directory in (tmp_path, tmp_path / "file", tmp_path / "nowhere"):
        with pytest.raises(ProjectError) as caught:
            scan(directory)
        assert caught.value.hint


def test_settings_that_are_a_pipe_are_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    os.mkfifo(tmp_path / "site" / "settings.py")
    with pytest.raises(ProjectError):
        django(tmp_path, "site.settings", {})


def test_hard_coded_settings_are_noticed(tmp_path: Path) -> None:
    wsgi = WSGI.format(settings="site.settings").replace(
        '.setdefault("DJANGO_SETTINGS_MODULE", "', '["DJANGO_SETTINGS_MODULE"] = ("'
    )
    project = django(tmp_path, "site.settings", {"site/settings.py": SETTINGS, "site/wsgi.py": wsgi})
    assert project.settings_forced
    assert any("whatever the environment says" in finding.message for finding in project.findings)


def test_names_with_metacharacters(tmp_path: Path) -> None:
    root = tmp_path / "a b$(touch x)'\";{{ y }}"
    root.mkdir()
    project = django(
        root, "site.settings", {"site/settings.py": SETTINGS, "odd name's.py": "", "we$rd/settings.py": SETTINGS}
    )
    assert project.settings == "site.settings"
    assert project.name == "a-b-touch-x-y"


def test_flask(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "hello.py": "import os\nfrom flask import Flask\napp = Flask(__name__)\n"
        "@app.get('/')\ndef x():\n    return os.environ['GREETING']\n",
        "requirements.txt": "flask\n",
        "static/a.css": "",
        "tests/test_hello.py": "def test_x(): pass\n",
    }
    project = scan(write(tmp_path, files))
    assert (project.framework, project.wsgi, project.settings) == ("wsgi", "hello:app", None)
    assert (project.static_root, project.has_tests) == ("static", True)
    assert [each.name for each in project.environment] == ["GREETING"]


def test_flask_factory_under_src(tmp_path: Path) -> None:
    text = "import flask\ndef create_app(config=None):\n    app = flask.Flask(__name__)\n    return app\n"
    project = scan(write(tmp_path, {"src/shop/__init__.py": text}))
    assert (project.wsgi, project.app_dir) == ("shop:create_app()", "src")


def test_wsgi_module_before_factory(tmp_path: Path) -> None:
    text = "from flask import Flask\ndef create_app():\n    return Flask(__name__)\n"
    project = scan(
        write(tmp_path, {"shop/__init__.py": text, "wsgi.py": "from shop import create_app\napp = create_app()\n"})
    )
    assert project.wsgi == "wsgi:app"


@pytest.mark.parametrize(
    "line",
    [
        "from fastapi import FastAPI\nserver = FastAPI()",
        "from starlette.applications import Starlette\nserver: object = Starlette()",
    ],
)
def test_asgi(tmp_path: Path, line: str) -> None:
    project = scan(write(tmp_path, {"main.py": line}))
    assert (project.framework, project.asgi, project.wsgi) == ("asgi", "main:server", None)


def test_django_configurations(tmp_path: Path) -> None:
    text = (
        "from configurations import Configuration, values\nclass Base(Configuration):\n    INSTALLED_APPS = ['a']\n"
        "    DEBUG = values.BooleanValue(True)\n    DATABASES = values.DatabaseURLValue('sqlite:///db.sqlite3')\n"
        "class Dev(Base):\n    pass\n"
        "class Production(Base):\n    DEBUG = False\n    SECRET_KEY = values.SecretValue()\n"
        "    ALLOWED_HOSTS = values.ListValue([], environ_prefix='SITE')\n"
    )
    project = django(tmp_path, "site.settings", {"site/settings.py": text})
    assert project.configuration == "Production"
    found = variables(project)
    assert found["DJANGO_SECRET_KEY"][2:] == (True, ("SECRET_KEY",))
    assert found["SITE_ALLOWED_HOSTS"][3] == ("ALLOWED_HOSTS",)
    assert found["DATABASE_URL"][3] == ("DATABASES",)
    assert project.expressions is not None
    assert evaluate(project.expressions["ALLOWED_HOSTS"], {"SITE_ALLOWED_HOSTS": "a, b"}) == ["a", "b"]


def test_paths_inside_and_outside_the_project(tmp_path: Path) -> None:
    text = SETTINGS + (
        "import os, environ\nMEDIA_ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'uploads')\n"
        "ROOT_DIR = environ.Path(__file__) - 2\nSTATIC_ROOT = str(ROOT_DIR('collected'))\n"
    )
    project = django(tmp_path, "site.settings", {"site/settings.py": text})
    assert (project.media_root, project.static_root) == ("uploads", "collected")
    outside = SETTINGS + "STATIC_ROOT = BASE_DIR.parent / 'static'\nMEDIA_ROOT = '/var/media'\n"
    project = django(tmp_path, "site.settings", {"site/settings.py": outside})
    assert (project.static_root, project.media_root) == (None, "/var/media")


def test_a_settings_module_that_somebody_chose(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"site/settings/{name}.py": SETTINGS for name in ("production", "staging")}
    assert django(tmp_path, "site.settings.production", files).settings == "site.settings.production"
    assert scan(tmp_path, settings="site.settings.staging").settings == "site.settings.staging"
    with pytest.raises(ProjectError) as caught:
        scan(tmp_path, settings="site.settings.nothing")
    assert "site.settings.production" in caught.value.hint
