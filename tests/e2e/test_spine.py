"""From an answers file to a live site and back, on a real machine, in the order of a site's life."""

from __future__ import annotations

import contextlib
import http.client
import http.cookiejar
import json
import re
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Program

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

CANARY = "canary-5e1f0c7a-do-not-leak"


class Visitor:
    """A browser as far as we need one: trusts the site's authority, keeps cookies, sends forms with a file."""

    def __init__(self, program: Program) -> None:
        authority = next(program.state.glob("*/authority.pem"))
        context = ssl.create_default_context(cafile=str(authority))
        self.address = program.address()
        self.context = context
        self.base = f"https://{self.address}"
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), jar)

    def connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self.address, context=self.context, timeout=20)

    def get(self, path: str, **headers: str) -> Any:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        request = urllib.request.Request(self.base + path, headers=named)  # noqa: S310 - our own machine
        return self.opener.open(request, timeout=20)

    def text(self, path: str) -> str:
        return str(self.get(path).read().decode())

    def post(self, path: str, fields: dict[str, str], file: tuple[str, str, bytes] | None = None) -> Any:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.text(path))
        assert token, f"no form at {path}"
        values = {**fields, "csrfmiddlewaretoken": token[1]}
        boundary = "stackwise-boundary"
        part = f"--{boundary}\r\nContent-Disposition: form-data; name="
        parts = [f'{part}"{key}"\r\n\r\n{value}\r\n'.encode() for key, value in values.items()]
        if file:
            name, filename, content = file
            head = f'{part}"{name}"; filename="{filename}"\r\nContent-Type: image/png\r\n\r\n'
            parts.append(head.encode() + content + b"\r\n")
        body = b"".join([*parts, f"--{boundary}--\r\n".encode()])
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Referer": self.base + path}
        request = urllib.request.Request(self.base + path, body, headers)  # noqa: S310 - our own machine
        return self.opener.open(request, timeout=20)


@pytest.fixture(scope="module")
def visitor(superbook: Program) -> Visitor:
    """Give a visitor of the site, once it stands."""
    return Visitor(superbook)


def changed(happened: list[dict[str, Any]]) -> int:
    return sum(event["changed"] for event in happened if event["event"] == "HostSummarised")


def test_up_makes_the_site(superbook: Program) -> None:
    superbook.environment["API_TOKEN"] = CANARY
    answers = superbook.folder / "stackwise.yml"
    answers.write_text(
        answers.read_text().replace("  SECRET_KEY: generate", "  SECRET_KEY: generate\n  API_TOKEN: env:API_TOKEN")
    )
    happened = superbook.events("up", "--yes")
    kinds = [event["event"] for event in happened]
    assert kinds[0] == "RunStarted"
    assert kinds[-1] == "RunFinished"
    phases = [event["phase"] for event in happened if event["event"] == "PhaseFinished"]
    assert phases == ["plan", "provision", "configure", "deploy", "verify"]
    checks = {event["name"]: event["status"] for event in happened if event["event"] == "CheckFinished"}
    assert "fault" not in checks.values()
    assert {name.split(":")[0] for name in checks} == {"available", "resilient", "secure", "responsive", "capacity"}


def test_up_again_changes_nothing(superbook: Program) -> None:
    happened = superbook.events("up", "--yes")
    assert changed(happened) == 0
    assert "ServerFound" in {event["event"] for event in happened}


