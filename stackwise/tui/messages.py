"""What workers and widgets tell the app. A worker never touches a widget: it posts one of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from stackwise.background import Following
    from stackwise.errors import StackwiseError
    from stackwise.events import Event
    from stackwise.plan.model import Identity
    from stackwise.walk.design import Design
    from stackwise.walk.learning import Learnt
    from stackwise.walk.planned import Node
    from stackwise.walk.progress import RunProgress
    from stackwise.walk.recent import LastRun, Recent
    from stackwise.walk.scanning import Scan
    from stackwise.walk.trials import Trial


class Opened(Message):
    """The answers file was read, or made in memory."""

    def __init__(self, design: Design) -> None:
        """Carry the `design`."""
        super().__init__()
        self.design = design


class NotOpened(Message):
    """There is nothing to begin with: the error says why."""

    def __init__(self, path: Path, error: Exception) -> None:
        """Carry the `error` of the file at `path`."""
        super().__init__()
        self.path, self.error = path, error


class Scanned(Message):
    """The project was looked at again."""

    def __init__(self, design: Design, scan: Scan) -> None:
        """Carry what was found, and for whom it was looked."""
        super().__init__()
        self.design, self.scan = design, scan


class Planned(Message):
    """The plan is made, with the files that will be rendered; or it cannot be, and `why_not` says why."""

    def __init__(self, nodes: tuple[Node, ...], files: Mapping[str, bytes], why_not: str = "") -> None:
        """Carry the plan as a tree."""
        super().__init__()
        self.nodes, self.files, self.why_not = nodes, files, why_not


class Happened(Message):
    """Something happened in the run: all that came since the last look, so that many events are one message."""

    def __init__(self, progress: RunProgress, batch: tuple[Event, ...]) -> None:
        """Carry the `batch` of events, and whose they are."""
        super().__init__()
        self.progress, self.batch = progress, batch


class RunFound(Message):
    """It was looked for runs of this site: one that is going on, what earlier ones teach, and the last one."""

    def __init__(
        self, site: Identity, following: Following | None, learnt: Learnt | None, last: RunProgress | None
    ) -> None:
        """Carry what was found for the `site`."""
        super().__init__()
        self.site = site
        self.following = following
        self.learnt = learnt
        self.last = last


class Goes(Message):
    """What would go with the site: a line for each thing; `error` is why it cannot go."""

    def __init__(self, lines: tuple[str, ...], error: StackwiseError | None = None) -> None:
        """Carry the `lines`."""
        super().__init__()
        self.lines = lines
        self.error = error


class Ended(Message):
    """The run is over; `error` is why, where it did not end well."""

    def __init__(self, progress: RunProgress, error: Exception | None) -> None:
        """Carry the `error`, and whose it is."""
        super().__init__()
        self.progress, self.error = progress, error


class Answered(Message):
    """Somebody answered a question; None leaves the answer to the scan and the defaults."""

    def __init__(self, key: str, value: Any) -> None:
        """Carry the dotted `key` and the `value`."""
        super().__init__()
        self.key = key
        self.value = value


class Wanted(Message):
    """Somebody wants to go to a step."""

    def __init__(self, step: str) -> None:
        """Carry the id of the `step`."""
        super().__init__()
        self.step = step


class Reported(Message):
    """The last run on record was read; None where there is none."""

    def __init__(self, progress: RunProgress | None) -> None:
        """Carry the run."""
        super().__init__()
        self.progress = progress


class Explained(Message):
    """A longer text was worked out: why an option is recommended, or the whole advice."""

    def __init__(self, title: str, lines: list[str]) -> None:
        """Carry the `title` and the `lines`."""
        super().__init__()
        self.title = title
        self.lines = lines


class TriedOut(Message):
    """A provider was asked whether it lets us in."""

    def __init__(self, trial: Trial) -> None:
        """Carry what it said."""
        super().__init__()
        self.trial = trial


class Recalled(Message):
    """What was open lately, each with its last run; and the last run of what is open now."""

    def __init__(self, recents: Sequence[tuple[Recent, LastRun]], here: LastRun | None) -> None:
        """Carry them."""
        super().__init__()
        self.recents, self.here = recents, here


class Remarkable(Message):
    """Something that a worker did could not be done; it is not in the way of anything else."""

    def __init__(self, words: str) -> None:
        """Carry the `words` that say so."""
        super().__init__()
        self.words = words


class KeysRead(Message):
    """The file with keys of one's own was read."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        """Carry the keys by the id of what they do."""
        super().__init__()
        self.keys = keys
