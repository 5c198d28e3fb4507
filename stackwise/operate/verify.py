"""Proof that the site works: what a visitor sees from outside, and what the server says of itself.

Each check names one of the five properties of a production environment: available, resilient, secure, responsive,
capacity.
"""

from __future__ import annotations

import re
import shlex
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from statistics import median

from stackwise.errors import ProvisionError
from stackwise.events import CheckFinished, CheckStatus
from stackwise.operate.http import Response, Site, is_open
from stackwise.plan.model import Plan
from stackwise.provision.ssh import Shell

_EXPOSURE_LIMIT = 2.0
_SLOW_SECONDS = 1.0
_LEAST_PATIENCE = 0.5
_SERVER_ERROR = 500
_DAY = 86400
# Ports that databases, caches and application servers listen on by habit; none of them may answer from outside.
_PRIVATE_PORTS = (3306, 5432, 6379, 8000, 8080, 9000, 11211)

# Each section of the answer starts with a line `== name`, so that one session is enough for all the questions.
_INSIDE = """\
say() { printf '== %s\\n' "$1"; }
say services; for unit in @services@; do
  printf '%s %s %s\\n' "$unit" "$(systemctl is-active "$unit")" "$(systemctl is-enabled "$unit" 2>/dev/null)"; done
say exposure; systemd-analyze security --no-pager @unit@ 2>/dev/null | tail -n 1
say restart; systemctl show -p Restart --value @unit@
say compiler; for tool in cc gcc g++ clang tcc make gdb strace; do command -v $tool; done
say sshd; sshd -T 2>/dev/null | grep -E '^(permitrootlogin|passwordauthentication|kbdinteractiveauthentication) '
say firewall; nft list ruleset 2>/dev/null | grep -c 'hook input.*policy drop'
say upgrades; apt-config dump APT::Periodic::Unattended-Upgrade 2>/dev/null
say secrets; find /etc/@site@ -type f \\( -name '*.env' -o -name '*key*.pem' \\) -perm /077
say user; ps -o user= -p "$(systemctl show -p MainPID --value @unit@)"
say memory; awk '/MemAvailable/ {print int($2/1024)}' /proc/meminfo
say disk; df -Pm / | awk 'NR==2 {print $4}'
say static; find @static@ -regextype posix-extended -type f -size +1k \\
  -regex '.*\\.[0-9a-f]{12}\\.(css|js|svg)' 2>/dev/null | sort | head -n 1
say deploycheck; if test -x /usr/local/bin/@site@-manage && test @django@ = yes; then
  /usr/local/bin/@site@-manage check --deploy --fail-level WARNING >/tmp/stackwise-check 2>&1 && echo clean || tail -n
  20 /tmp/stackwise-check
  rm -f /tmp/stackwise-check; fi
"""

_LAST_QUESTION = "deploycheck"


class _Subject:
    """What is looked at: the plan, the site from outside, the server's answers from inside."""

    def __init__(self, plan: Plan, site: Site, answers: Future[dict[str, str]]) -> None:
        self.plan = plan
        self.site = site
        self._answers = answers

    @property
    def inside(self) -> Mapping[str, str]:
        """What the server said of itself; waits until it has."""
        return self._answers.result()


def fetch_authority(plan: Plan, shell: Shell) -> str:
    """Return the certificate of the site's own authority as PEM, empty where it has none.

    The way there is pinned, so it can be trusted.
    """
    if "tls-internal" not in plan.components:
        return ""
    return shell.run(f"cat /etc/{plan.identity.name}/tls/ca.crt", root=True).out


def verify(plan: Plan, site: Site, shell: Shell) -> Iterator[CheckFinished]:
    """Look at everything and yield what was seen, one check after the other.

    Raises ProvisionError where the server cannot be reached.
    """
    with ThreadPoolExecutor(max_workers=len(_CHECKS) + 1) as pool:
        # The server needs a second or two for its answers; what can be seen from outside is looked at meanwhile.
        subject = _Subject(plan, site, pool.submit(_ask_inside, plan, shell))
        yield from pool.map(lambda check: _run(check, subject), _CHECKS)