def test_pages_static_files_and_their_caching(visitor: Visitor) -> None:
    page = visitor.text("/")
    path = re.search(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', page)
    assert path, page
    style = visitor.get(path[1], Accept_Encoding="br")
    assert style.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert style.headers["Content-Encoding"] == "br"
    assert visitor.get(path[1], Accept_Encoding="gzip").headers["Content-Encoding"] == "gzip"


def test_login_and_upload(superbook: Program, visitor: Visitor) -> None:
    code = (
        "from django.contrib.auth.models import User; "
        "User.objects.create_superuser('ann', 'ann@example.org', 'a-long-password-1')"
    )
    superbook.run("manage", "--", "shell", "-c", code)
    answer = visitor.post("/accounts/login/", {"username": "ann", "password": "a-long-password-1"})
    assert answer.status == 200
    pixel = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")
    page = visitor.post("/people/me/", {"about": "hello"}, ("avatar", "me.png", pixel)).read().decode()
    path = re.search(r'src="(/media/[^"]+)"', page)
    assert path, page
    media = visitor.get(path[1])
    assert media.read() == pixel
    assert media.headers["X-Content-Type-Options"] == "nosniff"


def test_the_site_answers_without_its_cache(superbook: Program, visitor: Visitor) -> None:
    superbook.on_server("sudo systemctl stop redis-server")
    try:
        assert visitor.get("/").status == 200
        # Logged in still: sessions are kept in the database as well.
        assert visitor.get("/people/me/").url.endswith("/people/me/")
    finally:
        superbook.on_server("sudo systemctl start redis-server")


def test_it_comes_back_after_a_reboot(superbook: Program, visitor: Visitor) -> None:
    superbook.run("ssh", "--", "sudo systemctl reboot", code=None)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        time.sleep(1)
        try:
            if visitor.get("/").status == 200 and superbook.run("ssh", "--", "true", code=None).returncode == 0:
                break
        except (urllib.error.URLError, OSError):
            continue
    assert "fault" not in superbook.run("verify", "--json").stdout


def test_a_restart_under_load_turns_nobody_away(superbook: Program, visitor: Visitor) -> None:
    """Forms as well as pages: the web server asks again by itself for a page, and not for a form."""
    stop = threading.Event()

    def ask(method: str, path: str) -> list[int]:
        # Django refuses a form without its token, and that is an answer of the application too.
        seen = []
        with contextlib.closing(visitor.connection()) as connection:
            while not stop.is_set():
                connection.request(method, path, body=b"x=1" if method == "POST" else None)
                answer = connection.getresponse()
                answer.read()
                seen.append(answer.status)
        return seen

    with ThreadPoolExecutor(6) as pool:
        pages = [pool.submit(ask, "GET", "/") for _ in range(3)]
        forms = [pool.submit(ask, "POST", "/accounts/login/") for _ in range(3)]
        try:
            for _ in range(3):
                time.sleep(1)
                superbook.on_server("sudo systemctl restart superbook.service")
            time.sleep(1)
        finally:
            stop.set()
    assert {status for one in pages for status in one.result()} == {200}
    assert {status for one in forms for status in one.result()} == {403}
    assert sum(len(one.result()) for one in [*pages, *forms]) > 100


def test_verify_finds_what_is_broken(superbook: Program) -> None:
    superbook.on_server("sudo systemctl stop superbook.socket superbook.service")
    done = superbook.run("verify", "--json", code=4)
    faults = [check for check in json.loads(done.stdout)["checks"] if check["status"] == "fault"]
    assert any(check["name"].startswith("available") for check in faults)
    assert all(check["hint"] for check in faults)
    happened = superbook.events("up", "--yes")
    assert changed(happened) > 0


def test_logs_status_runs_and_open(superbook: Program) -> None:
    assert "Starting granian" in superbook.run("logs").stdout
    assert "did you mean nginx?" in superbook.run("logs", "ngin", code=2).stderr
    status = json.loads(superbook.run("status", "--json").stdout)
    assert status["servers"][0]["state"] == "running"
    assert superbook.run("open").stdout.strip() == status["url"]
    runs = json.loads(superbook.run("runs", "--json").stdout)["runs"]
    assert runs[0]["command"] == "up"
    assert "# Run 1: up superbook" in superbook.run("runs", "show", "1").stdout


def test_the_rendered_project_runs_without_us(superbook: Program, tmp_path: Path) -> None:
    superbook.run("render", "-o", str(tmp_path / "out"))
    (journal,) = superbook.state.glob("superbook-*")
    known_hosts = next((journal / "known_hosts").iterdir())
    ssh = f"-o UserKnownHostsFile={known_hosts} -o StrictHostKeyChecking=yes -i {journal / 'ssh_key'}"
    playbook = Path(sys.executable).parent / "ansible-playbook"
    secrets = tmp_path / "secrets.yml"
    kept = json.loads((journal / "secrets.json").read_text())
    secrets.write_text(json.dumps({"site_secrets": {**kept, "API_TOKEN": CANARY}}))
    for more in ([], ["--check", "--diff"]):
        done = subprocess.run(
            [str(playbook), "site.yml", "-e", f"@{secrets}", *more],
            cwd=tmp_path / "out",
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(tmp_path),
                "ANSIBLE_SSH_ARGS": ssh,
                "LANG": "C.UTF-8",
                "SSH_AUTH_SOCK": "",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
        recap = done.stdout.rpartition("PLAY RECAP")[2]
        tasks = [part for part in done.stdout.split("TASK [") if "changed: [" in part]
        assert "changed=0" in recap, tasks


def test_a_new_release_takes_over(superbook: Program, visitor: Visitor) -> None:
    template = next((superbook.folder / "templates").rglob("base.html"))
    template.write_text(template.read_text().replace("</title>", " second release</title>"))
    happened = superbook.events("up", "--yes")
    assert changed(happened) > 0
    assert "second release" in visitor.text("/")


def test_a_release_that_answers_500_never_takes_over(superbook: Program, visitor: Visitor) -> None:
    urls = superbook.folder / "superbook" / "urls.py"
    good = urls.read_text()
    urls.write_text(good + "\nraise RuntimeError('broken on purpose')\n")
    done = superbook.run("up", "--yes", code=1)
    assert "broken on purpose" in done.stderr
    assert "stackwise up" in done.stderr
    assert visitor.get("/").status == 200
    urls.write_text(good)


def test_a_migration_that_fails_leaves_the_old_release_serving(superbook: Program, visitor: Visitor) -> None:
    migrations = superbook.folder / "posts" / "migrations"
    last = sorted(path.stem for path in migrations.glob("0*.py"))[-1]
    bad = migrations / "0099_breaks.py"
    head = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
    breaks = "    operations = [migrations.RunSQL('SELECT broken_on_purpose FROM nowhere')]\n"
    bad.write_text(f"{head}    dependencies = [('posts', '{last}')]\n{breaks}")
    done = superbook.run("up", "--yes", code=1)
    assert "Migrate the database" in done.stderr
    assert visitor.get("/").status == 200
    bad.unlink()
    superbook.run("up", "--yes")


def test_requirements_that_do_not_resolve_are_named(superbook: Program, visitor: Visitor) -> None:
    requirements = superbook.folder / "requirements.txt"
    good = requirements.read_text()
    requirements.write_text(good + "no-such-package-of-ours==99.9\n")
    done = superbook.run("up", "--yes", code=1)
    assert "no-such-package-of-ours" in done.stderr
    assert visitor.get("/").status == 200
    requirements.write_text(good)


def test_no_secret_lies_anywhere_but_in_its_stores(superbook: Program) -> None:
    """Search every byte that the runs left here and on the server."""
    secrets = [CANARY, *json.loads(next(superbook.state.glob("*/secrets.json")).read_text()).values()]
    stores = set(superbook.state.rglob("secrets.json"))
    for path in (
        p for root in (superbook.home, superbook.folder) for p in root.rglob("*") if p.is_file() and p not in stores
    ):
        content = path.read_bytes()
        assert not any(secret.encode() in content for secret in secrets), path
    # By stdin: sudo writes the arguments of what it runs into the journal.
    words = " ".join(f"'{secret}'" for secret in secrets)
    found = superbook.on_server(
        f"printf '%s\\n' {words} | sudo grep -rlsF -f /dev/stdin /etc /srv /var/log /var/lib/cloud /tmp /home /root "
        "/run/systemd || true"
    ).split()
    assert set(found) <= {"/etc/superbook/secrets"}
    modes = superbook.on_server("sudo stat -c %a:%U /etc/superbook/secrets").strip()
    assert modes == "600:root"


def test_destroy_leaves_nothing(superbook: Program) -> None:
    before = json.loads(superbook.run("status", "--json").stdout)["servers"][0]
    superbook.run("destroy", "--yes")
    assert not list(superbook.state.glob("superbook-*"))
    assert before["id"] not in superbook.run("orphans").stdout
    for command in (
        ["ip", "netns"],
        ["nft", "list", "ruleset"],
        ["cat", "/proc/mounts"],
        ["losetup", "-l"],
        ["ps", "-eo", "args"],
    ):
        seen = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        assert before["id"] not in seen, command
        assert before["address"] not in seen, command
