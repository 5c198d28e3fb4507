"""What others wrote, as a terminal may have it."""

from __future__ import annotations

import unicodedata

from stackwise.readable import INSTEAD, readable


def test_no_control_character_is_left_but_tab_and_new_line() -> None:
    for number in range(0x110000):
        sign = chr(number)
        if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp"):
            assert readable(sign) == (sign if sign in "\t\n" else INSTEAD), hex(number)


def test_words_stay_as_they_are() -> None:
    for text in ("", "größer, 日本 \U0001f600 [bold]x[/]", "a\tb\nc", "4\xa0GB"):
        assert readable(text) == text
    assert readable("a\r\nb\rc") == f"a\nb{INSTEAD}c"
    assert readable("a\u202eb") == f"a{INSTEAD}b"