def _run(check: Callable[[_Subject], CheckFinished], subject: _Subject) -> CheckFinished:
    try:
        seen = check(subject)
        # What a server is beside the site is its owner's to decide, where the answers do not give it to us.
        theirs = check in _OF_THE_SERVER and not subject.plan.whole
        return (
            _not_applicable(seen.name, f"{seen.saw}; its owner decides") if theirs and seen.status == "fault" else seen
        )
    except ProvisionError as exc:
        words = (check.__doc__ or check.__name__).rstrip(".")
        return _fault(words, exc.message, exc.hint)


def _ask_inside(plan: Plan, shell: Shell) -> dict[str, str]:
    words = {
        "services": " ".join(shlex.quote(service) for service in plan.services),
        "unit": f"{plan.identity.name}.service",
        "site": plan.identity.name,
        "static": str(plan.variable("site_static_root")),
        "django": "yes" if plan.settings else "no",
    }
    script = re.sub(r"@(\w+)@", lambda match: words[match[1]], _INSIDE)
    said = shell.run(script, root=True, seconds=90)
    parts = re.split(r"^== (\w+)\n", said.out, flags=re.MULTILINE)
    answers = {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}
    if _LAST_QUESTION not in answers:
        last = said.err.strip().splitlines()[-1:] or ["it said nothing"]
        raise ProvisionError(f"{shell.address} could not be asked: {last[0]}", hint="look at it: stackwise ssh")
    return answers


def _ok(name: str, saw: str) -> CheckFinished:
    return CheckFinished(name=name, status="ok", saw=saw)


def _fault(name: str, saw: str, hint: str = "") -> CheckFinished:
    return CheckFinished(name=name, status="fault", saw=saw, hint=hint)


def _not_applicable(name: str, saw: str) -> CheckFinished:
    return CheckFinished(name=name, status="not-applicable", saw=saw)


def _judged(name: str, good: bool, saw: str, hint: str) -> CheckFinished:
    status: CheckStatus = "ok" if good else "fault"
    return CheckFinished(name=name, status=status, saw=saw, hint="" if good else hint)


def _page(subject: _Subject) -> CheckFinished:
    """available: the site answers."""
    answer = subject.site.get("/")
    saw = f"GET / gave {answer.status}, {len(answer.body)} bytes in {answer.seconds * 1000:.0f} ms"
    return _judged("available: the site answers", answer.status < _SERVER_ERROR, saw, "see why: stackwise logs")


def _services(subject: _Subject) -> CheckFinished:
    """available: every service runs."""
    states = [line.split() for line in subject.inside["services"].splitlines()]
    down = [words[0] for words in states if words[1] != "active"]
    saw = f"down: {', '.join(down)}" if down else f"{len(states)} services are active"
    return _judged("available: every service runs", not down, saw, f"see why: stackwise logs {down[0] if down else ''}")


def _restart(subject: _Subject) -> CheckFinished:
    """resilient: it comes back by itself."""
    policy = subject.inside["restart"]
    states = [line.split() for line in subject.inside["services"].splitlines()]
    # A socket-activated service is started by its socket at boot, and a template or alias is enabled through another
    # unit.
    asleep = [
        words[0]
        for words in states
        if words[2:] not in (["enabled"], ["enabled-runtime"], ["indirect"], ["static"], ["alias"], ["disabled"])
    ]
    off = [words[0] for words in states if words[2:] == ["disabled"] and not words[0].endswith(".service")]
    good = policy in ("always", "on-failure") and not off and not asleep
    saw = f"restart policy {policy or 'none'}; " + (
        f"not started at boot: {', '.join(off + asleep)}" if off or asleep else "all start at boot"
    )
    return _judged("resilient: it comes back by itself", good, saw, "configure it again: stackwise up")


def _redirect(subject: _Subject) -> CheckFinished:
    """secure: plain http leads to https."""
    name = "secure: plain http leads to https"
    if not subject.site.tls:
        return _not_applicable(name, "the design has no TLS")
    answer = subject.site.get("/", tls=False)
    target = answer.headers.get("location", "")
    return _judged(
        name,
        answer.status in (301, 308) and target.startswith("https://"),
        f"{answer.status} to {target or 'nowhere'}",
        "configure it again: stackwise up",
    )


