"""Makes the reference pages from the code: `make docs`. A test fails where a page is stale.

They are written beside this file, or into the folder that is named.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
import yaml

from stackwise import paths
from stackwise.catalog import load_catalog, tables
from stackwise.catalog import model as catalog_model
from stackwise.catalog.model import Component, Offer, Size
from stackwise.cli import app

HERE = Path(__file__).resolve().parent
NOTE = "<!-- Made by `make docs`; change the code, not this page. -->\n\n"


def pages() -> dict[str, str]:
    """Return every generated page by its file name."""
    made = {"commands.md": commands, "component.md": component, "answers.md": answers, "roles.md": roles}
    made |= {"providers/README.md": providers}
    made |= {f"providers/{known.id}.md": partial(provider, known, offer) for known, offer in _providers()}
    return {name: NOTE + "\n".join(lines()).rstrip() + "\n" for name, lines in made.items()}


def commands() -> Iterator[str]:
    """Yield the page of commands."""
    context = click.Context(app, info_name="stackwise", **app.context_settings)
    yield from ("# Commands", "", "```text", app.get_help(context), "```", "")
    for name in app.list_commands(context):
        command = app.get_command(context, name)
        if command is not None:
            yield from _command(command, f"stackwise {name}", context)
    yield from (
        "## Exit codes",
        "",
        "0 done · 1 it failed · 2 wrong usage or wrong answers · 3 an impossible combination · "
        "4 verify found a fault · 130 interrupted",
        "",
        "## Completion",
        "",
        'bash: `eval "$(_STACKWISE_COMPLETE=bash_source stackwise)"` · '
        'zsh: `eval "$(_STACKWISE_COMPLETE=zsh_source stackwise)"` · '
        "fish: `_STACKWISE_COMPLETE=fish_source stackwise | source`",
    )


def _command(command: click.Command, path: str, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=path.rpartition(" ")[2], parent=parent)
    yield from (f"## {path}", "", "```text", command.get_help(context), "```", "")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _command(below, f"{path} {name}", context)


def component() -> Iterator[str]:
    """Yield the page of catalog fields."""
    yield from ("# Fields of the catalog", "")
    for name in (
        "Component",
        "Install",
        "Question",
        "Setting",
        "Clause",
        "State",
        "Support",
        "Offer",
        "Credential",
        "Size",
        "Extras",
        "Hosting",
        "Degree",
        "Measurement",
        "System",
        "Category",
        "Tradeoff",
        "Rule",
        "Verdict",
        "Failure",
        "Cause",
        "Currency",
        "Price",
        "Versions",
        "Release",
        "Wheels",
        "Source",
    ):
        kind = getattr(catalog_model, name, None) or getattr(tables, name)
        yield from (
            f"## {name}",
            "",
            inspect.cleandoc(str(kind.__doc__)),
            "",
            "| field | required | meaning |",
            "| --- | --- | --- |",
        )
        for field in dataclasses.fields(kind):
            required = field.default is field.default_factory is dataclasses.MISSING
            yield f"| `{field.name}` | {'yes' if required else ''} | {field.metadata.get('description', '')} |"
        yield ""


def answers() -> Iterator[str]:
    """Yield the page of answers."""
    catalog = load_catalog()
    yield from (
        "# The answers file",
        "",
        "One YAML file, `stackwise.yml`. Unknown keys are errors. `stackwise init` writes one with comments.",
        "",
    )
    yield from ("| key | question | why it is asked | default |", "| --- | --- | --- | --- |")
    for key, question in catalog.questions.items():
        yield f"| `{key}` | {question.ask} | {question.why} | {_default(question.default)} |"
    for category in catalog.layers:
        ids = ", ".join(f"`{option.id}`" for option in catalog.options(category.id) if option.installable)
        yield f"| `{category.answer}` | {category.ask} | {category.beginner} One of {ids}. | `{category.default}` |"
    yield from (
        "",
        "- `secrets.NAME`: `generate`, `env:NAME`, `file:PATH` or `keyring:NAME`; never a value",
        "- `accepted.RULE`: the reason why a warning is overruled",
        "- `options.COMPONENT.OPTION`: see below",
        "",
    )
    for item in catalog.components.values():
        if item.questions:
            yield from (
                f"## options.{item.id}",
                "",
                "| option | question | why | default |",
                "| --- | --- | --- | --- |",
            )
            for question in item.questions:
                default = f"`{question.formula}`" if question.formula else _default(question.default)
                unit = f" ({question.unit})" if question.unit else ""
                yield f"| `{question.id}` | {question.ask}{unit} | {question.why} | {default} |"
            yield ""


def _default(value: object) -> str:
    return "" if value is None else f"`{value}`"


def _providers() -> tuple[tuple[Component, Offer], ...]:
    options = load_catalog().options("provider")
    return tuple((known, known.offer) for known in options if known.installable and known.offer)


def providers() -> Iterator[str]:
    """Yield the page that lists the providers."""
    yield from ("# Providers", "", "Where stackwise makes servers. `stackwise providers` shows the same.", "")
    yield from ("| provider | regions | smallest size | tested |", "| --- | --- | --- | --- |")
    for known, offer in _providers():
        size = f"{offer.sizes[0].id}, {_price(offer.sizes[0], offer)}" if offer.sizes else ""
        yield f"| [{known.name}]({known.id}.md) | {len(offer.locations)} | {size} | {offer.tested} |"


def provider(known: Component, offer: Offer) -> Iterator[str]:
    """Yield the page of one provider: the way in, what it costs, its limits, and what it was tested against."""
    yield from (
        f"# {known.name}",
        "",
        known.summary,
        "",
        f"Choose it when: {known.choose_when[0].lower()}{known.choose_when[1:]}",
        "",
    )
    if offer.credentials:
        yield from ("## The way in", "")
        yield from (f"{number}. {step}" for number, step in enumerate(offer.steps, start=1))
        yield from ("", "| variable | what it is |", "| --- | --- |")
        yield from (f"| `{wanted.variable}` | {wanted.says} |" for wanted in offer.credentials)
        yield from ("", "Each may stand in a file instead, which `VARIABLE_FILE` names, or in the desktop's keyring")
        yield from (
            "(`keyring set stackwise VARIABLE`). None is ever written to an answers file, a record or a log.",
            "",
        )
        yield from (f"What it must be allowed to do: {offer.rights}", "")
        yield from ("Try it: `stackwise providers show " + known.id + " --live`", "")
    yield from ("## A site there", "", "```sh", f"stackwise init --set hosting.provider={known.id}")
    yield from ("stackwise up", "stackwise status", "stackwise destroy", "```", "")
    yield from ("## What it costs", "", f"Prices of a month, read on {offer.priced}. {offer.live}".rstrip(), "")
    yield from ("| size | CPU | memory (MiB) | disk (GB) | price |", "| --- | --- | --- | --- | --- |")
    for size in offer.sizes:
        yield f"| `{size.id}` | {size.cpus} | {size.memory_mb} | {size.disk_gb or 'apart'} | {_price(size, offer)} |"
    yield from ("", f"Regions: {', '.join(f'`{place}`' for place in offer.locations) or 'none on record'}.", "")
    if offer.limits:
        yield from ("## To know before", "", *(f"- {limit}" for limit in offer.limits), "")
    yield from ("## What was tested", "", offer.tested or "Nothing yet.", "")


def _price(size: Size, offer: Offer) -> str:
    return "not known" if size.price is None else f"{size.price:g} {offer.currency}"


def roles() -> Iterator[str]:
    """Yield the page of roles, from their argument specs."""
    yield from (
        "# Roles",
        "",
        "Each role's interface is its `meta/argument_specs.yml`; this page is made from them.",
        "",
    )
    for path in sorted(paths.roles_dir().glob("*/meta/argument_specs.yml")):
        spec = yaml.safe_load(path.read_text())["argument_specs"]["main"]
        yield from (f"## {path.parent.parent.name}", "", f"{spec['short_description']}.", "")
        yield from (f"- {line}" for line in _listed(spec.get("description", [])))
        yield from ("", "| variable | type | default | meaning |", "| --- | --- | --- | --- |")
        for name, option in spec["options"].items():
            default = "required" if option.get("required") else f"`{option.get('default')}`"
            yield f"| `{name}` | {option['type']} | {default} | {' '.join(_listed(option['description']))} |"
        yield ""


def _listed(value: Any) -> list[str]:
    return [str(line).strip() for line in (value if isinstance(value, list) else [value])]


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name, text in pages().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
