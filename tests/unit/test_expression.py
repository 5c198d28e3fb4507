from __future__ import annotations

import pytest

from stackwise.catalog.expression import ExpressionError, evaluate, names


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 2 * 3", 7),
        ("max(2, min(2 * cpus, memory_mb // 200))", 4),
        ("os == 'debian-13' and not tls", True),
        ("'celery' in uses", True),
        ("stack.web in ['nginx', 'caddy']", True),
        ("10 if cpus > 1 else 20", 10),
        ("1 < cpus < 3", True),
        ("-cpus", -2),
        ("cpus != None", True),
    ],
)
def test_evaluates(source: str, value: object) -> None:
    facts = {"cpus": 2, "memory_mb": 1024, "os": "debian-13", "tls": False, "uses": ["celery"], "stack.web": "nginx"}
    assert evaluate(source, facts) == value


@pytest.mark.parametrize(
    "source",
    [
        "__import__('os').system('true')",
        "().__class__",
        "open('/etc/passwd')",
        "[x for x in y]",
        "lambda: 1",
        "a[0]",
        "f'{a}'",
        "max(a, key=b)",
        "1 +",
        "{'a': 1}",
        "a ** b",
    ],
)
def test_refuses_what_is_not_of_the_language(source: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(source, {"a": 1, "b": 2, "y": []})


def test_names_the_fact_that_is_missing() -> None:
    with pytest.raises(ExpressionError, match=r"needs\.wishes"):
        evaluate("needs.wishes > 1", {})


def test_division_by_zero_is_an_error_of_the_expression() -> None:
    with pytest.raises(ExpressionError):
        evaluate("1 / a", {"a": 0})


def test_lists_the_facts_that_are_read() -> None:
    assert names("min(cpus, 2) + server.memory_mb if stack.app == 'gunicorn' else 1") == {
        "cpus",
        "server.memory_mb",
        "stack.app",
    }