def _certificate(subject: _Subject) -> CheckFinished:
    """secure: the certificate is good."""
    name = "secure: the certificate is good"
    if not subject.site.tls:
        return _not_applicable(name, "the design has no TLS")
    answer = subject.site.get("/")
    until = ssl.cert_time_to_seconds(str(answer.certificate["notAfter"]))
    days = int((until - time.time()) // _DAY)
    good = answer.tls in ("TLSv1.2", "TLSv1.3")
    return _judged(
        name,
        good and days > 0,
        f"{answer.tls}, signed by the site's authority, {days} days left",
        "renew it: stackwise up",
    )


def _headers(subject: _Subject) -> CheckFinished:
    """secure: the browser is told to be careful."""
    answer = subject.site.get("/")
    wanted = ["x-content-type-options", "referrer-policy"] + (["strict-transport-security"] if subject.site.tls else [])
    missing = [header for header in wanted if header not in answer.headers]
    saw = f"missing: {', '.join(missing)}" if missing else ", ".join(wanted)
    return _judged("secure: the browser is told to be careful", not missing, saw, "configure it again: stackwise up")


def _strangers(subject: _Subject) -> CheckFinished:
    """secure: a name that is not ours gets nothing."""
    name = "secure: a name that is not ours gets nothing"
    try:
        answer: Response | None = subject.site.get("/", host="stranger.invalid")
    except ProvisionError:
        answer = None
    good = answer is None or answer.status in (400, 403, 404, 421, 444)
    return _judged(
        name,
        good,
        f"answered {answer.status}" if answer else "the connection was closed",
        "configure it again: stackwise up",
    )


def _ports(subject: _Subject) -> CheckFinished:
    """secure: nothing else listens to the world."""
    # A port that is shut says nothing, so one can only wait; how long an open one takes is seen at the site's own.
    started = time.monotonic()
    is_open(subject.site.address, 443 if subject.site.tls else 80)
    patience = max(_LEAST_PATIENCE, 10 * (time.monotonic() - started))
    with ThreadPoolExecutor(max_workers=len(_PRIVATE_PORTS)) as pool:
        answers = list(pool.map(lambda port: is_open(subject.site.address, port, patience), _PRIVATE_PORTS))
    found = [str(port) for port, answered in zip(_PRIVATE_PORTS, answers, strict=True) if answered]
    firewall = subject.inside["firewall"] not in ("", "0")
    saw = f"open: {', '.join(found)}" if found else f"{len(_PRIVATE_PORTS)} ports tried, none answers"
    saw += "; the firewall drops what is not allowed" if firewall else "; there is no firewall"
    return _judged(
        "secure: nothing else listens to the world", not found and firewall, saw, "configure it again: stackwise up"
    )


def _logins(subject: _Subject) -> CheckFinished:
    """secure: nobody logs in as root or by password."""
    settings = dict(line.split(" ", 1) for line in subject.inside["sshd"].splitlines())
    good = settings.get("permitrootlogin") == "no" and settings.get("passwordauthentication") == "no"
    saw = ", ".join(f"{key} {value}" for key, value in settings.items())
    return _judged(
        "secure: nobody logs in as root or by password",
        good,
        saw or "sshd said nothing",
        "configure it again: stackwise up",
    )


def _compiler(subject: _Subject) -> CheckFinished:
    """secure: no development tools."""
    found = subject.inside["compiler"].split()
    return _judged(
        "secure: no development tools",
        not found,
        ", ".join(found) or "no compiler, no debugger",
        f"remove it: apt purge {' '.join(found)}",
    )


def _exposure(subject: _Subject) -> CheckFinished:
    """secure: the application is fenced in."""
    name = "secure: the application is fenced in"
    match = re.search(r"([0-9.]+) (\w+)", subject.inside["exposure"].rpartition(":")[2])
    if match is None:
        return _fault(name, "systemd-analyze says nothing of the unit", "see: stackwise logs")
    user = subject.inside["user"] or "nobody: it is not running"
    good = float(match[1]) <= _EXPOSURE_LIMIT and user not in ("root", "")
    return _judged(
        name, good, f"exposure {match[1]} of 10 while it serves, as user {user}", "configure it again: stackwise up"
    )


def _private_files(subject: _Subject) -> CheckFinished:
    """secure: keys and secrets are for root alone."""
    found = subject.inside["secrets"].split()
    saw = f"readable by others: {', '.join(found)}" if found else "no key and no secret is readable by others"
    return _judged("secure: keys and secrets are for root alone", not found, saw, "configure it again: stackwise up")


def _upgrades(subject: _Subject) -> CheckFinished:
    """secure: security updates come by themselves."""
    good = '"1"' in subject.inside["upgrades"]
    return _judged(
        "secure: security updates come by themselves",
        good,
        "daily" if good else "switched off",
        "configure it again: stackwise up",
    )


def _deploy_check(subject: _Subject) -> CheckFinished:
    """secure: Django's own deployment check."""
    name = "secure: Django's own deployment check"
    if not subject.plan.settings:
        return _not_applicable(name, "the project is not Django's")
    saw = subject.inside["deploycheck"]
    if not subject.site.tls and saw != "clean":
        # Without TLS the check warns of exactly that, and the plan has said so already.
        return _not_applicable(name, "it warns of the missing TLS")
    return _judged(
        name,
        saw == "clean",
        saw.splitlines()[0] if saw else "it said nothing",
        "see all of it: stackwise manage -- check --deploy",
    )


def _static(subject: _Subject) -> CheckFinished:
    """responsive: static files are compressed and cached for ever."""
    name = "responsive: static files are compressed and cached for ever"
    found = subject.inside["static"]
    if not found:
        return _not_applicable(name, "the project has no hashed static file")
    root = str(subject.plan.variable("site_static_root"))
    url = str(subject.plan.variable("nginx_static_url")) if "nginx" in subject.plan.components else "/static/"
    answer = subject.site.get(url + found.removeprefix(root).lstrip("/"), headers={"Accept-Encoding": "br, gzip"})
    cache, encoding = answer.headers.get("cache-control", ""), answer.headers.get("content-encoding", "")
    good = answer.status == 200 and "immutable" in cache and encoding in ("br", "gzip")  # noqa: PLR2004 - HTTP's word for ok
    saw = f"{answer.status}, {encoding or 'not compressed'}, {cache or 'no cache header'}"
    return _judged(name, good, saw, "configure it again: stackwise up")


def _speed(subject: _Subject) -> CheckFinished:
    """responsive: a page comes quickly."""
    times = [subject.site.get("/").seconds for _ in range(5)]
    saw = f"GET / took {median(times) * 1000:.0f} ms (median of {len(times)}, a new connection each)"
    return _judged(
        "responsive: a page comes quickly", median(times) < _SLOW_SECONDS, saw, "see what holds it up: stackwise logs"
    )


def _room(subject: _Subject) -> CheckFinished:
    """capacity: there is room left."""
    memory, disk = int(subject.inside["memory"] or 0), int(subject.inside["disk"] or 0)
    planned = sum(share.memory_mb for share in subject.plan.memory)
    # A shared kernel tells the host's memory, which says nothing of this server.
    free = "" if subject.plan.servers[0].kernel == "shared" else f"{memory} MiB of memory free, "
    saw = f"{free}{planned} of {subject.plan.memory_mb} MiB planned for, {disk} MiB of disk free"
    return _judged("capacity: there is room left", disk > 500, saw, "choose a larger size: --set hosting.size=...")  # noqa: PLR2004 - MiB that a release and its logs may want


_OF_THE_SERVER = (_ports, _logins, _compiler, _upgrades)
_CHECKS: tuple[Callable[[_Subject], CheckFinished], ...] = (
    _page,
    _services,
    _restart,
    _redirect,
    _certificate,
    _headers,
    _strangers,
    _ports,
    _logins,
    _compiler,
    _exposure,
    _private_files,
    _upgrades,
    _deploy_check,
    _static,
    _speed,
    _room,
)
