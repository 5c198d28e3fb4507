"""The overlay as Django runs it: checks, static files, a cache that is down; and as text."""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from stackwise.errors import CatalogError, ProjectError
from stackwise.plan.decisions import decide
from stackwise.plan.settings import Decisions, Override, Setting, SiteFacts, core_settings
from stackwise.project import scan
from stackwise.render.overlay import literal, render_overlay
from tests.unit.strangers import EXAMPLES, HOSTS, KEY, POSTGRESQL, REDIS, Site, facts, make, put_up, wishes

NASTY = "'\"\\\n\r\x00\x1b{{ x }}$(id)`id`%s#\u2028\u202e\ud800é"


def sqlite(tmp_path: Path) -> Setting:
    return Setting(
        "DATABASES.default", {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "db.sqlite3")}, "A file."
    )


def example(tmp_path: Path, name: str, *, tls: bool = True) -> Site:
    """Put up a copy of an example on SQLite, with a Redis that is not there."""
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder)
    backend = "django.core.cache.backends.redis.RedisCache"
    cache = Setting("CACHES.default", {"BACKEND": backend, "LOCATION": f"unix://{tmp_path}/no.sock"}, "")
    site, _ = put_up(tmp_path, scan(folder), sqlite(tmp_path), cache, tls=tls)
    return site


