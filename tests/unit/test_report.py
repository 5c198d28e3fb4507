"""What a run left, said once: the same facts as Markdown, as a page, and at the end of `stackwise up`."""

from __future__ import annotations

import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import pytest

from stackwise import events
from stackwise.events import Event
from stackwise.journal.record import Recorder, report, run_path
from stackwise.render.report import make_report, report_html, report_markdown

EVIL = "<script>alert(1)</script> [/x] `a` | **b**"
UP: tuple[Event, ...] = (
    events.RunStarted(number=7, command="up", name="mysite", environment="production", resumed=True),
    events.PlanMade(
        provider="sandbox",
        location="local",
        size="small",
        image="debian-13",
        cost=4.5,
        currency="EUR",
        domain="mysite.test",
        framework="django",
    ),
    events.PhaseFinished(phase="plan", seconds=0.5),
    events.ServerCreated(server="mysite-1", id="node-1", address="192.0.2.7", seconds=3),
    events.PhaseFinished(phase="provision", seconds=70.2),
    events.CheckFinished(name="available: it answers", status="ok", saw=EVIL),
    events.CheckFinished(name="secure: TLS", status="not-applicable", saw="no TLS"),
)
ENDED = events.RunFinished(number=7, seconds=75, changed=9, url="https://192.0.2.7/")
FAILED = (
    events.PhaseStarted(phase="deploy"),
    events.TaskFinished(name=EVIL, role="app", host="web", result="failed", seconds=1, said=EVIL),
    events.RunFailed(
        number=7, seconds=9, message=EVIL, hint="stackwise up", said=EVIL, cause="A disk is full.", do="df"
    ),
)


def test_what_a_server_says_is_not_for_the_terminal() -> None:
    evil = "x\x1b]52;c;b3Vycw==\x07\x9b2J"
    said = events.RunFailed(number=7, seconds=9, message=evil, hint=evil, said=f"a\r\nb\n{evil}", cause=evil, do=evil)
    check = events.CheckFinished(name=evil, status="fault", saw=evil, hint=evil)
    made = make_report((*UP, check, said), Path("blog.yml"))
    assert made.headline == "x\ufffd]52;c;b3Vycw==\ufffd\ufffd2J"
    for text in (report_markdown(made), report((check, said))):
        assert "\ufffd]52" in text
        assert not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f]", text)
    words = next(row for section in made.sections for row in section.rows if row.kind == "words")
    assert words.text.splitlines()[:2] == ["a", "b"]


@pytest.mark.parametrize("name", ["/a b/stackwise.yml", "/a;b/it's.yml"])
def test_a_place_with_blanks_can_be_typed(name: str) -> None:
    made = make_report((*UP, ENDED), Path(name))
    typed = [row.text for section in made.sections for row in section.rows if row.kind == "command"]
    assert typed
    assert all(
        shlex.split(command)[2:4] == ["-a", name] for command in typed if not command.startswith("stackwise runs")
    )


def test_what_exists_costs_and_took_is_said_with_what_to_type() -> None:
    text = report_markdown(make_report((*UP, ENDED), Path("blog.yml")))
    for words in (
        "# Run 7: up mysite (production)",
        "going on where another run stopped",
        "https://192.0.2.7/",
        "mysite-1 (node-1) at 192.0.2.7",
        "4.5 EUR a month",
        "add to /etc/hosts: 192.0.2.7 mysite.test",
        "plan 0.5 s, provision 1 min 10 s; 1 min 15 s in all",
        "1 ok, 1 make no sense here",
        "`stackwise manage -a blog.yml -- createsuperuser`",
        "`stackwise destroy -a blog.yml`",
        ".stackwise/runs/0007-up.html",
    ):
        assert words in text, words


def test_the_server_of_another_site_costs_nothing_more() -> None:
    plan = events.PlanMade(
        provider="p", location="l", size="s", image="i", cost=0, currency="EUR", domain="d", host="first-production"
    )
    text = report_markdown(make_report((UP[0], plan, UP[3], ENDED), Path("stackwise.yml")))
    assert "first-production, which pays for it" in text
    assert "createsuperuser" not in text, "it is no Django project, as far as is known"


class Page(HTMLParser):
    """A page as a browser reads it: its tags, its addresses, its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("end", [(ENDED,), FAILED], ids=["ended", "failed"])
def test_the_page_needs_nothing_else_and_reads_nothing_as_markup(end: tuple[Event, ...]) -> None:
    text = report_html(make_report((*UP, *end), Path("stackwise.yml")))
    page = Page(text)
    assert "script" not in page.tags
    assert set(page.addresses) <= {"https://192.0.2.7/"}
    assert not re.search(r"@import|url\(", text)
    assert "prefers-color-scheme: dark" in text
    assert EVIL in page.words


def test_a_failure_has_its_place_its_words_its_cause_and_what_to_do() -> None:
    report = make_report((*UP, *FAILED), Path("stackwise.yml"))
    section = report.section("What failed")
    assert section is not None
    said = {row.name: row.text for row in section.rows}
    assert said["phase"] == "deploy"
    assert said["task"] == f"app : {EVIL}, on web"
    assert (said["likely cause"], said["what to do"], said["its own words"]) == ("A disk is full.", "df", EVIL)
    assert report.tone == "bad"
    commands = report.section("Next")
    assert commands is not None
    assert commands.rows[0].text == "stackwise up"


def test_markdown_reads_nothing_as_markup() -> None:
    text = report_markdown(make_report((*UP, *FAILED), Path("stackwise.yml")))
    assert "\n      <script>alert(1)</script> [/x] `a` | **b**\n" in text, "indented text is what it is"
    assert "<script>" not in text.replace("      <script>", "")


def test_a_removed_site_and_one_whose_run_was_cut_off() -> None:
    gone = (
        events.RunStarted(number=8, command="destroy", name="mysite", environment="production"),
        events.ServerDestroyed(server="mysite-1", id="node-1"),
        events.RunFinished(number=8, seconds=1, changed=0),
    )
    text = report_markdown(make_report(gone, Path("stackwise.yml")))
    assert "Everything of mysite (production) was removed." in text
    assert "mysite-1 (node-1)" in text
    assert "did not come to an end" in report_markdown(make_report(UP, Path("stackwise.yml")))


def test_the_record_keeps_it_beside_the_events(tmp_path: Path) -> None:
    with Recorder(tmp_path, 7, "up", tmp_path / "blog.yml") as recorder:
        for event in (*UP, events.Remarked(words="passing"), ENDED):
            recorder.keep(event)
    base = run_path(tmp_path, 7, "up")
    text = base.with_suffix(".md").read_text()
    assert "stackwise open -a blog.yml" in text, "no path of this machine"
    assert "## How it went" in text
    assert base.with_suffix(".html").read_text() == report_html(make_report((*UP, ENDED), Path("blog.yml")))
    assert "passing" not in base.read_text()
