"""plan -> provision -> configure -> deploy -> verify, as one generator of events.

The CLI and the TUI both read it; neither does anything itself.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from stackwise import events
from stackwise.advice.facts import FOUND
from stackwise.configure import Playbook, PlaybookRun, is_running
from stackwise.errors import (
    InterruptedRunError,
    JournalError,
    LockedError,
    ProvisionError,
    VerifyError,
)
from stackwise.events import Event, Phase
from stackwise.job import Job
from stackwise.journal import Journal, ServerRecord
from stackwise.journal.secrets import resolve_secrets
from stackwise.operate.http import Site
from stackwise.operate.verify import fetch_authority, verify
from stackwise.plan.model import Plan
from stackwise.project import Snapshot
from stackwise.provision.cloud import Cloud, Progress
from stackwise.provision.existing.look import Seen, look
from stackwise.provision.existing.prepare import Preparer
from stackwise.provision.keys import KeyPair, admin_key
from stackwise.provision.providers import open_cloud
from stackwise.provision.servers import Provisioner, known_hosts_of, shell_to
from stackwise.provision.sharing import (
    admit,
    described,
    refuse_to_leave_others,
    refuse_to_move,
    server_of,
    shared_with,
)
from stackwise.provision.ssh import Shell
from stackwise.recording import recorded
from stackwise.render import count_removals, count_tasks, render_project, write_project


def cloud_of(job: Job, progress: Progress, stop: threading.Event | None = None) -> Cloud:
    """Return the provider of a job's servers: where they stand, else where the answers want them.

    Raises UsageError, CredentialsRefusedError.
    """
    standing = next(iter(Journal.of(job.host).servers().values()), None)
    provider = standing.provider if standing else job.choices["hosting.provider"]
    location = (standing.location if standing else "") or job.choices["hosting.region"]
    return open_cloud(job.catalog.component(provider), progress, location=location, stop=stop)


@dataclass(frozen=True, slots=True)
class Runner:
    """Carries jobs out. `stop` ends a run at the next point where it can go on later.

    `cloud` opens the provider, which wants credentials, and is called only by what makes, looks for or removes servers.
    """

    job: Job
    cloud: Callable[[], Cloud]
    ansible: PlaybookRun
    stop: threading.Event

    @property
    def journal(self) -> Journal:
        """The journal of the job's site."""
        return Journal.of(self.job.identity)

    def up(self) -> Iterator[Event]:
        """Make the site stand. Run again: goes on where it stopped, or changes nothing."""
        yield from self._recorded("up", self._up)

    def verify(self) -> Iterator[Event]:
        """Look at the site from outside and from inside. Raises VerifyError where a check found a fault."""
        yield from self._recorded("verify", self._verify_alone)

    def look(self) -> Seen:
        """Look at a server that is there already. Raises ProvisionError or one of its kinds."""
        with TemporaryDirectory(prefix="stackwise-") as folder:
            shell = self._preparer(self.journal).way_in(Path(folder, "known_hosts"))
            return look(shell, self.job.identity.name)

    def preview(self) -> Iterator[Event]:
        """Let Ansible say what it would change on a server that is there already; nothing of it is done or recorded.

        Raises ConfigureError, ProvisionError or one of its kinds.
        """
        journal, plan = self.journal, self.job.plan()
        # A secret that is made is made once, here as in a run that may follow.
        journal.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        secrets = resolve_secrets(plan.secrets, journal, self.job.folder)
        with TemporaryDirectory(prefix="stackwise-") as folder:
            work = Path(folder, "work")
            shell = self._preparer(journal).way_in(Path(folder, "known_hosts"))
            # Whoever can log in now may not be the administrator, who is not made yet.
            now = replace(plan, access=replace(plan.access, admin_user=shell.user))
            addresses, keys = {plan.servers[0].name: shell.address}, self.job.admin_keys()
            write_project(
                render_project(now, self.job.files, self.job.answers_text(), addresses, keys), work / "project"
            )
            playbook = Playbook(
                work, "site.yml", shell.options(), secrets, count_tasks(plan), check=True, again="stackwise look"
            )
            yield from self.ansible.run(playbook, self.stop)

    def destroy(self) -> Iterator[Event]:
        """Remove everything that this name and environment made."""
        yield from self._recorded("destroy", self._destroy)

    def _recorded(self, command: str, steps: Callable[[Journal], Iterator[Event]]) -> Iterator[Event]:
        """Hold the lock while a command runs, so that nobody else works on this site or on its server."""
        journal = self.journal
        with journal.locked(command), self._host_held(journal, command):
            yield from recorded(self.job, journal, command, steps, self._url)

    @contextmanager
    def _host_held(self, journal: Journal, command: str) -> Iterator[None]:
        """Keep the server's own site from changing or removing it while this one works on it."""
        host = self._home(journal)
        # A site that is not there has nothing to keep, and gets no folder by being named.
        if host is journal or command == "verify" or not host.exists:
            yield
        else:
            with host.locked(f"{command} of {self.job.identity}"):
                yield

    def _home(self, journal: Journal) -> Journal:
        """Return the journal that has the server: the site's own, or that of the site whose server it shares."""
        return journal if self.job.host == self.job.identity else Journal.of(self.job.host)

    def _up(self, journal: Journal) -> Iterator[Event]:
        yield events.PhaseStarted(phase="plan", detail="read the answers and the project, decide what will exist")
        started = time.monotonic()
        plan = self.job.plan()
        refuse_to_move(plan, journal)
        # A secret that is not there is found now, and not when a server has been made already.
        resolve_secrets(plan.secrets, journal, self.job.folder)
        roles = sum(len(play.roles) for play in plan.plays)
        yield events.StepFinished(message=f"{len(plan.servers)} server, {len(plan.packages)} packages, {roles} roles")
        yield _plan_made(plan)
        yield events.PhaseFinished(phase="plan", seconds=round(time.monotonic() - started, 1))
        yield from self._provision(plan, journal)
        yield from self._configure(plan, journal)
        yield from self._verify(plan)

    def _provision(self, plan: Plan, journal: Journal) -> Iterator[Event]:
        where = plan.servers[0]
        what = f"{where.size.id} server with {where.image} at {where.provider}, {where.location}"
        whose = f"the server of {plan.host}: " if plan.is_shared else ""
        yield events.PhaseStarted(phase="provision", detail=f"{whose}{what}")
        started = time.monotonic()
        home = self._home(journal)
        if plan.is_shared:
            server = server_of(home, where.name)
            admit(plan, home)
            journal.write("shares", host=str(plan.host), server=server.name, domain=plan.access.domain)
        provisioner = self._provisioner(home)
        for spec in plan.servers:
            yield from provisioner.ensure(spec)
        if not plan.is_shared:
            journal.write("stands", **described(plan))
        journal.write("step", phase="provision")
        yield events.PhaseFinished(phase="provision", seconds=round(time.monotonic() - started, 1))

    def _configure(self, plan: Plan, journal: Journal) -> Iterator[Event]:
        """Run the rendered project once; its plays say where configuring ends and deploying begins."""
        phases = {play.name: play.phase for play in plan.plays}
        current, started = plan.plays[0].phase, time.monotonic()
        yield events.PhaseStarted(phase=current, detail=_DETAILS[current])
        yield from self._former_run_over(journal)
        for event in self.ansible.run(self._playbook(plan, journal, "site.yml"), self.stop):
            if isinstance(event, events.PlayStarted) and phases.get(event.name, current) != current:
                yield events.PhaseFinished(phase=current, seconds=round(time.monotonic() - started, 1))
                current, started = phases[event.name], time.monotonic()
                yield events.PhaseStarted(phase=current, detail=_DETAILS[current])
            yield event
        yield events.PhaseFinished(phase=current, seconds=round(time.monotonic() - started, 1))
        journal.write("step", phase="deploy")

    def _former_run_over(self, journal: Journal) -> Iterator[Event]:
        """Wait until the Ansible run of a stackwise that was killed has ended: it notices by itself, within seconds."""
        started = time.monotonic()
        while is_running(journal.folder / "work"):
            waited = time.monotonic() - started
            if waited > _FORMER_RUN_SECONDS:
                message = f"an Ansible run of an earlier stackwise is still at work on {self.job.identity}"
                raise LockedError(message, hint="wait for it to end, or end it by hand, then go on: stackwise up")
            yield events.Waited(
                what="the Ansible run of a stackwise that was killed to end",
                seconds=waited,
                deadline=_FORMER_RUN_SECONDS,
            )
            if self.stop.wait(0.5):
                raise InterruptedRunError("stopped while waiting for an earlier run", hint="go on with: stackwise up")

    def _playbook(self, plan: Plan, journal: Journal, name: str) -> Playbook:
        """Render the project into the journal's folder and return how to run one of its playbooks."""
        home = self._home(journal)
        records = home.servers()
        addresses = {spec.name: records[spec.name].address for spec in plan.servers}
        work = journal.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        try:
            answers, keys = self.job.answers_text(), self.job.admin_keys()
            # Whoever is removed needs no files, and may have none any more.
            files = self.job.files if name == "site.yml" else Snapshot("removed", b"", ())
            write_project(render_project(plan, files, answers, addresses, keys), work / "project")
        except OSError as exc:
            raise JournalError(
                f"the rendered project cannot be written to {work}: {exc.strerror}",
                hint="free some room, then: stackwise up",
            ) from exc
        known_hosts = work / "known_hosts"
        known_hosts.write_text("".join(known_hosts_of(home, spec.name).read_text() for spec in plan.servers))
        shell = shell_to(records[plan.servers[0].name], home, *self._admin(home))
        options = Shell(shell.address, shell.user, known_hosts, shell.identity).options()
        if name == "remove.yml":
            return Playbook(work, name, options, {}, count_removals(plan), again="stackwise destroy")
        secrets = resolve_secrets(plan.secrets, journal, self.job.folder)
        return Playbook(work, name, options, secrets, count_tasks(plan))

    def _verify_alone(self, journal: Journal) -> Iterator[Event]:
        self._known_server(journal)
        yield from self._verify(self.job.outline())

    def _verify(self, plan: Plan) -> Iterator[Event]:
        yield events.PhaseStarted(phase="verify", detail="look at the site from outside, and at the server from inside")
        started = time.monotonic()
        faults = []
        for check in verify(plan, self.site(plan), self.shell()):
            yield check
            if check.status == "fault":
                faults.append(check)
        yield events.PhaseFinished(phase="verify", seconds=round(time.monotonic() - started, 1))
        if faults:
            raise VerifyError(f"{len(faults)} of the checks found a fault: {faults[0].name}", hint=faults[0].hint)

    def _destroy(self, journal: Journal) -> Iterator[Event]:
        if shared_with(journal):
            yield from self._leave(journal)
            return
        refuse_to_leave_others(self.job.identity)
        if any(record.provider == FOUND for record in journal.servers().values()):
            yield from self._clear(journal)
            return
        yield events.PhaseStarted(phase="destroy", detail="remove the servers and everything that hangs on them, by id")
        started = time.monotonic()
        # Nobody logs in to remove a server, so a key that is gone is no obstacle.
        provisioner = Provisioner(self.cloud(), journal, self.job.identity, "", KeyPair("", ""), self.stop)
        yield from provisioner.destroy()
        yield events.PhaseFinished(phase="destroy", seconds=round(time.monotonic() - started, 1))

    def _leave(self, journal: Journal) -> Iterator[Event]:
        """Remove the site from the server that it shares, and nothing else of that server."""
        plan = self.job.outline()
        refuse_to_move(plan, journal)
        yield events.PhaseStarted(phase="destroy", detail=f"remove the site from the server of {plan.host}")
        started = time.monotonic()
        home, spec = self._home(journal), plan.servers[0]
        record = home.servers().get(spec.name)
        if record is None or self.cloud().get(record.id) is None:
            yield events.StepFinished(message=f"the server of {plan.host} is gone, and the site with it")
        else:
            yield from self._provisioner(home).ensure(spec)
            yield from self._former_run_over(journal)
            yield from self.ansible.run(self._playbook(plan, journal, "remove.yml"), self.stop)
        yield events.PhaseFinished(phase="destroy", seconds=round(time.monotonic() - started, 1))

    def _clear(self, journal: Journal) -> Iterator[Event]:
        """Remove the site from a server that was there before it, and nothing that is not ours."""
        plan = self.job.outline()
        (record,) = journal.servers().values()
        yield events.PhaseStarted(phase="destroy", detail=f"remove the site from the server at {record.address}")
        started = time.monotonic()
        preparer = self._preparer(journal)
        journal.write("destroying", server=record.name, id=record.id)
        if record.ready:
            yield from preparer.reach_to_leave(record)
            yield from self._former_run_over(journal)
            yield from self.ansible.run(self._playbook(plan, journal, "remove.yml"), self.stop)
        yield from preparer.leave(record)
        journal.write("destroyed", server=record.name, id=record.id)
        yield events.PhaseFinished(phase="destroy", seconds=round(time.monotonic() - started, 1))

    def _provisioner(self, journal: Journal) -> Provisioner:
        if self.job.choices["hosting.provider"] == FOUND and not self.job.is_shared:
            return self._preparer(journal)
        user, admin = self._admin(journal)
        return Provisioner(self.cloud(), journal, self.job.identity, user, admin, self.stop, self.job.outline().ports)

    def _admin(self, journal: Journal) -> tuple[str, KeyPair]:
        choices = self.job.choices
        return choices["access.admin_user"], admin_key(choices["access.ssh_key"], self.job.folder, journal.folder)

    def _preparer(self, journal: Journal) -> Preparer:
        (user, admin), outline = self._admin(journal), self.job.outline
        met = self.job.meeting()
        return Preparer(self.cloud(), journal, self.job.identity, user, admin, self.stop, meeting=met, outline=outline)

    def _known_server(self, journal: Journal) -> ServerRecord:
        """Return the server that the site stands on. Raises ProvisionError where there is none."""
        home = self._home(journal)
        ready = [record for record in home.servers().values() if record.ready]
        if not ready or (home is not journal and not shared_with(journal)):
            raise ProvisionError(f"{self.job.identity} has no server yet", hint="make one: stackwise up")
        return ready[0]

    def shell(self) -> Shell:
        """Return the way to the server. Raises ProvisionError where there is none."""
        home = self._home(self.journal)
        return shell_to(self._known_server(self.journal), home, *self._admin(home))

    def _url(self, journal: Journal) -> str:
        access = self.job.outline().access
        return Site(self._known_server(journal).address, access.domain, access.tls, by_name=self.job.is_shared).url

    def site(self, plan: Plan | None = None) -> Site:
        """Return where the site answers. Raises ProvisionError where there is no server."""
        journal = self.journal
        record = self._known_server(journal)
        plan = plan or self.job.outline()
        authority = journal.folder / "authority.pem"
        if pem := fetch_authority(plan, self.shell()):
            authority.write_text(pem)
        known = authority if pem else None
        return Site(record.address, plan.access.domain, plan.access.tls, known, by_name=plan.is_shared)


# Twice what the child gives its workers to end.
_FORMER_RUN_SECONDS = 30.0
_DETAILS: dict[Phase, str] = {
    "configure": "bring the server into its known state",
    "deploy": "put up this release, migrate, collect static files, switch over",
}


def _plan_made(plan: Plan) -> events.PlanMade:
    server = plan.servers[0]
    return events.PlanMade(
        provider=server.provider,
        location=server.location,
        size=server.size.id,
        image=server.image,
        cost=plan.cost.amount,
        currency=plan.cost.currency,
        domain=plan.access.domain,
        framework=plan.project.framework,
        host=str(plan.host) if plan.is_shared else "",
    )