@pytest.mark.parametrize("name", ["startproject", "superbook"])
def test_check_deploy_is_clean(tmp_path: Path, name: str) -> None:
    done = example(tmp_path, name).manage("check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize("name", ["startproject", "superbook"])
def test_the_site_answers_while_the_cache_is_down(tmp_path: Path, name: str) -> None:
    site = example(tmp_path, name)
    assert site.manage("migrate", "-v0").returncode == 0
    assert site.manage("collectstatic", "--noinput", "-v0").returncode == 0
    script = f"""
import django; django.setup()
from django.contrib.auth import get_user_model
from django.core.cache import cache, caches
from django.test import Client
get_user_model().objects.create_superuser("root", "", "a password")
client = Client(headers={{"host": {HOSTS[0]!r}, "x-forwarded-proto": "https"}})
assert client.login(username="root", password="a password")
print([client.get(path).status_code for path in ("/admin/", "/admin/auth/user/")])
print(cache.get("x", 5), cache.add("x", 1), cache.has_key("x"), cache.get_many(["x"]), cache.set_many({{"x": 1}}))
print(cache.touch("x"), cache.delete("x"), cache.delete_many(["x"]), cache.get_or_set("x", 3), cache.clear())
try:
    cache.incr("x")
except ValueError:
    print("no x")
"""
    done = site.run("-c", script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "[200, 200]",
        "5 True False {} ['x']",
        "False False None 3 False",
        "no x",
    ]
    assert done.stderr.count("the cache does not answer") == 1


def test_a_cache_that_hangs_costs_a_page_half_a_second_not_half_a_minute(tmp_path: Path) -> None:
    site = example(tmp_path, "startproject")
    script = (
        "import django, time; django.setup(); from django.core.cache import cache; began = time.monotonic()\n"
        "print([cache.get(str(n)) for n in range(40)] == [None] * 40, time.monotonic() - began < 2)"
    )
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{tmp_path}/no.sock")
        listening.listen(50)
        done = site.run("-c", script)
    assert done.stdout.split() == ["True", "True"], done.stderr


def test_superbook_counts_nothing_and_shows_its_posts_without_a_cache(tmp_path: Path) -> None:
    site = example(tmp_path, "superbook", tls=False)
    for command in (["migrate", "-v0"], ["seed"], ["seed"], ["collectstatic", "--noinput", "-v0"]):
        done = site.manage(*command)
        assert done.returncode == 0, done.stderr
    assert "0 posts made, 15 were there already" in site.manage("seed").stdout
    script = (
        "import django; django.setup(); from django.test import Client;"
        f"page = Client(headers={{'host': {HOSTS[0]!r}}}).get('/'); print(page.status_code, page.content.decode())"
    )
    page = site.run("-c", script).stdout
    assert page.startswith("200")
    assert page.count("<article") == 12
    assert "asked for" not in page
    assert "/static/superbook/style." in page
    assert "/static/superbook/style.css" not in page


STYLE = "a { background: url(missing.png) } b { background: url('there.png') } @import 'gone.css';\n"


def test_a_dangling_reference_is_warned_of_once_and_hashing_goes_on(tmp_path: Path) -> None:
    project = make(tmp_path / "project", "INSTALLED_APPS += ['shop']\n")
    static = tmp_path / "project" / "shop" / "static"
    static.mkdir()
    (static / "site.css").write_text(STYLE)
    (static / "there.png").write_bytes(b"png")
    (static / "old.css").write_bytes(b"/* caf\xe9 */ a { background: url(there.png) }")
    (static / "one.css").write_text("@import url('two.css');")
    (static / "two.css").write_text("@import url('one.css');")
    site, _ = put_up(tmp_path, project)
    done = site.manage("collectstatic", "--noinput", "-v0")
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert sum("site.css refers to what does not exist: url(missing.png)" in line for line in lines) == 1
    assert sum("gone.css" in line for line in lines) == 1
    assert any("old.css is not UTF-8" in line for line in lines)
    hashed = next((tmp_path / "static").glob("site.*.css")).read_text()
    assert "url(missing.png)" in hashed
    assert "there.png" not in hashed
    assert list((tmp_path / "static").glob("old.*.css"))
    script = (
        "import django; django.setup(); from django.templatetags.static import static;"
        "print(static('site.css'), static('never.js'))"
    )
    first, second = site.run("-c", script).stdout.split()
    assert first.startswith("/static/site.")
    assert first != "/static/site.css"
    assert second == "/static/never.js"


def test_without_the_overlay_the_same_style_sheet_is_fatal(tmp_path: Path) -> None:
    """Why there is a storage of ours at all."""
    text = "INSTALLED_APPS += ['shop']\nSTATIC_ROOT = BASE_DIR / 'out'\nSTATIC_URL = '/static/'\nSECRET_KEY = 'x'\n"
    text += "STORAGES = {"
    text += "'staticfiles': {'BACKEND': 'django.contrib.staticfiles.storage.ManifestStaticFilesStorage'}}\n"
    project = make(tmp_path / "project", text)
    static = tmp_path / "project" / "shop" / "static"
    static.mkdir()
    (static / "site.css").write_text(STYLE)
    site, _ = put_up(tmp_path, project)
    assert site.manage("collectstatic", "--noinput", "--settings", "shop.settings").returncode != 0
    assert site.manage("collectstatic", "--noinput").returncode == 0


def test_the_projects_own_parts_stay(tmp_path: Path) -> None:
    text = """
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x", "ATOMIC_REQUESTS": True,
                         "OPTIONS": {"timeout": 5}}, "reports": {"ENGINE": "django.db.backends.sqlite3", "NAME": "y"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache", "TIMEOUT": 7},
          "pages": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STORAGES = {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
            "invoices": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
CSRF_TRUSTED_ORIGINS = ["https://partner.example"]
SILENCED_SYSTEM_CHECKS = ["models.W042"]
LOGGING = {"version": 1, "handlers": {"file": {"class": "logging.handlers.RotatingFileHandler",
           "filename": "/nowhere/x.log", "level": "ERROR", "maxBytes": 1},
           "mail": {"class": "django.utils.log.AdminEmailHandler"}},
           "loggers": {"shop": {"handlers": ["file", "mail"]}}}
"""
    site, _ = put_up(tmp_path, make(tmp_path / "project", text), sqlite(tmp_path), REDIS)
    seen = site.settings("DATABASES", "CACHES", "STORAGES", "CSRF_TRUSTED_ORIGINS", "SILENCED_SYSTEM_CHECKS", "LOGGING")
    assert seen["DATABASES"]["default"]["ATOMIC_REQUESTS"] is True
    assert seen["DATABASES"]["default"]["OPTIONS"] == {"timeout": 5}
    assert seen["DATABASES"]["default"]["NAME"] == str(tmp_path / "db.sqlite3")
    assert seen["DATABASES"]["reports"]["NAME"] == "y"
    assert seen["CACHES"]["default"]["TIMEOUT"] == 7
    assert seen["CACHES"]["default"]["BACKEND"] == "stackwise_cache.RedisCache"
    assert "pages" in seen["CACHES"]
    assert seen["STORAGES"]["staticfiles"]["BACKEND"] == "stackwise_storage.HashedStaticFilesStorage"
    assert seen["STORAGES"]["invoices"]["BACKEND"].endswith("InMemoryStorage")
    assert seen["CSRF_TRUSTED_ORIGINS"][0] == "https://partner.example"
    assert seen["SILENCED_SYSTEM_CHECKS"] == ["models.W042", "security.W005", "security.W021"]
    assert seen["LOGGING"]["handlers"]["file"] == {"class": "logging.StreamHandler", "level": "ERROR"}
    assert "AdminEmailHandler" in seen["LOGGING"]["handlers"]["mail"]["class"]


def test_names_that_a_project_brings_do_not_disturb_the_overlay(tmp_path: Path) -> None:
    text = "os = django = merge = globals_ = None\ndef storage(): pass\n__all__ = None\ndel __all__\n"
    site, _ = put_up(tmp_path, make(tmp_path / "project", text), POSTGRESQL, REDIS)
    assert site.settings("DEBUG") == {"DEBUG": False}


def test_the_text_is_the_same_each_time_and_compiles_for_old_pythons(tmp_path: Path) -> None:
    project = scan(EXAMPLES / "startproject")
    site = SiteFacts(("shop.example",), True, "/srv/shop/static", "/srv/shop/media")
    made = [render_overlay(project, decide(project, [*core_settings(site), POSTGRESQL, REDIS])) for _ in range(2)]
    assert made[0] == made[1]
    for name, text in made[0].items():
        ast.parse(text, filename=name, feature_version=(3, 9))
        assert KEY not in text
        assert str(tmp_path) not in text


def test_any_string_is_data(tmp_path: Path) -> None:
    project = make(tmp_path / "project", "")
    setting = Setting(
        "SHOP_NAME", {NASTY: [NASTY, 1.5, None, True, (NASTY,)]}, f"Because {NASTY}\nimport os\n'''\"\"\""
    )
    left = Override(Setting("LEFT", NASTY, ""), "left", note=NASTY + '"""')
    carried = Override(Setting(NASTY + '"""', NASTY, ""), "environment", (NASTY + '"""\nimport os',))
    text = render_overlay(project, Decisions((Override(setting, "overlay"), left, carried), {}, {}))[
        "stackwise_settings.py"
    ]
    tree = ast.parse(text)
    assert [type(node).__name__ for node in tree.body] == ["Expr", "Import", "ImportFrom", "Assign"]
    assert isinstance(tree.body[-1], ast.Assign)
    assert ast.literal_eval(tree.body[-1].value) == {NASTY: [NASTY, 1.5, None, True, (NASTY,)]}
    text.encode("utf-8")


@pytest.mark.parametrize("name", ["debug", "DEBUG; import os", "X.y\nimport os", "", "É"])
def test_what_is_no_setting_is_refused(tmp_path: Path, name: str) -> None:
    project = make(tmp_path / "project", "")
    if name.startswith("X."):
        text = render_overlay(project, decide(project, [Setting(name, 1, "")]))["stackwise_settings.py"]
        assert "import os" not in text.splitlines()
        return
    with pytest.raises(CatalogError):
        render_overlay(project, decide(project, [Setting(name, 1, "")]))


def test_what_cannot_be_written_as_data_is_refused() -> None:
    with pytest.raises(CatalogError):
        literal(object())


def test_a_module_that_cannot_be_imported_by_name_is_refused(tmp_path: Path) -> None:
    import dataclasses  # noqa: PLC0415 - only here

    project = dataclasses.replace(make(tmp_path / "project", ""), settings="shop; import os")
    with pytest.raises(ProjectError) as caught:
        render_overlay(project, decide(project, wishes(tmp_path)))
    assert "--set" in caught.value.hint
    assert facts(tmp_path).tls


@pytest.mark.parametrize(
    ("name", "command"), [("superbook", ["manage.py", "test"]), ("flask-hello", ["-m", "unittest"])]
)
def test_the_examples_pass_their_own_tests(tmp_path: Path, name: str, command: list[str]) -> None:
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder)
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "OK" in done.stderr


