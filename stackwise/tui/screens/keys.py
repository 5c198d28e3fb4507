"""Every key of the walk: what it does, and the id by which it can be changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Static

from stackwise.tui.keys import known_keys
from stackwise.walk.taste import keys_path


class KeysScreen(Screen[None]):
    """A table to be read."""

    CSS_PATH = "keys.tcss"
    HELP = """# Keys

Every key, what it does, and its id. A key is changed in the file that is named above the table, one line each:
`step.next: f5`. It counts from the next start on. ✎ marks what you changed.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Back", id="keys.close", tooltip="Go back to where you were")
    ]

    def __init__(self, changed: Mapping[str, str]) -> None:
        """Show all keys; `changed` has those of one's own by id."""
        super().__init__()
        self.changed = changed

    def compose(self) -> ComposeResult:
        """Make the table."""
        yield Static(f"Change a key in {keys_path()}, for example: step.next: f5", markup=False, id="keys-where")
        yield DataTable(cursor_type="row", zebra_stripes=True)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Fill it."""
        table = self.query_one(DataTable)
        table.add_columns("Key", "Does", "Id")
        for known in known_keys().values():
            own = self.changed.get(known.id)
            keys = own.split(",") if own else known.keys
            shown = ", ".join(self.app.get_key_display(Binding(key, "")) for key in keys)
            table.add_row(Text(f"✎ {shown}" if own else shown, "bold"), Text(known.does), Text(known.id, "dim"))
        table.focus()

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
