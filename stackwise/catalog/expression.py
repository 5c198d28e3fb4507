"""The small language in which the catalog states conditions and sizes.

It is a subset of Python's expressions, read by `ast` and walked by hand: numbers, strings, lists, dotted names,
arithmetic,
comparison, `in`, `and`/`or`/`not`, a conditional, and the functions `min max round floor ceil len`. There is no call
of anything
else, no attribute of an object, no subscript: a catalog file can decide, never act.

    >>> evaluate("min(2 * cpus + 1, memory_mb // 128)", {"cpus": 1, "memory_mb": 1024})
    3
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

Facts = Mapping[str, Any]

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
    "len": len,
}


class ExpressionError(ValueError):
    """The expression can't be read, or names a fact that does not exist."""


def parse(source: str) -> ast.expr:
    """Return the checked syntax tree of `source`. Raises ExpressionError for anything outside the language."""
    try:
        tree = ast.parse(source, mode="eval").body
    except SyntaxError as exc:
        msg = f"{source!r}: {exc.msg}"
        raise ExpressionError(msg) from exc
    _check(tree, source)
    return tree


def names(source: str) -> frozenset[str]:
    """Return the facts that `source` reads, as dotted names."""
    return frozenset(_names(parse(source)))


def evaluate(source: str, facts: Facts) -> Any:
    """Return the value of `source` over `facts` (keys are dotted names). Raises ExpressionError."""
    try:
        return _value(parse(source), facts)
    except (TypeError, ZeroDivisionError, KeyError) as exc:
        reason = f"there is no fact {exc}" if isinstance(exc, KeyError) else str(exc)
        msg = f"{source!r}: {reason}"
        raise ExpressionError(msg) from exc


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := _dotted(node.value)):
        return f"{head}.{node.attr}"
    return None


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Call):
        return [name for argument in node.args for name in _names(argument)]
    if isinstance(node, ast.Name | ast.Attribute):
        return [_dotted(node) or ""]
    return [name for child in ast.iter_child_nodes(node) for name in _names(child)]


def _check(node: ast.AST, source: str) -> None:
    if isinstance(node, ast.Name | ast.Attribute):
        allowed = _dotted(node) is not None
        children: list[ast.AST] = []
    elif isinstance(node, ast.Call):
        allowed = isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS and not node.keywords
        children = list(node.args)
    else:
        allowed = isinstance(node, ast.Constant | ast.List | ast.Tuple | ast.BoolOp | ast.IfExp) or _has_operator(node)
        children = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    if not allowed:
        msg = f"{source!r}: {type(node).__name__} is not part of the language"
        raise ExpressionError(msg)
    for child in children:
        _check(child, source)


def _has_operator(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return type(node.op) in _BINARY
    if isinstance(node, ast.UnaryOp):
        return type(node.op) in _UNARY
    return isinstance(node, ast.Compare) and all(type(op) in _COMPARE for op in node.ops)


def _value(node: ast.expr, facts: Facts) -> Any:  # noqa: PLR0911 - one return a kind of node
    match node:
        case ast.Constant():
            return node.value
        case ast.List() | ast.Tuple():
            return [_value(item, facts) for item in node.elts]
        case ast.Name() | ast.Attribute():
            return facts[_dotted(node) or ""]
        case ast.Call(func=ast.Name(id=name)):
            return _FUNCTIONS[name](*(_value(argument, facts) for argument in node.args))
        case ast.BinOp():
            return _BINARY[type(node.op)](_value(node.left, facts), _value(node.right, facts))
        case ast.UnaryOp():
            return _UNARY[type(node.op)](_value(node.operand, facts))
        case ast.IfExp():
            return _value(node.body if _value(node.test, facts) else node.orelse, facts)
        case ast.BoolOp():
            return _all_or_any(node, facts)
        case ast.Compare():
            return _compare(node, facts)
    msg = f"{type(node).__name__} is not part of the language"
    raise ExpressionError(msg)


def _all_or_any(node: ast.BoolOp, facts: Facts) -> bool:
    together = all if isinstance(node.op, ast.And) else any
    return together(_value(value, facts) for value in node.values)


def _compare(node: ast.Compare, facts: Facts) -> bool:
    left = _value(node.left, facts)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = _value(comparator, facts)
        if not _COMPARE[type(op)](left, right):
            return False
        left = right
    return True
