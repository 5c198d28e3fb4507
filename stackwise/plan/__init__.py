"""From choices to a plan: pure arithmetic, no cloud and no file is touched."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from stackwise import __version__
from stackwise.advice import advise, conflicts_of
from stackwise.advice.facts import chosen, gather, is_found, kernel_of, offer_of, size_of
from stackwise.advice.sizing import memory_shares, option_values
from stackwise.answers import Choices
from stackwise.catalog import Catalog
from stackwise.errors import ImpossibleError, UsageError
from stackwise.plan.decisions import decide
from stackwise.plan.model import Access, Cost, Identity, Plan, Play, Reference, ServerSpec, Variable
from stackwise.plan.settings import HOSTS_VARIABLE, OVERLAY, Decisions, Setting, SiteFacts, core_settings
from stackwise.plan.vocabulary import Vocabulary, fill, services, site_vocabulary, with_version
from stackwise.project import Project

__all__ = ["host_of", "identity_of", "make_plan"]

_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

# What every server needs, whatever was chosen: the rest comes from the catalog.
_BASE_PACKAGES = (
    "ca-certificates",
    "logrotate",
    "openssh-server",
    "openssl",
    "python3",
    "python3-apt",
    "sudo",
    "tzdata",
)
# What they do, they do to the server as a whole: where others decide on that, they are left to them.
_WHOLE_PACKAGES = ("nftables", "unattended-upgrades")
# On a shared kernel the clock is the host's; where there is a server already, something keeps its time.
_OWN_KERNEL_PACKAGES = ("systemd-timesyncd",)
_SITE_PACKAGES = ("brotli", "python3-venv")
_FORBIDDEN_PACKAGES = ("build-essential", "clang", "cpp", "g++", "gcc", "gdb", "make", "strace", "tcc")

# The order in which a server is built up. A play runs on the servers of its group, so a group of several servers needs
# no other file.
_PLAYS = {
    "database": "Set up the database",
    "cache": "Set up the cache",
    "web": "Set up the web server",
    "app": "Put up the application",
}


def make_plan(choices: Choices, project: Project, catalog: Catalog, snapshot: str) -> Plan:
    """Return what will exist. `snapshot` is the id of the files that are deployed.

    Raises ImpossibleError where choices cannot work together, UsageError for a provider or a size that does not exist.
    """
    advice = advise(choices, project, catalog)
    if conflicts := conflicts_of(advice):
        settle = next((a.settle for a in advice if a.kind == "conflict" and a.settle), "")
        raise ImpossibleError(
            conflicts, hint=f"settle it with `{settle}` in the answers" if settle else "see: stackwise advise"
        )
    return _Assembly(choices, project, catalog, snapshot).plan(advice)


class _Assembly:
    """The parts that several steps of one plan share."""

    def __init__(self, choices: Choices, project: Project, catalog: Catalog, snapshot: str) -> None:
        self.choices = choices
        self.project = project
        self.catalog = catalog
        self.snapshot = snapshot
        self.components = chosen(choices, catalog)
        self.installed = tuple(c for c in self.components if c.install)
        self.facts = gather(choices, project, catalog)
        self.system = catalog.component(choices["stack.os"]).system
        self.words: Vocabulary = site_vocabulary(choices, project, self.components, self.system)

    def plan(self, advice: tuple[Any, ...]) -> Plan:
        """Put everything together."""
        choices = self.choices
        settings = self._settings()
        return Plan(
            identity=identity_of(choices),
            host=host_of(choices),
            sites=choices["hosting.sites"],
            found=self._is_found,
            disks=tuple(choices["hosting.disks"]),
            whole=not self._is_found or bool(choices["hosting.whole"]),
            project=self.project,
            access=Access(
                choices["access.domain"],
                bool(self.words["tls"]),
                choices["access.admin_user"],
                choices["access.ssh_key"],
            ),
            servers=(self._server(),),
            plays=tuple(self._plays()),
            variables=tuple(self._variables(settings)),
            packages=self._packages(),
            python=self._python(),
            ports=self._ports(),
            services=self._services(),
            users=self._users(),
            settings=settings,
            generated_secrets=tuple(name for name, where in self._secrets().items() if where == "generate"),
            secrets=self._secrets(),
            memory=memory_shares(self.components, self.facts),
            cost=self._cost(),
            advice=advice,
            components=tuple(c.id for c in self.components),
        )

    def _server(self) -> ServerSpec:
        groups = dict.fromkeys(category.group for category in self.catalog.layers if category.group)
        return ServerSpec(
            name=f"{host_of(self.choices)}-1",
            groups=tuple(groups),
            provider=self.choices["hosting.provider"],
            location=self.choices["hosting.region"],
            size=size_of(self.choices, self.catalog),
            image=self.choices["stack.os"],
            kernel=kernel_of(self.choices, self.catalog),
        )

    @property
    def _is_found(self) -> bool:
        return is_found(self.choices)

    @property
    def _settles_server(self) -> bool:
        """Whether ssh, firewall, name and clock of the server are decided here, and not by somebody else."""
        return not self.words["shared"] and (not self._is_found or bool(self.choices["hosting.whole"]))

    def _plays(self) -> Iterator[Play]:
        # What a server is as a whole, the site that made it has decided.
        whole = ("ssh", "firewall") if self._settles_server else ()
        yield Play("Prepare every server", "all", ("base", *whole), "configure")
        for group, name in _PLAYS.items():
            roles = self._roles_of(group)
            if group == "app":
                yield Play(name, group, ("site", *roles), "deploy")
            elif roles:
                yield Play(name, group, roles, "configure")
        yield Play("Prove that the site answers", "web", ("health",), "deploy")

    def _roles_of(self, group: str) -> tuple[str, ...]:
        roles: dict[str, None] = {}
        for category in sorted(self.catalog.layers, key=lambda c: _role_order(c.id, c.order)):
            if category.group == group:
                for name in self.choices.components(category.answer):
                    install = self.catalog.component(name).install
                    if install and install.role:
                        roles.setdefault(install.role)
        return tuple(roles)

    def _variables(self, settings: Decisions | None) -> Iterator[Variable]:
        yield from self._base_variables()
        yield from self._site_variables(settings)
        reasons = {
            (v.component, v.question.id): v
            for v in option_values(self.components, self.choices.under("options"), self.facts)
        }
        for component in self.installed:
            install = component.install
            if install is None or not install.role:
                continue
            variables = {**install.variables, **install.variables_on.get(self.choices["stack.os"], {})}
            for name, filled in fill(variables, with_version(self.words, component, self.system)).items():
                yield Variable(name, filled)
            for question in component.questions:
                value = reasons[component.id, question.id]
                unit = f" In {question.unit}," if question.unit else ""
                yield Variable(f"{install.role}_{question.id}", value.value, f"{question.ask}{unit} {value.because}")
        yield Variable("health_url", f"{'https' if self.words['tls'] else 'http'}://127.0.0.1/")
        yield Variable("health_host", self.words["domain"])
        yield Variable("health_service", self.words["site"])

    def _base_variables(self) -> Iterator[Variable]:
        choices, server = self.choices, self._server()
        yield Variable("base_os", server.image)
        yield Variable(
            "base_packages",
            list(self._packages()),
            "Everything in one transaction; the roles install nothing on their own",
        )
        yield Variable(
            "base_forbidden_packages",
            [] if self._is_found else list(_FORBIDDEN_PACKAGES),
            "What was there before us stays"
            if self._is_found
            else "No compiler and no debugger on a server that faces the world",
        )
        yield Variable("base_admin_user", choices["access.admin_user"])
        if not self._settles_server:
            whose = host_of(choices) if self.words["shared"] else "its owner"
            yield Variable("base_shared", True, f"What the server is as a whole, {whose} has decided")
            return
        yield Variable("base_hostname", server.name)
        yield Variable("base_kernel", server.kernel, "A shared kernel is not ours to tune")
        yield Variable(
            "base_swap_mb",
            self._swap_mb(server),
            "As much as the memory up to 2 GiB, so that a peak slows the site instead of killing it",
        )
        yield Variable("ssh_admin_user", choices["access.admin_user"])
        yield Variable("firewall_tcp_ports", list(self._ports()))

    @staticmethod
    def _swap_mb(server: ServerSpec) -> int:
        return min(server.size.memory_mb, 2048) if server.kernel == "own" else 0

    def _site_variables(self, settings: Decisions | None) -> Iterator[Variable]:
        words, project = self.words, self.project
        requirements = project.requirements
        django = project.framework == "django"
        yield Variable("site_name", words["site"])
        yield Variable("site_user", words["site_user"])
        yield Variable("site_home", words["home"])
        yield Variable("site_groups", words["groups"])
        yield Variable(
            "site_release",
            self._release(settings),
            "Names the files, what is installed for them and how they are configured",
        )
        yield Variable("site_archive", "release.tar.gz")
        yield Variable("site_app_dir", project.app_dir)
        yield Variable("site_framework", "django" if django else "wsgi")
        yield Variable("site_settings_module", OVERLAY if django else "")
        # A manage.py that chooses its settings whatever the environment says would pass our overlay by.
        yield Variable("site_manage", "" if project.settings_forced else project.manage or "")
        yield Variable("site_application", words["wsgi"])
        yield Variable("site_requirements_files", list(requirements.files))
        yield Variable(
            "site_packages",
            self._python_packages(),
            "The project's own where no file names them, and what the stack adds",
        )
        yield Variable(
            "site_constraints", list(requirements.constraints), "The exact versions of the project's lock file"
        )
        yield Variable("site_environment", self._environment(settings))
        yield Variable(
            "site_generated_secrets", [name for name, where in self._secrets().items() if where == "generate"]
        )
        yield Variable("site_static_root", words["static_root"])
        yield Variable("site_migrate", django)
        yield Variable("site_collectstatic", django and "django.contrib.staticfiles" in project.installed_apps)
        yield Variable("site_health_host", words["domain"])

    def _python_packages(self) -> list[str]:
        return [*self.project.requirements.packages, *self._python()]

    def _release(self, settings: Decisions | None) -> str:
        """Return the id of the release: the same files, packages and settings give the same one."""
        parts = (
            self.snapshot,
            self._python_packages(),
            self.project.requirements.constraints,
            settings.overrides if settings else (),
            __version__,
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]

    def _environment(self, settings: Decisions | None) -> dict[str, str]:
        if settings is not None:
            return {"DJANGO_SETTINGS_MODULE": OVERLAY, **settings.environment}
        # Another framework has no overlay: it reads what each component tells it.
        environment: dict[str, str] = {HOSTS_VARIABLE: Reference(",".join(self.words["names"]))}
        for component in self.installed:
            if component.install:
                environment.update(fill(component.install.environment, self.words))
        return environment

    def _settings(self) -> Decisions | None:
        """Decide how the stack's wishes reach the settings; None for a project that is not Django's."""
        if self.project.framework != "django":
            return None
        words = self.words
        options = self.choices.under("options")
        facts = SiteFacts(
            hosts=tuple(words["names"]),
            tls=bool(words["tls"]),
            static_root=words["static_root"],
            media_root=words["media_root"],
            static_url=words["static_url"],
            media_url=words["media_url"],
            hsts_seconds=int(options.get("nginx.hsts_seconds", 31536000)),
        )
        chosen_settings = [
            Setting(s.name, fill(s.value, words), s.because) for c in self.components for s in c.settings
        ]
        decisions = decide(self.project, [*core_settings(facts), *chosen_settings])
        self._refuse_unknown(decisions)
        return decisions

    def _refuse_unknown(self, decisions: Decisions) -> None:
        """Raise where the project needs a variable that nobody gives: its settings would not even import."""
        given = self._secrets()
        for variable in decisions.missing:
            if variable.name not in given:
                message = f"{variable.place}: the settings need {variable.name}, and nothing here knows its value"
                raise UsageError(message, hint=f"give it below `secrets`: {variable.name}: env:{variable.name}")

    def _secrets(self) -> dict[str, str]:
        named = {"SECRET_KEY": "generate"} if self.project.framework == "django" else {}
        return {**named, **self.choices.under("secrets")}

    def _packages(self) -> tuple[str, ...]:
        system = self.choices["stack.os"]
        wanted = {*_BASE_PACKAGES, *_SITE_PACKAGES}
        if not self._is_found:
            wanted.update(_WHOLE_PACKAGES, _OWN_KERNEL_PACKAGES if self._server().kernel == "own" else ())
        elif self.choices["hosting.whole"]:
            wanted.update(_WHOLE_PACKAGES)
        for component in self.installed:
            if component.install:
                wanted.update(component.install.packages, component.install.packages_on.get(system, ()))
        return tuple(sorted(wanted))

    def _python(self) -> tuple[str, ...]:
        """Return what is installed beside the project's own requirements, which stay as they are."""
        own = set(self.project.requirements.names)
        wanted = [requirement for c in self.installed if c.install for requirement in c.install.python]
        if self.project.framework == "django" and "django" not in own:
            wanted.insert(0, f"Django{self.project.django_version or ''}")
        return tuple(requirement for requirement in wanted if _distribution(requirement) not in own)

    def _users(self) -> dict[str, str]:
        administrator = {self.choices["access.admin_user"]: "administrator, by ssh key"}
        own = {str(self.words["site_user"]): "runs the application, no shell"}
        return own if self.words["shared"] else {**administrator, **own}

    def _ports(self) -> tuple[int, ...]:
        return tuple(sorted({22, *(port for c in self.installed if c.install for port in c.install.ports)}))

    def _services(self) -> tuple[str, ...]:
        return tuple(unit for component in self.installed for unit in services(component, self.words, self.system))

    def _cost(self) -> Cost:
        offer = offer_of(self.choices, self.catalog)
        if self.words["shared"]:
            return Cost(0.0, offer.currency, offer.priced.isoformat())
        return Cost(size_of(self.choices, self.catalog).price, offer.currency, offer.priced.isoformat())


def identity_of(choices: Choices) -> Identity:
    """Return whose site the answers are about."""
    return Identity(choices["name"], choices["environment"])


def host_of(choices: Choices) -> Identity:
    """Return the site that makes the server: this one, or the one whose server it shares."""
    return Identity(choices.get("hosting.share") or choices["name"], choices["environment"])


def _role_order(category: str, order: int) -> int:
    # The certificate has to exist before the web server that names it is checked; the media folder before the unit that
    # may write to it.
    return {"tls": 35, "media": 55}.get(category, order)


def _distribution(requirement: str) -> str:
    """Return the normalised name of the distribution that a requirement asks for; the catalog's are all plain ones."""
    # `packaging` says the same by a parser that takes longer to load than a plan takes to make.
    name = _REQUIREMENT.match(requirement)
    return re.sub(r"[-_.]+", "-", name[0]).lower() if name else requirement
