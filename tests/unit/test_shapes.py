"""One definition of a file's shape: what is built without pydantic is what pydantic finds right."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import ValidationError

from stackwise.shapes import MisfitError, Shape, Where, build, check, json_schema, said


def even(number: int) -> None:
    if number % 2:
        msg = "an even number is expected"
        raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel(Shape):
    spokes: Annotated[int, Where(ge=2, le=100, check=even)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart(Shape):
    name: Annotated[str, Where(pattern="^[a-z]+$", max_length=8)] = said("What it is called")
    wheels: Annotated[tuple[Wheel, ...], Where(min_length=1)]
    made: date | None = None
    kind: Literal["hand", "ox"] = "hand"
    load: float = 0.5
    extras: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind == "ox" and self.load < 1:
            msg = "an ox draws more than that"
            raise ValueError(msg)


WHEELS = [{"spokes": 8}, {"spokes": 8}]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"made": "2026-11-21", "kind": "ox", "load": 2},
        {"made": date(2026, 11, 21), "extras": {"lamp": [1, {"lit": True}]}},
        {"made": None},
    ],
)
def test_what_is_right_is_built_as_pydantic_builds_it(more: dict[str, Any]) -> None:
    data = {"name": "tumbrel", "wheels": WHEELS, **more}
    assert build(Cart, data) == check(Cart, data)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"wheels": WHEELS},
        {"name": "tumbrel", "wheels": []},
        {"name": "Tumbrel", "wheels": WHEELS},
        {"name": "tumbrelle", "wheels": WHEELS},
        {"name": "tumbrel", "wheels": [{"spokes": 7}]},
        {"name": "tumbrel", "wheels": [{"spokes": 102}]},
        {"name": "tumbrel", "wheels": [{"spokes": "many"}]},
        {"name": "tumbrel", "wheels": WHEELS, "brake": True},
        {"name": "tumbrel", "wheels": WHEELS, "made": "yesterday"},
        {"name": "tumbrel", "wheels": WHEELS, "kind": "horse"},
        {"name": "tumbrel", "wheels": WHEELS, "kind": "ox"},
    ],
)
def test_what_is_wrong_is_refused_by_both(data: object) -> None:
    with pytest.raises(MisfitError):
        build(Cart, data)
    with pytest.raises(ValidationError):
        check(Cart, data)


def test_what_pydantic_would_bend_is_left_to_it() -> None:
    data = {"name": "tumbrel", "wheels": [{"spokes": "8"}]}
    with pytest.raises(MisfitError):
        build(Cart, data)
    assert check(Cart, data).wheels[0].spokes == 8


def test_the_schema_for_editors_has_the_limits_and_the_meaning() -> None:
    schema = json_schema(Cart)
    assert schema["additionalProperties"] is False
    assert schema["properties"]["name"] == {
        "description": "What it is called",
        "maxLength": 8,
        "pattern": "^[a-z]+$",
        "title": "Name",
        "type": "string",
    }


def test_a_plan_is_made_without_pydantic(tmp_path: Any) -> None:
    script = (
        "import sys; from click.testing import CliRunner; from stackwise.cli import app;"
        f"run = lambda: CliRunner().invoke(app, ['plan', '-a', '{EXAMPLE}']);"
        "done = run(); assert done.exit_code == 0, done.output; print('pydantic' in sys.modules)"
    )
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", script]
    first, second = (subprocess.run(command, env=environment, capture_output=True, text=True, check=True) for _ in "12")
    assert (first.stdout, second.stdout) == ("False\n", "False\n")


EXAMPLE = "docs/examples/superbook/stackwise.yml"
