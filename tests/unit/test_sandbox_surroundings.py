from __future__ import annotations

import pytest

from stackwise.provision.sandbox.base import Recipe, mmdebstrap_argv, spoken
from stackwise.provision.sandbox.places import places_from
from stackwise.provision.sandbox.surroundings import mirror_lines, mirrors_in, pip_text, usable_url

DEB822 = """
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: sid-updates
"""
ONE_LINE = """
# deb http://old.example/debian bookworm-updates main
deb [signed-by=/x.gpg] https://other.example/apt stable main
deb http://mirror.example/debian bookworm main
deb http://mirror.example/debian bookworm-updates main
deb-src http://src.example/debian bookworm-updates main
"""


def recipe(**changes: object) -> Recipe:
    fields = {"image": "debian-13", "mirrors": (), "apt_options": (), "pip_configuration": "", "certificates": ()}
    return Recipe(**{**fields, **changes})  # type: ignore[arg-type] # the fields above, changed


def test_mirrors_are_read_in_both_notations() -> None:
    assert mirrors_in(DEB822) == ("http://mirror.example/debian", "http://mirror.example/debian-security")
    assert mirrors_in(ONE_LINE) == ("http://mirror.example/debian",)
    assert mirrors_in("deb https://vendor.example/apt stable main\n") == ()


def test_mirrors_become_source_lines_of_the_wanted_suite() -> None:
    assert mirror_lines(("http://a", "http://s"), "trixie") == [
        "deb http://a trixie main",
        "deb http://a trixie-updates main",
        "deb http://s trixie-security main",
    ]
    assert mirror_lines(("http://a",), "trixie")[-1] == "deb http://a trixie-updates main"


@pytest.mark.parametrize(
    ("url", "usable"),
    [
        ("https://index.example/simple", True),
        ("file:///opt/packages", False),
        ("http://localhost:3142", False),
        ("http://127.0.0.1:3142", False),
        ("https://me:secret@index.example/simple", False),
        ("DIRECT", True),
    ],
)
def test_an_address_that_means_nothing_in_a_machine_or_has_a_password_stays_here(url: str, usable: bool) -> None:
    assert usable_url(url) is usable


def test_a_pip_configuration_has_what_a_machine_can_use() -> None:
    settings = {
        "index-url": "https://index.example/simple",
        "extra-index-url": "file:///opt/a https://me:secret@b.example/simple https://c.example/simple",
        "find-links": "/opt/wheels",
        "timeout": "60",
    }
    assert pip_text(settings, with_bundle=True) == (
        "[global]\nindex-url = https://index.example/simple\nextra-index-url = https://c.example/simple\n"
        "timeout = 60\ncert = /etc/ssl/certs/ca-certificates.crt\n"
    )
    assert pip_text({}, with_bundle=False) == ""


def test_a_changed_recipe_is_another_base() -> None:
    assert recipe().name == recipe().name
    assert recipe().name.startswith("debian-13-")
    others = {recipe(mirrors=("http://a",)).name, recipe(certificates=(("a.crt", "x"),)).name, recipe(version=99).name}
    assert len({recipe().name, *others}) == 4


def test_mmdebstrap_takes_its_own_mirror_unless_told() -> None:
    target = places_from({}).cache / ".building"
    assert mmdebstrap_argv(recipe(), target, ())[-2:] == ["trixie", str(target)]
    told = mmdebstrap_argv(recipe(apt_options=('Acquire::Check-Date "false";',)), target, ("http://a",))
    assert told[-1] == "deb http://a trixie-updates main"
    assert '--aptopt=Acquire::Check-Date "false";' in told


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("I: extracting archives...", "extracting archives..."),
        ("Get:12 http://a trixie/main amd64 sudo amd64 1.9 [1 B]", "fetching sudo"),
        ("Setting up sudo (1.9.16) ...", "setting up sudo"),
        ("Reading package lists...", ""),
    ],
)
def test_of_what_mmdebstrap_says_the_user_hears_what_means_something(line: str, word: str) -> None:
    assert spoken(line) == word
