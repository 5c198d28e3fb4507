"""Which adapter stands for which provider. libcloud is loaded only when one is opened."""

from __future__ import annotations

from stackwise.errors import UsageError
from stackwise.provision.cloud import Cloud, Progress


def open_cloud(provider: str, progress: Progress) -> Cloud:
    """Return the adapter of a provider; `progress` is told what a long call is doing.

    Raises UsageError for an unknown one.
    """
    if provider == "sandbox":
        from stackwise.provision.sandbox.adapter import SandboxCloud  # noqa: PLC0415 - libcloud takes its time to load

        return SandboxCloud(progress)
    if provider == "existing":
        from stackwise.provision.existing.adapter import ExistingCloud  # noqa: PLC0415 - as above

        return ExistingCloud()
    raise UsageError(f"there is no provider {provider!r}", hint="see: stackwise catalog list --category provider")
