"""`python -m tests.bench [NAME...] [--json]`: exits 1 when an answer was wrong, never because of a time."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator

from tests.bench.pairs import Pair, WrongAnswerError, say

# What there is, and whether it makes machines and so needs root.
NAMES = {"cli": False, "tui": False, "second": True, "configure": True, "site": True}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; none: all of them")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, and nothing else")
    parser.add_argument("--times", type=int, default=0, help="samples of each arm (default: each bench's own number)")
    asked = parser.parse_args()
    if unknown := set(asked.names) - NAMES.keys():
        parser.error(f"there is no bench {', '.join(sorted(unknown))}; there is {', '.join(NAMES)}")
    names = asked.names or list(NAMES)
    if os.geteuid() != 0 and any(NAMES[name] for name in names):
        parser.error("these make machines of the sandbox and need root: sudo make bench")
    documents, wrong = [], []
    for name in names:
        say(f"== {name}")
        measure: Callable[[int], Iterator[Pair]] = importlib.import_module(f"tests.bench.{name}").measure
        try:
            for pair in measure(asked.times):
                documents.append(pair.document())
                if not asked.json:
                    print(pair.text(), flush=True)  # noqa: T201 - the product of this program
        except WrongAnswerError as exc:
            wrong.append({"name": name, "saw": str(exc)})
            say(f"{name}: WRONG ANSWER, its times count for nothing: {exc}")
    if asked.json:
        print(json.dumps({"pairs": documents, "wrong": wrong}, indent=1))  # noqa: T201 - as above
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
