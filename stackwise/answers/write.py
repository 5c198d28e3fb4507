"""The first answers file of a project: every question with its answer, where it came from and why it is asked."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stackwise.answers import Answers, Choices, choose
from stackwise.answers.check import why_wrong
from stackwise.answers.document import Document
from stackwise.catalog import Catalog
from stackwise.errors import AnswersError, Fault
from stackwise.paths import DEFAULT_FILE
from stackwise.project import Project

_WIDTH = 110
# Asked only where somebody wants it, so a first file does not carry it.
_LEFT_OUT = ("project.ref", "hosting.sites", "hosting.share")
# Asked only of a server that is there already.
OF_A_FOUND_SERVER = (
    "hosting.address",
    "hosting.login",
    "hosting.fingerprint",
    "hosting.whole",
    "hosting.cpus",
    "hosting.memory",
    "hosting.disk",
    "hosting.kernel",
    "hosting.disks",
)
# What its owner tells; the rest is seen and written by `stackwise look`.
TOLD_OF_A_FOUND_SERVER = ("hosting.address", "hosting.login", "hosting.fingerprint", "hosting.whole")
_SECTIONS = {
    "project": "What is deployed.",
    "team": "Who looks after it.",
    "needs": "What it has to carry and to survive.",
    "hosting": "Where it runs.",
    "stack": "The layers. See the options of each, with their trade-offs: stackwise catalog list",
    "access": "How visitors and administrators reach it.",
}


def first_answers(  # noqa: PLR0913, PLR0917 - what a first file is made of
    project: Project,
    catalog: Catalog,
    given: Mapping[str, Any],
    source: str,
    folder: Path,
    recommended: Mapping[str, Any] | None = None,
) -> str:
    """Return a commented answers file for a scanned project. `source` is where the project lies, seen from `folder`.

    `recommended` are choices that fit better than the usual ones. Raises AnswersError for a given answer that is wrong.
    """
    usual = {**(recommended or {}), "name": _name_of(project, catalog), "project.source": source}
    usual["access.domain"] = f"{usual['name']}.test"
    if "name" in given and isinstance(given["name"], str):
        usual["access.domain"] = f"{given['name']}.test"
    choices = choose(Answers(folder / DEFAULT_FILE, usual, given), scanned_answers(project), catalog)
    document = Document.parse(_text(choices, catalog), DEFAULT_FILE)
    known = {*catalog.questions, *(category.answer for category in catalog.layers)}
    for key, value in given.items():
        if key not in known and key.split(".")[0] not in ("secrets", "accepted", "options", "schema"):
            raise AnswersError(
                (Fault(f"--set {key}", 0, 0, "this key is not known", "see them all: stackwise schema answers"),)
            )
        document.change(key, value)
    return document.text()


def scanned_answers(project: Project) -> dict[str, Any]:
    """Return the answers that a scan gives."""
    uses = set(project.uses)
    found = {
        "project.settings": project.settings,
        "project.wsgi": project.wsgi,
        "needs.realtime": bool(uses & {"channels", "daphne", "channels-redis"}),
        "needs.jobs": bool(uses & {"celery", "django-q2", "django-rq", "dramatiq", "huey", "rq"}),
        "needs.uploads": "none" if project.framework == "django" and "uploads" not in project.hints else "",
    }
    return {key: value for key, value in found.items() if value}


def _name_of(project: Project, catalog: Catalog) -> str:
    """Return the project's name as one that servers, users and folders can carry."""
    word = "".join(sign if sign.isalnum() and sign.isascii() else "-" for sign in project.name.lower())
    word = "-".join(part for part in word.split("-") if part)[:30].strip("-")
    question = catalog.questions["name"]
    return word if why_wrong(question, word) is None else str(question.default)


def _text(choices: Choices, catalog: Catalog) -> str:
    asked: dict[str, tuple[str, str]] = {
        key: (question.ask, question.why) for key, question in catalog.questions.items()
    }
    for category in catalog.layers:
        options = " | ".join(component.id for component in catalog.options(category.id) if component.installable)
        asked[category.answer] = (category.ask, options)
    lines = [
        "# Answers for stackwise: read, edit, comment and commit this file.",
        "# check it: stackwise check   see what follows: stackwise plan   do it: stackwise up",
        "schema: 1",
    ]
    lines += [line for key in ("name", "environment") for line in _entry(key, asked[key], choices, "")]
    for section, words in _SECTIONS.items():
        keys = [key for key in asked if key.startswith(f"{section}.") and _is_asked(key, choices)]
        lines += ["", f"# {words}", f"{section}:"]
        lines += [line for key in keys for line in _entry(key, asked[key], choices, "  ")]
    return "\n".join(
        [
            *lines,
            "",
            "# Secrets are references, never values: generate, env:NAME, file:PATH, keyring:NAME",
            "secrets: {}",
            "",
        ]
    )


def _is_asked(key: str, choices: Choices) -> bool:
    """Whether a first file carries a question."""
    if key in OF_A_FOUND_SERVER:
        return (
            choices["hosting.provider"] == "existing" and key in TOLD_OF_A_FOUND_SERVER and choices.get(key) is not None
        )
    return key not in _LEFT_OUT and choices.get(key) is not None


def _entry(key: str, words: tuple[str, str], choices: Choices, indent: str) -> Iterator[str]:
    origin = " The scan found this." if choices.origins.get(key) == "scanned" else ""
    ask, why = words
    for line in textwrap.wrap(f"{ask} {why}{origin}", _WIDTH, break_long_words=False):
        yield f"{indent}# {line}"
    yield f"{indent}{key.rpartition('.')[2]}: {_scalar(choices[key])}"


def _scalar(value: object) -> str:
    # JSON scalars and lists are YAML, quoted right.
    if (
        isinstance(value, str)
        and value.replace("-", "").replace("_", "").replace(".", "").replace("/", "").isalnum()
        and not value[0].isdigit()
    ):
        return (
            value
            if value.lower() not in ("true", "false", "yes", "no", "on", "off", "null", "none") or value == "none"
            else json.dumps(value)
        )
    return json.dumps(value, ensure_ascii=False)
