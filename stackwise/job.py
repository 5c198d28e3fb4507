"""One answers file with everything that follows from it before the world is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from stackwise.advice.facts import is_found
from stackwise.answers import Answers, Choices, answers_text, choose, load_answers, parse_answers
from stackwise.answers.write import first_answers, scanned_answers
from stackwise.catalog import Catalog, load_catalog
from stackwise.errors import ProjectError
from stackwise.journal import Journal
from stackwise.operate.source import source_folder
from stackwise.paths import DEFAULT_FILE
from stackwise.plan import host_of, identity_of, make_plan
from stackwise.plan.model import Identity, Plan
from stackwise.project import Project, Snapshot, scan, snapshot, stand_in
from stackwise.provision.existing.meeting import Meeting
from stackwise.provision.keys import admin_key
from stackwise.render import render_project

# Stands for the files where nobody asks which ones they are.
_NOT_READ = "not-read"


@dataclass(frozen=True)
class Job:
    """One answers file with everything that follows from it before the world is touched."""

    answers: Answers
    choices: Choices
    project: Project
    source: Path
    catalog: Catalog

    @property
    def identity(self) -> Identity:
        """Whose servers these are."""
        return identity_of(self.choices)

    @property
    def host(self) -> Identity:
        """The site that makes the server: this one, or the one whose server it shares."""
        return host_of(self.choices)

    @property
    def is_shared(self) -> bool:
        """Whether the server is another site's."""
        return self.host != self.identity

    @property
    def folder(self) -> Path:
        """The project's folder, where the readable record goes."""
        return self.answers.folder

    @cached_property
    def files(self) -> Snapshot:
        """The project's files as they are now, less what is ignored. Raises ProjectError."""
        return snapshot(self.source, media=self.project.media_root)

    def plan(self) -> Plan:
        """Return what will exist. Raises ImpossibleError, UsageError."""
        return make_plan(self.choices, self.project, self.catalog, self.files.id)

    def outline(self) -> Plan:
        """Return the plan without reading every file of the project: all of it but the name of the release.

        Raises ImpossibleError, UsageError.
        """
        return make_plan(self.choices, self.project, self.catalog, _NOT_READ)

    def rendered(self) -> dict[str, bytes]:
        """Return the Ansible project, with the addresses and the key that the record has.

        Raises ImpossibleError, UsageError.
        """
        journal = Journal.of(self.host)
        addresses = {record.name: record.address for record in journal.servers().values() if record.ready}
        return render_project(self.plan(), self.files, self.answers_text(), addresses, self.admin_keys())

    def admin_keys(self) -> tuple[str, ...]:
        """Return the administrator's public key; none while a key that shall be generated is not made yet."""
        wish, folder = self.choices["access.ssh_key"], Journal.of(self.host).folder
        # A blank machine is installed with the key, so it is made before anything is asked of a server.
        if wish == "generate" and not is_found(self.choices) and not (folder / "ssh_key.pub").exists():
            return ()
        return (admin_key(wish, self.folder, folder).public,)

    def meeting(self) -> Meeting:
        """Return how a server that is there already is met."""
        choices = self.choices
        address, fingerprint = (str(choices.get(f"hosting.{key}") or "") for key in ("address", "fingerprint"))
        return Meeting(address, choices["hosting.login"], fingerprint)

    def answers_text(self) -> str:
        """Return the answers as the rendered project keeps them."""
        return answers_text(self.answers)


def first_file(project: Project, catalog: Catalog, given: Mapping[str, Any], source: str, folder: Path) -> str:
    """Return a commented first answers file, with the choices that fit what the scan found and what is given.

    Raises AnswersError for a given answer that is wrong.
    """
    from stackwise.advice.report import enough_at, recommend  # noqa: PLC0415 - a plan is made without it

    usual = first_answers(project, catalog, given, source, folder)
    choices = choose(parse_answers(usual, folder / DEFAULT_FILE, catalog), scanned_answers(project), catalog)
    asked = told(project, choices)
    layers = recommend(choices, asked, catalog)
    fitting = {
        layer.category.answer: layer.recommended.id
        for layer in layers
        if layer.category.answer and layer.recommended and layer.recommended.installable
    }
    enough = enough_at(choices, asked, catalog)
    if enough and enough.servers == 1:
        fitting["hosting.size"] = enough.size
    return first_answers(project, catalog, given, source, folder, fitting)


def load_job(path: Path, overrides: Mapping[str, Any] | None = None) -> Job:
    """Read the answers and scan the project. Raises AnswersError, ProjectError, CatalogError."""
    catalog = load_catalog()
    answers = load_answers(path, catalog, overrides)
    return make_job(answers, catalog)


def load_standing(path: Path, overrides: Mapping[str, Any] | None = None) -> Job:
    """Read the answers of a site that stands, whatever has become of its project since.

    It is enough to reach and to remove what stands; a plan is made of the plainest project where the real one cannot
    be read. Raises AnswersError, CatalogError.
    """
    catalog = load_catalog()
    answers = load_answers(path, catalog, overrides)
    try:
        return make_job(answers, catalog)
    except ProjectError:
        project = stand_in(answers.folder)
        choices = choose(answers, scanned_answers(project), catalog)
        return Job(answers, choices, told(project, choices), answers.folder, catalog)


def make_job(answers: Answers, catalog: Catalog) -> Job:
    """Scan the project that the answers name and put the choices together. Raises ProjectError."""
    first = choose(answers, {}, catalog)
    source = source_folder(first["project.source"], first.get("project.ref"), answers.folder)
    project = scan(source, settings=first.get("project.settings"))
    choices = choose(answers, scanned_answers(project), catalog)
    return Job(answers, choices, told(project, choices), source, catalog)


def told(project: Project, choices: Choices) -> Project:
    """Return the project as the answers correct it."""
    return replace(project, settings=choices.get("project.settings"), wsgi=choices.get("project.wsgi"))
