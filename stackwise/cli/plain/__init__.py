"""The walk as plain questions one after another: for screen readers, dumb terminals, and scripts.

No escape sequence, no line that is written twice, nothing decided here: all of it comes from `stackwise.walk`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stackwise.cli.plain.run import make
from stackwise.cli.plain.talk import EndOfInputError, Talk, talk_here
from stackwise.cli.plain.walk import Make, PlainWalk
from stackwise.paths import DEFAULT_FILE
from stackwise.walk.design import open_design

__all__ = ["walk_plain"]


def walk_plain(answers: str | None, talk: Talk | None = None, make: Make = make) -> int:
    """Walk on an answers file, or on the one of this folder, and return the exit code.

    `make` makes the site stand and returns what is to be said at the end; it raises StackwiseError. This raises
    AnswersError for a file that cannot be read as pairs, ProjectError for a folder without a project.
    """
    path = Path(answers or DEFAULT_FILE)
    talk = talk or talk_here(sys.stdin, sys.stdout)
    walk = PlainWalk(open_design(path), talk, make)
    try:
        return walk.walk()
    except EndOfInputError:
        talk.say("")
        talk.say(f"The input has come to its end. {walk.kept()}")
        return walk.code_at_the_end(unfinished=2)
    except KeyboardInterrupt:
        talk.say("")
        talk.say(f"Stopped. {walk.kept()}")
        return 130
