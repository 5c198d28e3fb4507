"""Python data as the YAML that an Ansible user would have written: block style, comments, no accidental template."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

import yaml

from stackwise.plan.model import Reference, Variable

_WIDTH = 120
_TEMPLATE_SIGNS = ("{{", "{%", "{#")


class _Unsafe(str):
    """A string that Ansible must not read as a template."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - the base class decides the signature
        """Indent lists below their key, as ansible-lint wants them."""
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - as above
        """Write everything out; anchors puzzle readers."""
        return True


def _represent_string(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else '"' if value.startswith("{{") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _represent_unsafe(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("!unsafe", str(value), style='"')


_Dumper.add_representer(str, _represent_string)
_Dumper.add_representer(Reference, _represent_string)
_Dumper.add_representer(_Unsafe, _represent_unsafe)


def dump(data: Any) -> str:
    """Return `data` as YAML without a document start."""
    text: str = yaml.dump(
        _shielded(data), Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=True, default_flow_style=False
    )
    return text


def document(*parts: str) -> str:
    """Return a YAML document of `parts`, with one empty line between them."""
    return "---\n" + "\n".join(part if part.endswith("\n") else f"{part}\n" for part in parts)


def comment(text: str) -> str:
    """Return `text` as YAML comment lines."""
    lines = textwrap.wrap(text, _WIDTH - 2, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)


def variables_text(variables: Iterable[Variable]) -> str:
    """Return role variables, each with its reason above it."""
    return "".join((comment(v.because) if v.because else "") + dump({v.name: v.value}) for v in variables)


def _shielded(value: Any) -> Any:
    if isinstance(value, Reference):
        return value
    if isinstance(value, dict):
        return {key: _shielded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shielded(item) for item in value]
    if isinstance(value, str) and any(sign in value for sign in _TEMPLATE_SIGNS):
        return _Unsafe(value)
    return value
