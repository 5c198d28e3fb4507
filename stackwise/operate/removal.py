"""What goes when a site is destroyed, said before anybody says yes."""

from __future__ import annotations

from stackwise.advice.facts import FOUND
from stackwise.journal import Journal
from stackwise.plan.model import Identity
from stackwise.provision.sharing import refuse_to_leave_others, shared_with


def what_goes(identity: Identity) -> tuple[str, ...]:
    """Return a line for each thing that is removed with a site; none where there is nothing.

    Raises UsageError where other sites would be gone with it, JournalError.
    """
    journal = Journal.of(identity)
    if not journal.exists:
        return ()
    if host := shared_with(journal):
        return (f"its files, its database and all else of it on the server of {host} will be removed",)
    refuse_to_leave_others(identity)
    records = journal.servers().values()
    if found := [record.address for record in records if record.provider == FOUND]:
        stays = "the server and all else on it stay"
        return (f"its files, its database and all else of it on {found[0]} will be removed; {stays}",)
    whole = [f"{record.name} ({record.id or 'half made'}) at {record.provider}" for record in records]
    return (*(f"{what}, its disk and all data on it, will be removed" for what in whole), "its record here goes too")
