"""What can go wrong, as data.

Nothing here prints or exits: `stackwise.cli` turns an error into words on stderr and an exit code, the TUI into a
screen.

    StackwiseError                     (exit 1)
    ├── UsageError                     (exit 2)  a call that makes no sense: what was asked for can't be done that way
    │   ├── AnswersError               every fault of an answers file at once, each with its place
    │   └── ProjectError               the folder is no Python web project, or its settings can't be read
    ├── ImpossibleError                (exit 3)  a combination that cannot work, with the reason
    ├── CatalogError                   a catalog file is wrong; the place is in it
    ├── ProvisionError                 the provider, or the way to the server, said no
    │   ├── CredentialsRefusedError
    │   ├── ProviderUnreachableError
    │   │   └── AnswerLostError        a call that makes something was sent, and may have been carried out
    │   ├── RateLimitedError           asked too often; says how long to wait
    │   ├── NameTakenError             something else has the name that ours would get
    │   ├── NotSoldError               no such size, region or image for sale there
    │   ├── NothingLeftError           no room, no quota, no free address
    │   ├── ServerLostError            a server of ours is not there any more
    │   ├── HostKeyMismatchError       the host that answers is not the one we made
    │   └── DeadlineError              waited for something that did not come
    ├── ConfigureError                 Ansible failed: which task, on which host, in the server's own words
    ├── VerifyError                    (exit 4)  the site is there and a check found a fault
    ├── JournalError                   the record cannot be read or written
    │   └── LockedError                somebody else is running this name: who, and since when
    ├── RunLostError                   a run in a process of its own ended without saying how
    └── InterruptedRunError            (exit 130)  stopped by the user; says how to go on
"""

from __future__ import annotations

from dataclasses import dataclass


class StackwiseError(Exception):
    """An error that a user can understand: what happened, and what to type next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep `message` (what happened, one sentence) and `hint` (the remedy, ends with what to type)."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(StackwiseError):
    """What was asked for can't be done in that way."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of an answers file, with its place.

    `line` and `column` count from 1; 0 means that the fault has no place in the file (it came from `--set`, or the key
    is absent). `key` is
    the dotted key of the answer.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    key: str = ""

    @property
    def place(self) -> str:
        """The place as editors and compilers write it: file:line:column."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class AnswersError(UsageError):
    """The answers are wrong: every fault found, in the order of the file."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Keep the `faults`; there is at least one."""
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{first.place}: {first.message}{more}", hint=first.hint)
        self.faults = faults


class ProjectError(UsageError):
    """The folder holds no project that we can read."""


class ImpossibleError(StackwiseError):
    """The choices cannot work together. Never overruled; `conflicts` has one sentence with the reason for each."""

    def __init__(self, conflicts: tuple[str, ...], *, hint: str = "") -> None:
        """Keep the `conflicts`; there is at least one."""
        super().__init__(conflicts[0], hint=hint)
        self.conflicts = conflicts


class CatalogError(StackwiseError):
    """A catalog file does not follow the model."""


class ProvisionError(StackwiseError):
    """The provider refused, or the server cannot be reached."""


class CredentialsRefusedError(ProvisionError):
    """The provider does not accept the credentials."""


class ProviderUnreachableError(ProvisionError):
    """No answer from the provider: network, name, TLS or time-out."""


class AnswerLostError(ProviderUnreachableError):
    """The answer to a call that makes something was lost: it may have been carried out."""


class RateLimitedError(ProvisionError):
    """The provider was asked too often. `retry_after` is in seconds, 0 where it did not say."""

    def __init__(self, message: str, *, hint: str = "", retry_after: float = 0) -> None:
        """Keep how long to wait."""
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class NameTakenError(ProvisionError):
    """The provider has something of that name already."""


class NotSoldError(ProvisionError):
    """The provider does not sell what was asked for, or not there."""


class NothingLeftError(ProvisionError):
    """The provider has no room for what was asked: disk, quota, addresses."""


class ServerLostError(ProvisionError):
    """A server that the journal knows is gone at the provider."""


class HostKeyMismatchError(ProvisionError):
    """The host that answered showed another key than the one we gave it."""


class DeadlineError(ProvisionError):
    """Something that was waited for did not come in time."""


class ConfigureError(StackwiseError):
    """Ansible stopped: the task that failed, where, and what the server said."""

    def __init__(self, message: str, *, task: str = "", host: str = "", said: str = "", hint: str = "") -> None:
        """Keep the failing `task`, its `host` and what the server `said`, in its own words."""
        super().__init__(message, hint=hint)
        self.task = task
        self.host = host
        self.said = said


class VerifyError(StackwiseError):
    """The site stands, and at least one check found a fault."""


class JournalError(StackwiseError):
    """The record of what exists cannot be read or written."""


class LockedError(JournalError):
    """Another process is at work on the same name."""


class RunLostError(StackwiseError):
    """A run in a process of its own ended, and its events do not say how: it was killed, or never began."""

    def __init__(self, message: str, *, said: str = "", hint: str = "") -> None:
        """Keep what the process `said` on its way, in its own words."""
        super().__init__(message, hint=hint)
        self.said = said


class InterruptedRunError(StackwiseError):
    """The user stopped the run; the journal knows how to go on."""
