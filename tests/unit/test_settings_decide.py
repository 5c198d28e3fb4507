"""By which way a wish reaches a project, and that Django then sees exactly what was wished."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackwise.plan.decisions import database_url, decide
from stackwise.plan.settings import Decisions, Setting, application_of, explain
from stackwise.project import evaluate
from tests.unit.strangers import HOSTS, KEY, POSTGRESQL, REDIS, make, put_up, wishes


def ways(decisions: Decisions) -> dict[str, str]:
    return {override.setting.name: override.how for override in decisions.overrides}


ENVIRON = "import environ\nenv = environ.Env(DEBUG=(bool, True))\n"
STYLES = {
    "os.environ": (
        "import os\nSECRET_KEY = os.environ['DJANGO_SECRET_KEY']\n"
        "DEBUG = os.environ.get('DJANGO_DEBUG', 'True') == 'True'\n"
        "ALLOWED_HOSTS = [h.strip() for h in os.getenv('HOSTS', '').split(',') if h.strip()]\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': os.environ['DB_NAME'],"
        " 'USER': os.environ.get('DB_USER', 'x'), 'HOST': os.environ.get('DB_HOST', 'localhost')}}\n"
    ),
    "a function of its own": (
        "import os\nfrom shop.tools import flag, need, words\nSECRET_KEY = need('KEY')\nDEBUG = flag('DEBUG', True)\n"
        "ALLOWED_HOSTS = words('HOSTS')\nDATABASES = {'default': {'ENGINE': 'django.db.backends.' + need('ENGINE'),"
        " 'NAME': need('NAME'), 'USER': need('USER'), 'HOST': need('HOST')}}\n"
    ),
    "django-environ": (
        ENVIRON + "SECRET_KEY = env('SECRET_KEY')\nDEBUG = env('DEBUG')\n"
        "ALLOWED_HOSTS = env.list('ALLOWED_HOSTS', default=[])\n"
        "DATABASES = {'default': env.db()}\n"
    ),
    "django-environ, smart": (
        ENVIRON
        + "SECRET_KEY = env.str('APP_KEY')\nDEBUG = env('D', default=True)\nALLOWED_HOSTS = env('H', default=['x'])\n"
        "DATABASES = {'default': env.db('DB', default='sqlite:///db.sqlite3')}\n"
    ),
    "decouple": (
        "from decouple import config, Csv\nimport dj_database_url\nSECRET_KEY = config('SECRET_KEY')\n"
        "DEBUG = config('DEBUG', default=True, cast=bool)\nALLOWED_HOSTS = config('HOSTS', default='', cast=Csv())\n"
        "DATABASES = {'default': config('DATABASE_URL', default='sqlite:///x', cast=dj_database_url.parse)}\n"
    ),
    "dj-database-url": (
        "import os, dj_database_url\nSECRET_KEY = os.environ.get('SECRET_KEY') or 'insecure'\n"
        "DEBUG = 'DEBUG' in os.environ\n"
        "ALLOWED_HOSTS = os.environ.get('ALLOWED_HOSTS', 'localhost').split()\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'x'}}\n"
        "DATABASES['default'].update(dj_database_url.config(conn_max_age=5))\n"
    ),
    "environs": (
        "from environs import Env\nenv = Env()\nSECRET_KEY = env.str('SECRET_KEY')\n"
        "DEBUG = env.bool('DEBUG', default=True)\n"
        "ALLOWED_HOSTS = env.list('ALLOWED_HOSTS')\nimport dj_database_url\n"
        "DATABASES = {'default': dj_database_url.parse(env('DATABASE_URL'))}\n"
    ),
    "json and literals": (
        "import os, json, ast\nSECRET_KEY = os.environ['APP_KEY']\n"
        "DEBUG = ast.literal_eval(os.environ.get('DEBUG_IT', 'True'))\n"
        "ALLOWED_HOSTS = json.loads(os.environ.get('HOST_LIST', '[]'))\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE_DIR / 'x'}}\n"
    ),
    "nothing": "SECRET_KEY = 'django-insecure'\nDEBUG = True\nALLOWED_HOSTS = []\n",
}
TOOLS = """\
import os
from django.core.exceptions import ImproperlyConfigured

def need(name):
    \"\"\"Return a variable that must be there.\"\"\"
    try:
        return os.environ[name]
    except KeyError:
        raise ImproperlyConfigured(name)

def flag(name, default=False):
    value = os.environ.get(name)
    if value is None:
        return default
    return value.lower() in ("1", "true", "yes")

