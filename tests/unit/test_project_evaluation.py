"""What an expression comes to, and that no settings module can make us run, wait or fill the memory."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from stackwise.project import UNKNOWN, evaluate
from tests.unit.strangers import make


@pytest.mark.parametrize(
    ("expression", "environ", "value"),
    [
        ("os.environ.get('A', 'x').split(',')", {"A": "1,2"}, ["1", "2"]),
        ("[h.strip() for h in os.getenv('A', '').split(',') if h]", {"A": " a, b,"}, ["a", "b"]),
        ("os.environ['A']", {}, UNKNOWN),
        ("os.environ['A']", None, UNKNOWN),
        ("'A' in os.environ", {"A": ""}, True),
        ("int(os.environ.get('A', 5)) + 1", {}, 6),
        ("int(os.environ.get('A', 5))", {"A": "x"}, UNKNOWN),
        ("{**{'a': 1}, 'b': os.environ.get('B')}", {"B": "2"}, {"a": 1, "b": "2"}),
        ("f\"{os.environ['A']}/{1}\"", {"A": "x"}, "x/1"),
        ("'%s:%s' % (os.environ['A'], 1)", {"A": "x"}, "x:1"),
        ("{'a': 1}[os.environ.get('A', 'a')]", {"A": "b"}, UNKNOWN),
        ("environ.Env(A=(bool, False))('A')", {"A": "on"}, True),
        ("environ.Env().bool('A', default=True)", {"A": "nonsense"}, False),
        ("environ.Env().list('A')", {"A": "x,,y"}, ["x", "y"]),
        ("environ.Env()('A', default=3)", {"A": "4"}, 4),
        ("decouple.config('A', cast=bool)", {"A": "nonsense"}, UNKNOWN),
        ("decouple.config('A', default='', cast=decouple.Csv())", {"A": "'x, y', z"}, ["x, y", "z"]),
        ("decouple.config('A', cast=lambda v: [s.strip() for s in v.split(',')])", {"A": "x, y"}, ["x", "y"]),
        ("environs.Env().bool('A', False)", {"A": "yes"}, True),
        ("environs.Env().list('A')", {"A": "x, y"}, ["x", "y"]),
        ("dj_database_url.config(default='sqlite:///a/b')['NAME']", {}, "a/b"),
        ("__import__('os').system('true')", {}, UNKNOWN),
        ("open('/etc/passwd').read()", {}, UNKNOWN),
        ("(lambda: 1).__globals__", {}, UNKNOWN),
        ("''.__class__.__mro__", {}, UNKNOWN),
        ("'{0.__class__}'.format(1)", {}, UNKNOWN),
        ("not valid python", {}, UNKNOWN),
        ("'x' * 10**12", {}, UNKNOWN),
        ("'%0999999999d' % 1", {}, UNKNOWN),
        ("[1] * 10**12", {}, UNKNOWN),
    ],
)
def test_values(expression: str, environ: dict[str, str] | None, value: object) -> None:
    assert evaluate(expression, environ) == value


HOSTILE = {
    "doubled sums": "A = 'x'\n" + "A = A + A\n" * 64,
    "replaced": "A = 'a'\n" + "A = A.replace('a', 'aa')\n" * 64,
    "joined": "A = 'a'\n" + "A = A.join(['a', 'b', 'c', 'd'])\n" * 64,
    "formatted": "A = 'a'\n" + "A = '{0}{0}'.format(A)\n" * 64 + "B = '%s%s' % (A, A)\n",
    "lists": "A = [1]\n" + "A.extend(A)\n" * 64,
    "branches": "import os\nA = 1\n" + "if os.environ.get('X') == str(A):\n    A = [A, A]\n" * 64,
    "a function that calls itself": "def f(x):\n    return f(f(x))\nA = f(1)\n",
    "functions upon functions": "def f0(x): return x\n"
    + "".join(f"def f{n + 1}(x): return f{n}(f{n}(x) + f{n}(x))\n" for n in range(30))
    + "A = f30('a')\n",
    "deep": "A = " + "(" * 90 + "1" + ")" * 90 + "\nB = " + "not " * 900 + "A\n",
    "a class that is its own base": "class A(A):\n    X = 1\nclass B(C): pass\nclass C(B): pass\n",
    "its own module": "import shop.settings as me\nfrom shop.settings import *\nX = me.X\n",
    "endless": "while True:\n    pass\n",
    "code that acts": "import pathlib\npathlib.Path(__file__).with_name('ran').touch()\nraise SystemExit(3)\n",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_settings_that_would_do_harm_are_only_read(tmp_path: Path, kind: str) -> None:
    began = time.monotonic()
    project = make(tmp_path, HOSTILE[kind])
    assert project.settings == "shop.settings"
    assert not (tmp_path / "shop" / "ran").exists()
    assert time.monotonic() - began < 10


def test_a_scan_needs_no_heavy_package() -> None:
    heavy = ("pathspec", "pydantic", "subprocess", "django", "yaml")
    script = f"import stackwise.project, sys; print([name for name in {heavy} if name in sys.modules])"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"
