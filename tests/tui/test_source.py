"""A file as it is shown: with its colours, and with nothing in it that the terminal would do."""

from __future__ import annotations

from stackwise.tui.widgets.source import coloured


def test_what_a_file_says_is_not_for_the_terminal() -> None:
    text = coloured("name: x\x1b]52;c;b3Vycw==\x07\r\n\tthen: \x9b2J\n".encode(), "a.yml").plain
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\x9b" not in text
    assert "x\ufffd]52;c;b3Vycw==\ufffd\n" in text
    assert coloured(b"\xff", "a\x1b[2J").plain.startswith("a\ufffd[2J is no text")
