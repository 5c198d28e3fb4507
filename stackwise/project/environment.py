"""The environment variables that settings read: which, how, with what default, and where each value ends."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping

from stackwise.project.evaluation import ROOT, read_by, record
from stackwise.project.model import EnvironmentVariable
from stackwise.project.readers import UNKNOWN, Read, Reference

# A default of such a variable may be a secret, or a URL with one in it: it is not shown, stored or printed.
_SECRETIVE = re.compile(r"SECRET|KEY|PASS|TOKEN|URL|DSN|CREDENTIAL|AUTH|SALT|PRIVATE|CERT", re.IGNORECASE)


def is_secretive(name: str) -> bool:
    """Say whether a variable or setting of this name may hold a secret."""
    return bool(_SECRETIVE.search(name))


def variables_of(settings: Mapping[str, ast.expr], loose: Iterable[ast.expr]) -> tuple[EnvironmentVariable, ...]:
    """Return the variables that `settings` and the `loose` expressions read, by name; each name once."""
    found: dict[str, EnvironmentVariable] = {}
    for setting, expression in settings.items():
        for path, part in _parts(setting, expression):
            for read, place in record(part):
                _add(found, read, path, place)
    for expression in loose:
        for read, place in record(expression):
            _add(found, read, "", place)
    return tuple(found[name] for name in sorted(found))


def _parts(path: str, expression: ast.expr, depth: int = 0) -> Iterable[tuple[str, ast.expr]]:
    """Return `expression` cut along its dictionaries: DATABASES becomes DATABASES.default.NAME and so on."""
    if isinstance(expression, ast.Dict) and expression.keys and depth < 4:  # noqa: PLR2004 - no setting goes deeper
        for key, value in zip(expression.keys, expression.values, strict=True):
            name = f"{path}.{key.value!s}" if isinstance(key, ast.Constant) else path
            yield from _parts(name, value, depth + 1)
    elif isinstance(expression, ast.IfExp):
        # Kept whole, for a branch may need variables that the other does not; but its dictionaries name what they feed.
        yield path, expression
        for branch in (expression.body, expression.orelse):
            if isinstance(branch, (ast.Dict, ast.IfExp)):
                yield from ((name, _optional(part)) for name, part in _parts(path, branch, depth))
    else:
        yield path, expression


def _optional(expression: ast.expr) -> ast.expr:
    """Return an expression in which nothing is required: it stands in a branch."""
    return ast.IfExp(ast.Name("_unknown_", ast.Load()), expression, ast.Constant(None))


def _add(found: dict[str, EnvironmentVariable], read: Read, path: str, place: str) -> None:
    default = None if is_secretive(path) else _shown_default(read)
    place = place.removeprefix(f"{ROOT}/")
    known = found.get(read.name)
    if known is None:
        first = (path,) if path else ()
        found[read.name] = EnvironmentVariable(read.name, read.reader, read.cast, read.required, default, first, place)
        return
    feeds = (*known.feeds, path) if path and path not in known.feeds else known.feeds
    required = known.required or read.required
    # To ask whether a variable is there says nothing of what it becomes.
    reader, cast = (read.reader, read.cast) if known.cast == "present" else (known.reader, known.cast)
    found[read.name] = EnvironmentVariable(
        known.name, reader, cast, required, known.default or default, feeds, known.place
    )


def _shown_default(read: Read) -> str | None:
    if read.default is None or isinstance(read.default, Reference) or read.default is UNKNOWN:
        return None
    return None if is_secretive(read.name) and read.default else repr(read.default)


class _Redactor(ast.NodeTransformer):
    """Replace the strings that may be secrets: defaults of secretive variables, secretive keys, URLs with a login."""

    def __init__(self, keep: frozenset[str] | None) -> None:
        """Hide every string but those in `keep`; with None, only what looks like a secret."""
        self.keep = keep

    def visit_Call(self, node: ast.Call) -> ast.AST:
        read = read_by(node)
        self.generic_visit(node)
        secretive = read is not None and is_secretive(read.name)
        if read is not None and secretive:
            node.args = [argument if _is_name(argument, read.name) else _hidden(argument) for argument in node.args]
        for keyword in node.keywords:
            if is_secretive(str(keyword.arg)) or (keyword.arg == "default" and secretive):
                keyword.value = _hidden(keyword.value)
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        for index, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
            secretive = isinstance(key, ast.Constant) and is_secretive(str(key.value))
            inner = _Redactor(_variable_names(value)) if secretive and self.keep is None else self
            node.values[index] = inner.visit(value)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, str):
            return node
        has_login = "://" in node.value and "@" in node.value
        return ast.Constant("") if has_login or (self.keep is not None and node.value not in self.keep) else node


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == name


def _hidden(node: ast.expr) -> ast.expr:
    """Return `node` without a literal string; an expression of tuples keeps its shape."""
    if isinstance(node, ast.Tuple):
        return ast.Tuple([_hidden(element) for element in node.elts], ast.Load())
    return ast.Constant("") if isinstance(node, ast.Constant) and isinstance(node.value, str) else node


def redacted(setting: str, expression: ast.expr) -> str:
    """Return the text of the closed `expression` of `setting` without a literal that may be a secret."""
    tree = ast.parse(ast.unparse(expression), mode="eval").body
    keep = _variable_names(tree) if is_secretive(setting) and "URL" not in setting else None
    return ast.unparse(_Redactor(keep).visit(tree))


def _variable_names(expression: ast.expr) -> frozenset[str]:
    return frozenset(read.name for read, _ in record(expression))
