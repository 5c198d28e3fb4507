"""What a machine needs of the host's surroundings to reach what the host reaches.

Behind a company's proxy that means: its certificate authority, its package mirror, its proxy, its Python index, its
name servers. A password in one of these stays on the host: what is in a machine can be read in it.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from stackwise.provision.sandbox.commands import attempt

CERTIFICATES = Path("/usr/local/share/ca-certificates")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
SOURCES = Path("/etc/apt")
APT_KEYS = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until", "Acquire::Check-Date")
PIP_FILES = (Path("/etc/pip.conf"), Path("~/.config/pip/pip.conf"), Path("~/.pip/pip.conf"))
PIP_URLS = ("index-url", "extra-index-url", "proxy")
PIP_WORDS = ("trusted-host", "timeout")


def extra_certificates() -> dict[str, bytes]:
    """Give the certificate authorities that this host's administrator added, by file name."""
    return {path.name: path.read_bytes() for path in sorted(CERTIFICATES.rglob("*.crt"))}


def resolver() -> str:
    """Give a resolv.conf that works inside a machine: not one that names a server of the host's own loopback."""
    texts = [path.read_text() for path in RESOLVERS if path.exists()]
    return next((text for text in texts if _reachable_servers(text)), texts[0] if texts else "")


def apt_options() -> list[str]:
    """Give the lines of apt's configuration that say how packages are reached from here."""
    _, dump, _ = attempt(["apt-config", "dump", *APT_KEYS])
    lines = [line for line in dump.splitlines() if line.startswith(APT_KEYS) and usable_url(_quoted(line))]
    return [*lines, *_proxies_of_the_environment(os.environ, dump)]


def pip_configuration() -> str:
    """Give the text of a pip.conf for machines: where packages are, and that the system's certificates are the ones."""
    found: dict[str, str] = {}
    for path in PIP_FILES:
        found |= _pip_file(path.expanduser())
    found |= _pip_environment(os.environ)
    return pip_text(found, with_bundle=bool(extra_certificates()))


def pip_text(settings: Mapping[str, str], *, with_bundle: bool) -> str:
    """Write a pip.conf from the host's `settings`: only what can mean something inside a machine."""
    kept = {key: " ".join(filter(usable_url, settings.get(key, "").split())) for key in PIP_URLS}
    kept |= {key: settings.get(key, "") for key in PIP_WORDS}
    if with_bundle:
        kept["cert"] = BUNDLE
    lines = [f"{key} = {value}" for key, value in kept.items() if value]
    return "\n".join(["[global]", *lines, ""]) if lines else ""


def mirror_lines(mirrors: Iterable[str], suite: str) -> list[str]:
    """Write apt's source lines for `suite`: the first mirror has the archive, a second one the security updates."""
    archive, *security = mirrors
    lines = [f"deb {archive} {suite} main", f"deb {archive} {suite}-updates main"]
    return lines + [f"deb {url} {suite}-security main" for url in security[:1]]


def host_mirrors() -> tuple[str, ...]:
    """Give the mirrors (archive, security) that this host uses, when it is a Debian; else nothing."""
    release = Path("/etc/os-release")
    if not release.exists() or not re.search(r"^ID=debian$", release.read_text(), re.MULTILINE):
        return ()
    files = [SOURCES / "sources.list", *sorted((SOURCES / "sources.list.d").glob("*"))]
    text = "\n\n".join(path.read_text() for path in files if path.suffix in {".list", ".sources"} and path.is_file())
    return mirrors_in(text)


def mirrors_in(sources: str) -> tuple[str, ...]:
    """Read (archive, security) from apt's sources, in either of the two notations."""
    pairs = [*_one_line_sources(sources), *_deb822_sources(sources)]
    debian = [(url, suite) for url, suite in pairs if usable_url(url)]
    security = next((url for url, suite in debian if suite.endswith(("-security", "/updates"))), None)
    updates = {url for url, suite in debian if suite.endswith("-updates")}
    archive = next((url for url, _ in debian if url in updates), None)
    return tuple(url for url in (archive, security) if url) if archive else ()


def usable_url(value: str) -> bool:
    """Tell whether a machine could use this address: no file and no loopback of the host, no password in it."""
    parts = urlsplit(value)
    if not parts.scheme:
        return True
    return parts.scheme in {"http", "https"} and not parts.password and not _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reachable_servers(resolv_conf: str) -> bool:
    servers = re.findall(r"^\s*nameserver\s+(\S+)", resolv_conf, re.MULTILINE)
    return any(not _is_loopback(server) for server in servers)


def _quoted(line: str) -> str:
    found = re.search(r'"(.*)"', line)
    return found[1] if found else ""


def _proxies_of_the_environment(environ: Mapping[str, str], known: str) -> list[str]:
    lines = []
    for scheme in ("http", "https"):
        value = environ.get(f"{scheme}_proxy", "")
        if value and usable_url(value) and f"Acquire::{scheme}::Proxy " not in known:
            lines.append(f'Acquire::{scheme}::Proxy "{value}";')
    return lines


def _pip_file(path: Path) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path)
    return dict(parser["global"]) if parser.has_section("global") else {}


def _pip_environment(environ: Mapping[str, str]) -> dict[str, str]:
    keys = {key: "PIP_" + key.upper().replace("-", "_") for key in (*PIP_URLS, *PIP_WORDS)}
    return {key: environ[variable] for key, variable in keys.items() if environ.get(variable)}


def _one_line_sources(text: str) -> list[tuple[str, str]]:
    found = re.findall(r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)", text, re.MULTILINE)
    return [(url, suite) for url, suite in found if suite != "/"]


def _deb822_sources(text: str) -> list[tuple[str, str]]:
    pairs = []
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.+)$", stanza, re.MULTILINE))
        if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes") != "no":
            pairs += [
                (url, suite) for url in fields.get("URIs", "").split() for suite in fields.get("Suites", "").split()
            ]
    return pairs
