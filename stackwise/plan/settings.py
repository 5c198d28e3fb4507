from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    value: object
    because: str


@dataclass(frozen=True, slots=True)
class SiteFacts:
    hosts: tuple
    tls: bool
    static_root: str
    media_root: str
    static_url: str
    media_url: str
    hsts_seconds: int


@dataclass(frozen=True, slots=True)
class Decisions:
    overrides: tuple
    environment: dict


def core_settings(f):
    return []


def decide(p, w):
    return Decisions((), {})


def explain(d):
    return ""