def test_superbooks_own_production_settings_are_clean_without_us(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": "superbook.settings.production",
        "SECRET_KEY": KEY,
        "ALLOWED_HOSTS": "superbook.test",
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "REDIS_URL": "redis://localhost",
        "STATIC_ROOT": str(tmp_path),
        "MEDIA_ROOT": str(tmp_path),
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    folder = EXAMPLES / "superbook"
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_health_check_of_a_local_postgresql_asks_its_socket_first(tmp_path: Path) -> None:
    site, decisions = put_up(tmp_path, make(tmp_path / "project", ""), POSTGRESQL)
    assert [o.setting.value for o in decisions.overlay if o.setting.name == "DATABASES.default.ENGINE"] == [
        "stackwise_postgresql"
    ]
    script = """
import socket, types
from stackwise_postgresql.base import DatabaseWrapper, base
ours, theirs = socket.socketpair()
asked = []
base.DatabaseWrapper.is_usable = lambda self: not asked.append(self.connection)
def wrapper(host):
    made = DatabaseWrapper({**base_settings, "HOST": host})
    made.connection = types.SimpleNamespace(info=types.SimpleNamespace(host=host), fileno=ours.fileno)
    return made
base_settings = dict(NAME="x", USER="", PASSWORD="", HOST="", PORT="", OPTIONS={}, TIME_ZONE=None, CONN_MAX_AGE=1,
                     CONN_HEALTH_CHECKS=True, AUTOCOMMIT=True)
local, remote = wrapper("/run/postgresql"), wrapper("db.example.org")
print("quiet and local", local.is_usable(), len(asked))
print("over a network", remote.is_usable(), len(asked))
local.errors_occurred = True
print("after an error", local.is_usable(), len(asked))
local.errors_occurred = False
theirs.close()
print("closed", local.is_usable(), len(asked))
"""
    done = site.run("-c", script)
    assert done.stdout.splitlines() == [
        "quiet and local True 0",
        "over a network True 1",
        "after an error True 2",
        "closed True 3",
    ], done.stderr


def test_an_engine_that_is_not_djangos_own_stays(tmp_path: Path) -> None:
    text = "DATABASES = {'default': {'ENGINE': 'django_prometheus.db.backends.postgresql', 'NAME': 'x'}}\n"
    decisions = decide(make(tmp_path / "project", text), wishes(tmp_path, POSTGRESQL))
    assert all(o.setting.value != "stackwise_postgresql" for o in decisions.overlay)
