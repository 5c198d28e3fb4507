"""The small language in which the catalog states conditions and sizes.

It is a subset of Python's expressions: numbers, strings, lists, dotted names, arithmetic, comparison, `in`,
`and`/`or`/`not`, a conditional, and the functions `min max round floor ceil len`. There is no call of anything else, no
attribute of an object, no subscript: a catalog file can decide, never act. Each expression is read by `ast`, checked
node by node against that list, and only then handed to Python's own compiler.

    >>> evaluate("min(2 * cpus + 1, memory_mb // 128)", {"cpus": 1, "memory_mb": 1024})
    3
"""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable, Iterator, Mapping
from types import CodeType
from typing import Any

Facts = Mapping[str, Any]

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
    "len": len,
}
_PARTS = (ast.Constant, ast.List, ast.Tuple, ast.BoolOp, ast.IfExp, ast.BinOp, ast.UnaryOp, ast.Compare)
_OPERATORS = (
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot),
    *(ast.Not, ast.USub, ast.And, ast.Or),
)
# No builtins: a name that is no function of the language is a fact, and there is nothing else to reach.
_GLOBALS = {"__builtins__": {}, **_FUNCTIONS}


class ExpressionError(ValueError):
    """The expression can't be read, or names a fact that does not exist."""


def parse(source: str) -> ast.expr:
    """Return the checked syntax tree of `source`. Raises ExpressionError for anything outside the language."""
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except SyntaxError as exc:
        msg = f"{source!r}: {exc.msg}"
        raise ExpressionError(msg) from exc
    _check(tree, source)
    return tree


def check(source: str) -> None:
    """Make sure that `source` can be evaluated. Raises ExpressionError for anything outside the language."""
    _compiled(source)


def names(source: str) -> frozenset[str]:
    """Return the facts that `source` reads, as dotted names."""
    return frozenset(_names(parse(source)))


def evaluate(source: str, facts: Facts) -> Any:
    """Return the value of `source` over `facts` (keys are dotted names). Raises ExpressionError."""
    try:
        return eval(_compiled(source), _GLOBALS, {"facts": facts})  # noqa: S307 - checked node by node, no builtins
    except (TypeError, ZeroDivisionError, KeyError) as exc:
        reason = f"there is no fact {exc}" if isinstance(exc, KeyError) else str(exc)
        msg = f"{source!r}: {reason}"
        raise ExpressionError(msg) from exc


@functools.cache
def _compiled(source: str) -> CodeType:
    tree = ast.Expression(_Lookups().visit(parse(source)))
    return compile(ast.fix_missing_locations(tree), "<catalog>", "eval")


class _Lookups(ast.NodeTransformer):
    """Turns each dotted name into a look-up of the fact of that name."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return _look_up(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return _look_up(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        return ast.Call(node.func, [self.visit(argument) for argument in node.args], [])


def _look_up(node: ast.expr) -> ast.expr:
    return ast.Subscript(ast.Name("facts", ast.Load()), ast.Constant(_dotted(node)), ast.Load())


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := _dotted(node.value)):
        return f"{head}.{node.attr}"
    return None


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name | ast.Attribute):
        yield _dotted(node) or ""
        return
    inside = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    for child in inside:
        yield from _names(child)


def _check(node: ast.AST, source: str) -> None:
    children: list[ast.AST] = []
    if isinstance(node, ast.Name | ast.Attribute):
        allowed = _dotted(node) is not None
    elif isinstance(node, ast.Call):
        allowed = isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS and not node.keywords
        children = list(node.args)
    else:
        allowed = isinstance(node, (*_PARTS, *_OPERATORS))
        children = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr_context)]
    if not allowed:
        msg = f"{source!r}: {type(node).__name__} is not part of the language"
        raise ExpressionError(msg)
    for child in children:
        _check(child, source)
