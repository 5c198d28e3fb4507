"""What a run left, said once: for the TUI, the end of `stackwise up` and the record. Pure; made from events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Literal

from stackwise import events
from stackwise.events import CheckStatus, Event
from stackwise.paths import answers_flag
from stackwise.readable import readable

Kind = Literal["plain", "command", "words"]
Tone = Literal["good", "bad", "stopped", "plain"]
TIMES = "How long it took"
MARKS: dict[CheckStatus | None, str] = {"ok": "✓", "fault": "✗", "not-applicable": "-", None: ""}
_COUNTED: dict[CheckStatus, str] = {"ok": "ok", "fault": "found a fault", "not-applicable": "make no sense here"}
_MINUTE = 60
_SAID = 40
_AGAIN = {"up": "go on from there", "destroy": "go on removing it", "verify": "look again"}
_TONES: dict[Tone, str] = {"good": "✓ ", "bad": "✗ ", "stopped": "■ ", "plain": ""}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the report: what it is about, what is said, and more below it. `status` marks what a check saw."""

    name: str
    text: str
    more: str = ""
    kind: Kind = "plain"
    status: CheckStatus | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a title; `sum` says them all in a few words."""

    title: str
    rows: tuple[Row, ...]
    sum: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run left. `headline` is the address of the site, or why there is none."""

    title: str
    began: str
    headline: str
    tone: Tone
    sections: tuple[Section, ...]

    def section(self, title: str) -> Section | None:
        """Return the section of this title, None where there is none."""
        return next((section for section in self.sections if section.title == title), None)


@dataclass(slots=True)
class _Run:
    """The events of a run by their kinds."""

    started: events.RunStarted | None = None
    plan: events.PlanMade | None = None
    finished: events.RunFinished | None = None
    failed: events.RunFailed | None = None
    task: events.TaskFinished | None = None
    phase: str = ""
    servers: list[events.ServerCreated | events.ServerFound] = field(default_factory=list)
    removed: list[events.ServerDestroyed] = field(default_factory=list)
    phases: list[events.PhaseFinished] = field(default_factory=list)
    checks: list[events.CheckFinished] = field(default_factory=list)

    def take(self, event: Event) -> None:  # noqa: C901 - one branch a kind of event
        """Keep what the report says of an event."""
        match event:
            case events.RunStarted():
                self.started = event
            case events.PlanMade():
                self.plan = event
            case events.PhaseStarted():
                self.phase = event.phase
            case events.PhaseFinished():
                self.phases.append(event)
            case events.ServerCreated() | events.ServerFound():
                self.servers.append(event)
            case events.ServerDestroyed():
                self.removed.append(event)
            case events.CheckFinished():
                self.checks.append(event)
            case events.TaskFinished(result="failed" | "unreachable") if event.said:
                self.task = self.task or event
            case events.RunFinished():
                self.finished = event
            case events.RunFailed():
                self.failed = event


def make_report(seen: Iterable[Event], answers: Path, program: str = "stackwise") -> Report:
    """Return the report of a run from its events; `answers` and `program` are what the reader types."""
    run = _Run()
    for event in seen:
        run.take(events.readable_event(event))
    headline, tone = _headline(run)
    # What to do next stands before the proof, which is long.
    sections = (*_failure(run), *_exists(run), *_times(run), _next(run, answers, program), *_checks(run))
    started = run.started
    title = f"{started.command} {started.name} ({started.environment})" if started else "A run that could not begin"
    return Report(
        title=f"Run {started.number}: {title}" if started else title,
        began=_began(started),
        headline=headline,
        tone=tone,
        sections=sections,
    )


def _began(started: events.RunStarted | None) -> str:
    if started is None:
        return ""
    goes_on = ", going on where another run stopped" if started.resumed else ""
    return f"Began {started.at.strftime('%Y-%m-%d %H:%M:%S UTC')}{goes_on}."


def _headline(run: _Run) -> tuple[str, Tone]:
    if run.failed:
        return run.failed.message, "stopped" if run.failed.stopped else "bad"
    if run.finished is None:
        return "It did not come to an end.", "bad"
    if run.started and run.started.command == "destroy":
        return f"Everything of {run.started.name} ({run.started.environment}) was removed.", "plain"
    return run.finished.url, "good"


def _failure(run: _Run) -> Iterator[Section]:
    if run.failed is None:
        return
    where = f"{run.task.role} : {run.task.name}, on {run.task.host}" if run.task else ""
    said = "\n".join(run.failed.said.splitlines()[-_SAID:])
    told: tuple[tuple[str, str, Kind], ...] = (
        ("phase", run.phase, "plain"),
        ("task", where, "plain"),
        ("likely cause", run.failed.cause, "plain"),
        ("what to do", run.failed.do, "plain"),
        ("then", run.failed.hint, "plain"),
        ("its own words", said, "words"),
    )
    rows = tuple(Row(name, text, kind=kind) for name, text, kind in told if text)
    yield Section("What stopped it" if run.failed.stopped else "What failed", rows)


def _exists(run: _Run) -> Iterator[Section]:
    if run.removed:
        yield Section("What was removed", tuple(Row("server", f"{gone.server} ({gone.id})") for gone in run.removed))
    if not run.servers:
        return
    rows = [
        Row("server", f"{server.server} ({server.id}) at {server.address}", "made by this run" if made else "")
        for server in run.servers
        for made in [isinstance(server, events.ServerCreated)]
    ]
    if run.plan:
        plan = run.plan
        rows.append(Row("what", f"{plan.size} with {plan.image} at {plan.provider}, {plan.location}"))
        rows.append(Row("cost", _cost(plan)))
        rows.append(Row("name", f"{plan.domain}", f"on your own machine, add to /etc/hosts: {_hosts_line(run)}"))
    if run.finished:
        rows.append(Row("changed", f"{run.finished.changed} on all hosts together"))
    yield Section("What exists", tuple(rows))


