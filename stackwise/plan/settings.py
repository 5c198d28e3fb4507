"""What the stack wishes of a Django project's settings, and what became of each wish; `decisions` finds the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from stackwise.project import EnvironmentVariable, Project

OVERLAY = "stackwise_settings"
OVERLAY_WSGI = "stackwise_wsgi"
# The variable in which the site's names reach the server: one of them is an address that is known only there.
HOSTS_VARIABLE = "SITE_HOSTS"
# The class that the overlay derives from a project's class of django-configurations.
CONFIGURATION = "Stackwise"
# Django's backend with a health check that costs no round trip over a unix socket.
LOCAL_POSTGRESQL = "stackwise_postgresql"

How = Literal["environment", "overlay", "already", "left"]
_MANIFEST = "stackwise_storage.HashedStaticFilesStorage"


@dataclass(frozen=True, slots=True)
class Setting:
    """One wish of the stack: `name` is dotted into dictionaries ("DATABASES.default"), `value` is data.

    `{"$env": NAME}` anywhere in `value` means the variable NAME at run time; with "$split" the list in it, each item
    after "$prefix". `runtime` is such a form of the whole value, where the server knows better than the plan.
    """

    name: str
    value: object
    because: str
    runtime: object = None


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What the framework's settings must know of the site; the URLs are those that the web server serves."""

    hosts: tuple[str, ...]
    tls: bool
    static_root: str
    media_root: str
    static_url: str = "/static/"
    media_url: str = "/media/"
    hsts_seconds: int = 31_536_000


@dataclass(frozen=True, slots=True)
class Override:
    """What becomes of one wish: `how` by which way, `variables` which ones carry it, `note` what else is to be known.

    already: the project's own settings say the same. left: the project does it in a way of its own that works.
    """

    setting: Setting
    how: How
    variables: tuple[str, ...] = ()
    note: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """Every wish with its way; the `environment` to set.

    `aliases` names variables that the overlay fills from another one before the project's settings are read (a secret
    under the project's own name for it). `missing` are variables that the project needs and that nothing here can know.
    """

    overrides: tuple[Override, ...]
    environment: dict[str, str]
    aliases: dict[str, str]
    missing: tuple[EnvironmentVariable, ...] = ()

    @property
    def overlay(self) -> tuple[Override, ...]:
        """Return what the overlay sets, in order."""
        return tuple(override for override in self.overrides if override.how == "overlay")


def application_of(project: Project) -> str:
    """Return what the app server loads: the project's own application, or ours where that would pass the overlay."""
    own = project.wsgi or project.asgi
    return f"{OVERLAY_WSGI}:application" if project.framework == "django" and needs_wsgi(project) else own or ""


def needs_wsgi(project: Project) -> bool:
    """Say whether the project has no WSGI module, or one that chooses its settings whatever the environment says."""
    return project.wsgi is None or project.settings_forced


def core_settings(site: SiteFacts) -> tuple[Setting, ...]:
    """Return what every Django site in production needs, whatever the stack."""
    scheme = "https" if site.tls else "http"
    hosts = {"$env": HOSTS_VARIABLE, "$split": ","}
    origins = {**hosts, "$prefix": f"{scheme}://"}
    return (
        Setting("DEBUG", False, "A page of an error must not show settings and source to the world."),
        Setting(
            "SECRET_KEY", {"$env": "SECRET_KEY"}, "Whoever knows the key can forge a login; it is made on the server."
        ),
        Setting(
            "ALLOWED_HOSTS",
            list(site.hosts),
            "Only these names are answered; anything else is a forged request.",
            hosts,
        ),
        Setting(
            "CSRF_TRUSTED_ORIGINS",
            [f"{scheme}://{host}" for host in site.hosts],
            "Forms are accepted from the site itself; behind a web server Django cannot see the scheme on its own.",
            origins,
        ),
        *_files(site),
        *_security(site),
        Setting(
            "LOGGING", _LOGGING, "What goes to stderr is kept by the journal, with its limits; files would need care."
        ),
    )


_LOGGING: dict[str, object] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"journal": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "journal"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}


def _files(site: SiteFacts) -> Iterator[Setting]:
    yield Setting("STATIC_URL", site.static_url, "The web server serves static files under this path.")
    yield Setting("STATIC_ROOT", site.static_root, "`collectstatic` puts the files where the web server reads them.")
    yield Setting("MEDIA_URL", site.media_url, "The web server serves uploads under this path.")
    yield Setting(
        "MEDIA_ROOT", site.media_root, "Uploads lie outside the releases, so a new release never touches them."
    )
    yield Setting(
        "STORAGES.staticfiles",
        {"BACKEND": _MANIFEST},
        "A hash in each name lets browsers keep static files for ever; a dangling reference is warned of, not fatal.",
    )


def _security(site: SiteFacts) -> Iterator[Setting]:
    if site.tls:
        yield Setting(
            "SECURE_PROXY_SSL_HEADER",
            ["HTTP_X_FORWARDED_PROTO", "https"],
            "The web server ends TLS and says so in this header, which it sets itself on every request.",
        )
    word = "Logins travel over TLS only." if site.tls else "There is no TLS: a secure cookie would never come back."
    yield Setting("SESSION_COOKIE_SECURE", site.tls, word)
    yield Setting("CSRF_COOKIE_SECURE", site.tls, word)
    redirect = "A second lock: the web server redirects already." if site.tls else "There is no TLS to redirect to."
    yield Setting("SECURE_SSL_REDIRECT", site.tls, redirect)
    hsts = "Browsers that came once never try without TLS again." if site.tls else "There is no TLS to insist on."
    yield Setting("SECURE_HSTS_SECONDS", site.hsts_seconds if site.tls else 0, hsts)
    if site.tls:
        yield Setting(
            "SILENCED_SYSTEM_CHECKS",
            ["security.W005", "security.W021"],
            "That every subdomain has TLS, and preloading, are decisions about a whole domain, not about this site.",
        )
    yield Setting("SECURE_CONTENT_TYPE_NOSNIFF", True, "A browser must not run an upload as a script.")


def explain(decisions: Decisions) -> str:
    """Return, for the project's team, what is set from outside and what they should move into their own settings."""
    headings: dict[How, str] = {
        "overlay": "Set by the overlay. Move these into your own settings for production:",
        "environment": "Set through variables that your settings read:",
        "already": "Already so in your settings:",
        "left": "Left as your project does it:",
    }
    lines: list[str] = []
    for how, heading in headings.items():
        chosen = [override for override in decisions.overrides if override.how == how]
        if chosen:
            lines += [heading, *(line for override in chosen for line in _explained(override)), ""]
    if decisions.missing:
        lines += ["Needed by your settings, and not known here. Give them as secrets of the answers:"]
        lines += [f"  {variable.name}  ({variable.place})" for variable in decisions.missing]
    return "\n".join(lines).rstrip() + "\n"


def _explained(override: Override) -> Iterator[str]:
    setting = override.setting
    through = f" through {', '.join(override.variables)}" if override.variables else ""
    now = f"  (now: {override.place})" if override.place and override.how == "overlay" else ""
    yield f"  {setting.name}{through}{now}"
    yield f"      {override.note or setting.because}"