words = lambda name: list(map(str.strip, os.environ.get(name, "").split(",")))
"""
THROUGH = {
    "os.environ": "SECRET_KEY DEBUG ALLOWED_HOSTS DATABASES",
    "a function of its own": "SECRET_KEY DEBUG ALLOWED_HOSTS DATABASES",
    "django-environ": "SECRET_KEY DEBUG ALLOWED_HOSTS DATABASES",
    "django-environ, smart": "SECRET_KEY DEBUG ALLOWED_HOSTS DATABASES",
    "decouple": "SECRET_KEY DEBUG ALLOWED_HOSTS DATABASES",
    "dj-database-url": "SECRET_KEY ALLOWED_HOSTS DATABASES",
    "environs": "SECRET_KEY DEBUG ALLOWED_HOSTS DATABASES",
    "json and literals": "SECRET_KEY DEBUG ALLOWED_HOSTS",
    "nothing": "",
}


@pytest.mark.parametrize("style", STYLES)
def test_django_sees_what_was_wished(tmp_path: Path, style: str) -> None:
    project = make(tmp_path / "project", STYLES[style], shop__tools=TOOLS)
    site, decisions = put_up(tmp_path, project, POSTGRESQL)
    assert decisions.missing == ()
    through = [name.split(".")[0] for name, how in ways(decisions).items() if how == "environment"]
    first = {o.setting.name.split(".")[0] for o in decisions.overrides if o.how == "environment"}
    assert first == set(THROUGH[style].split()), through
    seen = site.settings("SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "DATABASES", "CSRF_TRUSTED_ORIGINS", "STATIC_ROOT")
    assert seen["SECRET_KEY"] == KEY
    assert seen["DEBUG"] is False
    assert tuple(seen["ALLOWED_HOSTS"]) == HOSTS
    database = seen["DATABASES"]["default"]
    assert database["ENGINE"] == "stackwise_postgresql"
    assert (database["NAME"], database["USER"]) == ("shop", "shop")
    assert database["HOST"] or database["OPTIONS"]["host"] == "/run/postgresql"
    assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (60, True)
    assert seen["CSRF_TRUSTED_ORIGINS"] == [f"https://{host}" for host in HOSTS]
    assert seen["STATIC_ROOT"] == str(tmp_path / "static")


@pytest.mark.parametrize(
    "expression",
    [
        "bool(os.environ.get('DEBUG_FLAG', ''))",
        "bool(int(os.environ.get('DEBUG_FLAG', 1)))",
        "os.environ.get('DEBUG_FLAG', 'on') not in ('off', '')",
        "not os.environ.get('DEBUG_FLAG', '') == 'production' and os.environ.get('DEBUG_FLAG', '1') != '0'",
        "os.environ.get('DEBUG_FLAG', 'yes').lower().startswith(('y', 't', '1'))",
        "{'1': True, '0': False}[os.environ.get('DEBUG_FLAG', '1')]",
        "True if os.environ.get('DEBUG_FLAG') != 'no' else False",
        "eval(os.environ.get('DEBUG_FLAG', 'True'))",
        "os.environ.get('DEBUG_FLAG', 'x') in os.listdir('/')",
    ],
)
def test_debug_is_off_however_it_is_read(tmp_path: Path, expression: str) -> None:
    project = make(tmp_path / "project", f"import os\nDEBUG = {expression}\n")
    site, decisions = put_up(tmp_path, project)
    assert site.settings("DEBUG") == {"DEBUG": False}
    known = "eval" not in expression and "listdir" not in expression
    assert ways(decisions)["DEBUG"] == ("environment" if known else "overlay")


def test_required_variables_that_the_overlay_replaces_still_get_a_value(tmp_path: Path) -> None:
    text = "import os, base64\nSECRET_KEY = os.environ['KEY'][::-1]\nfrom urllib.parse import urlparse\n"
    text += "url = urlparse(os.environ['DATABASE_URL'])\nDATABASES = {'default': {'NAME': url.path[1:]}}\n"
    project = make(tmp_path / "project", text)
    site, decisions = put_up(tmp_path, project, POSTGRESQL)
    assert "SECRET_KEY" in [override.setting.name for override in decisions.overlay]
    seen = site.settings("SECRET_KEY", "DATABASES")
    assert seen["SECRET_KEY"] == KEY
    assert seen["DATABASES"]["default"]["HOST"] == "/run/postgresql"


def test_what_nobody_knows_is_missing(tmp_path: Path) -> None:
    project = make(tmp_path / "project", "import os\nPAYMENT = os.environ['PAYMENT_KEY']\n")
    decisions = decide(project, wishes(tmp_path))
    assert [variable.name for variable in decisions.missing] == ["PAYMENT_KEY"]
    assert "PAYMENT_KEY  (shop/settings.py:6)" in explain(decisions)


def test_a_variable_that_changes_another_setting_is_noticed(tmp_path: Path) -> None:
    text = "import os\nDEBUG = os.environ.get('DEBUG', '1') == '1'\n"
    text += "ALLOWED_HOSTS = os.environ.get('HOSTS', '').split(',') if DEBUG else ['fixed.example']\n"
    site, decisions = put_up(tmp_path, make(tmp_path / "project", text))
    assert ways(decisions)["ALLOWED_HOSTS"] == "overlay"
    assert tuple(site.settings("ALLOWED_HOSTS")["ALLOWED_HOSTS"]) == HOSTS


def test_a_secret_reaches_the_project_under_its_own_name_and_stands_nowhere(tmp_path: Path) -> None:
    project = make(tmp_path / "project", "import os\nSECRET_KEY = os.environ['MY_KEY']\n")
    site, decisions = put_up(tmp_path, project)
    assert decisions.aliases == {"MY_KEY": "SECRET_KEY"}
    assert "MY_KEY" not in decisions.environment
    assert site.settings("SECRET_KEY") == {"SECRET_KEY": KEY}


def test_hosts_that_only_the_server_knows_keep_their_kind(tmp_path: Path) -> None:
    class Reference(str):
        """What is filled in on the server."""

    project = make(tmp_path / "project", "import os\nALLOWED_HOSTS = os.environ['HOSTS'].split(',')\n")
    hosts = Setting("ALLOWED_HOSTS", ["a.example", Reference("{{ ansible_host }}")], "")
    decisions = decide(project, [hosts])
    assert decisions.environment["HOSTS"] == "a.example,{{ ansible_host }}"
    assert isinstance(decisions.environment["HOSTS"], Reference)


@pytest.mark.parametrize(
    "text",
    [
        "DEBUG = os.environ.get('ENVIRONMENT', 'dev') == 'dev'\n",
        "LOCAL = 'CLOUD' not in os.environ\nif LOCAL:\n    DEBUG = True\nelse:\n    DEBUG = False\n"
        "    HOOK = os.environ['CLOUD']\n",
    ],
)
def test_a_variable_that_means_something_else_is_not_touched(tmp_path: Path, text: str) -> None:
    site, decisions = put_up(tmp_path, make(tmp_path / "project", "import os\n" + text))
    assert set(decisions.environment) == {"SITE_HOSTS"}
    assert decisions.missing == ()
    assert site.settings("DEBUG") == {"DEBUG": False}


def test_what_only_one_branch_needs_is_not_required(tmp_path: Path) -> None:
    text = (
        "import os\nif os.environ.get('STORE', 'local') == 's3':\n    BUCKET = os.environ['BUCKET']\n"
        "    print(os.environ['X'])\n"
        "SALT = os.environ['SALT'] if 'SALT' in os.environ else 'x'\n"
        "HOOK = os.environ.get('HOOK') or os.environ['OTHER']\n"
        "if v := os.environ.get('NAMES'):\n    NAMES = v.split(',')\n"
    )
    project = make(tmp_path / "project", text)
    assert [variable.name for variable in project.environment if variable.required] == ["OTHER"]
    assert {variable.name for variable in project.environment} == {
        "BUCKET",
        "HOOK",
        "NAMES",
        "OTHER",
        "SALT",
        "STORE",
        "X",
    }


def test_geodjango_keeps_its_engine(tmp_path: Path) -> None:
    gis = "django.contrib.gis.db.backends.postgis"
    options = "{'sslmode': 'require', 'pool': True}"
    text = f"DATABASES = {{'default': {{'ENGINE': '{gis}', 'NAME': 'x', 'OPTIONS': {options}}}}}\n"
    site, _ = put_up(tmp_path, make(tmp_path / "project", text), POSTGRESQL)
    database = site.run("-c", "import stackwise_settings as s; print(s.DATABASES['default'])").stdout
    assert gis in database
    assert "'OPTIONS': {'pool': True}" in database


def test_sessions_go_where_the_cache_is_shared(tmp_path: Path) -> None:
    project = make(tmp_path / "project", "")
    engine = "django.contrib.sessions.backends.cached_db"
    assert any(o.setting.value == engine for o in decide(project, wishes(tmp_path, REDIS)).overrides)
    local = Setting("CACHES.default", {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}, "")
    assert "SESSION_ENGINE" not in ways(decide(project, wishes(tmp_path, local)))
    own = make(tmp_path / "own", "SESSION_ENGINE = 'django.contrib.sessions.backends.signed_cookies'\n")
    assert ways(decide(own, wishes(tmp_path, REDIS)))["SESSION_ENGINE"] == "left"


def test_whitenoise_and_s3_are_left_in_place(tmp_path: Path) -> None:
    text = (
        "STORAGES = {'default': {'BACKEND': 'storages.backends.s3.S3Storage'},"
        " 'staticfiles': {'BACKEND': 'whitenoise.storage.CompressedManifestStaticFilesStorage'}}\n"
    )
    found = ways(decide(make(tmp_path / "project", text), wishes(tmp_path)))
    assert {found[name] for name in ("STORAGES.staticfiles", "MEDIA_ROOT", "MEDIA_URL")} == {"left"}


def test_without_tls_nothing_insists_on_it(tmp_path: Path) -> None:
    text = (
        "SECURE_SSL_REDIRECT = True\nSESSION_COOKIE_SECURE = True\nCSRF_COOKIE_SECURE = True\nSECURE_HSTS_SECONDS = 5\n"
    )
    site, _ = put_up(tmp_path, make(tmp_path / "project", text), tls=False)
    names = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS")
    seen = site.settings(*names, "CSRF_TRUSTED_ORIGINS")
    assert [seen[name] for name in names] == [False, False, False, 0]
    assert seen["CSRF_TRUSTED_ORIGINS"] == [f"http://{host}" for host in HOSTS]


def test_configurations(tmp_path: Path) -> None:
    text = (
        "from configurations import Configuration, values\nclass Base(Configuration):\n"
        "    SECRET_KEY = values.SecretValue()\n"
        "    INSTALLED_APPS = ['django.contrib.staticfiles']\n    ROOT_URLCONF = 'shop.urls'\n"
        "    ALLOWED_HOSTS = values.ListValue([])\n    DATABASES = values.DatabaseURLValue('sqlite:///x')\n"
        "class Dev(Base):\n    DEBUG = True\nclass Production(Base):\n    DEBUG = True\n"
    )
    project = make(tmp_path / "project", text)
    site, decisions = put_up(tmp_path, project, POSTGRESQL, REDIS)
    assert ways(decisions)["ALLOWED_HOSTS"] == "environment"
    script = (
        "import configurations, json; configurations.setup(); from django.conf import settings as s;"
        "print(json.dumps([s.DEBUG, s.SECRET_KEY, s.ALLOWED_HOSTS, s.DATABASES['default']['NAME'], s.CONFIGURATION,"
        " s.CACHES['default']['BACKEND'], s.STORAGES['staticfiles']['BACKEND']]))"
    )
    done = site.run("-c", script)
    assert done.returncode == 0, done.stderr
    for part in (
        "false",
        KEY,
        HOSTS[0],
        '"shop"',
        "stackwise_settings.Stackwise",
        "stackwise_cache",
        "stackwise_storage",
    ):
        assert part in done.stdout


def test_a_forced_settings_module_gets_a_wsgi_module_of_ours(tmp_path: Path) -> None:
    wsgi = "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'shop.settings'\n"
    wsgi += "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
    project = make(tmp_path / "project", "SECRET_KEY = 'x'\n", shop__wsgi=wsgi)
    assert application_of(project) == "stackwise_wsgi:application"
    site, _ = put_up(tmp_path, project)
    done = site.run(
        "-c", "import stackwise_wsgi; from django.conf import settings; print(settings.DEBUG, settings.SECRET_KEY)"
    )
    assert done.stdout.split() == ["False", KEY]


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        (
            {"ENGINE": "django.db.backends.sqlite3", "NAME": "/srv/x/data/db.sqlite3"},
            "sqlite:////srv/x/data/db.sqlite3",
        ),
        (
            {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "a b",
                "USER": "u@",
                "PASSWORD": "p:/",
                "HOST": "h",
                "PORT": 5,
            },
            "postgresql://u%40:p%3A%2F@h:5/a%20b",
        ),
        (
            {"ENGINE": "django.contrib.gis.db.backends.postgis", "NAME": "n", "HOST": "/run/postgresql"},
            "postgis:///n?host=/run/postgresql",
        ),
        ({"ENGINE": "django.db.backends.oracle", "NAME": "n"}, ""),
        ({"ENGINE": "django.db.backends.postgresql", "NAME": "n", "PASSWORD": {"$env": "P"}}, ""),
    ],
)
def test_database_urls(connection: dict[str, object], url: str) -> None:
    assert database_url(connection) == url
    if url:
        made = evaluate("dj_database_url.config()", {"DATABASE_URL": url})
        assert isinstance(made, dict)
        assert made["NAME"] == connection["NAME"]
        assert made["PASSWORD"] == connection.get("PASSWORD", "")


def test_explain_says_where_each_thing_stands(tmp_path: Path) -> None:
    text = explain(decide(make(tmp_path / "project", "DEBUG = True\n"), wishes(tmp_path)))
    assert "DEBUG  (now: shop/settings.py:5)" in text
    assert "Move these into your own settings" in text