def _hosts_line(run: _Run) -> str:
    return f"{run.servers[0].address} {run.plan.domain}" if run.plan else ""


def _cost(plan: events.PlanMade) -> str:
    if plan.host:
        return f"nothing more: the server is that of {plan.host}, which pays for it"
    return "price unknown" if plan.cost is None else f"{plan.cost:g} {plan.currency} a month"


def _times(run: _Run) -> Iterator[Section]:
    ended = run.finished or run.failed
    rows = tuple(Row(phase.phase, duration(phase.seconds)) for phase in run.phases)
    if rows and ended:
        told = ", ".join(f"{row.name} {row.text}" for row in rows)
        yield Section(TIMES, rows, f"{told}; {duration(ended.seconds)} in all")


def _checks(run: _Run) -> Iterator[Section]:
    if run.checks:
        counted = Counter(check.status for check in run.checks)
        told = ", ".join(f"{counted[status]} {words}" for status, words in _COUNTED.items() if counted[status])
        rows = tuple(Row(check.name, check.saw, check.hint, status=check.status) for check in run.checks)
        yield Section("Checks", rows, told)


def _next(run: _Run, answers: Path, program: str) -> Section:
    flag = answers_flag(Path(readable(str(answers))))
    rows = []
    for words, command in _commands(run):
        first, _, rest = command.partition(" ")
        rows.append(Row(words, f"{program} {first}{flag} {rest}".rstrip(), kind="command"))
    if run.started:
        page = f".stackwise/runs/{run.started.number:04d}-{run.started.command}"
        rows.append(Row("to show to others", f"{page}.html, {page}.md"))
    return Section("Next", tuple(rows))


def _commands(run: _Run) -> Iterator[tuple[str, str]]:
    command = run.started.command if run.started else "up"
    if run.finished is None:
        yield _AGAIN.get(command, "go on"), command
        yield "what exists", "status"
    elif command == "destroy":
        yield "make it again", "up"
    else:
        yield "open it", "open"
        if run.plan and run.plan.framework == "django":
            yield "a first user", "manage -- createsuperuser"
        yield "change an answer and do it again", "up --set needs.requests_per_minute=3000"
        yield "what exists", "status"
        yield "prove it again", "verify"
        yield "remove it all", "destroy"
    if run.started:
        yield "the record", f"runs show {run.started.number}"


def duration(seconds: float) -> str:
    """Return a time as a reader says it."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE)} s"


def report_markdown(report: Report) -> str:
    """Return the report as Markdown."""
    lines = [f"# {report.title}", "", report.began, "", f"**{_TONES[report.tone]}{_plain(report.headline)}**", ""]
    for section in report.sections:
        lines += [f"## {section.title}", "", *([section.sum, ""] if section.sum else [])]
        lines += [line for row in section.rows for line in _markdown_row(row)]
        lines.append("")
    return "\n".join(lines)


def _markdown_row(row: Row) -> Iterator[str]:
    name = f"{MARKS[row.status]} {_plain(row.name)}".strip()
    if row.kind == "words":
        yield f"- {name}:"
        yield ""
        # Indented text needs no fence, and so there is none that the words could close.
        yield from (f"      {line}" for line in row.text.splitlines())
        yield ""
        return
    text = f"`{row.text}`" if row.kind == "command" else _plain(row.text)
    yield f"- {name}: {text}" + (f" ({_plain(row.more)})" if row.more else "")


def _plain(text: str) -> str:
    """Return words of others so that Markdown reads no markup in them."""
    return "".join(f"\\{sign}" if sign in r"\`*_<>[]#|" else sign for sign in " ".join(text.split()))


def report_html(report: Report) -> str:
    """Return the report as one page that needs nothing else, in the light or the dark as the reader has it."""
    body = [
        f"<h1>{escape(report.title)}</h1>",
        f"<p>{escape(report.began)}</p>",
        f'<p class="headline {report.tone}">{_TONES[report.tone]}{_linked(report.headline)}</p>',
        *(part for section in report.sections for part in _html_section(section)),
    ]
    title = escape(report.title)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    return f'<!doctype html>\n<html lang="en">\n<head>{head}<style>{_STYLE}</style></head>\n<body>\n' + "\n".join(
        [*body, "</body>", "</html>", ""]
    )


def _html_section(section: Section) -> Iterator[str]:
    yield f"<h2>{escape(section.title)}</h2>"
    if section.sum:
        yield f"<p>{escape(section.sum)}</p>"
    yield "<table>"
    for row in section.rows:
        tag = {"command": "code", "words": "pre"}.get(row.kind, "span")
        more = f"<br><small>{escape(row.more)}</small>" if row.more else ""
        name = f"{MARKS[row.status]} {escape(row.name)}".strip()
        yield f'<tr class="{row.status or ""}"><th>{name}</th><td><{tag}>{escape(row.text)}</{tag}>{more}</td></tr>'
    yield "</table>"


def _linked(text: str) -> str:
    shown = escape(text)
    return f'<a href="{shown}">{shown}</a>' if text.startswith(("https://", "http://")) else shown


_STYLE = """
:root { color-scheme: light dark; --line: #ccc; --good: #176b2c; --bad: #a11; }
@media (prefers-color-scheme: dark) { :root { --line: #444; --good: #7bd88f; --bad: #ff8a80; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-top: 1px solid var(--line); }
th { font-weight: 600; width: 16rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
code { overflow-wrap: anywhere; }
.headline { font-size: 1.3rem; font-weight: 600; }
.good, .ok th { color: var(--good); }
.bad, .fault th { color: var(--bad); }
"""
