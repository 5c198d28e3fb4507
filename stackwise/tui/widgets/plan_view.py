"""The plan as a tree that can be opened, and beside it what the line under the cursor stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static, Tree
from textual.widgets.tree import TreeNode

from stackwise.tui.widgets.source import SourceView, coloured
from stackwise.walk.planned import Node


class PlanTree(Tree[Node]):
    """The tree; what is below a line is made when the line is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "Down", show=False, id="plan.down", tooltip="The line below"),
        Binding("k", "cursor_up", "Up", show=False, id="plan.up", tooltip="The line above"),
        Binding("right,l", "open", "Open", show=False, id="plan.open", tooltip="Open this line, or go into it"),
        Binding("left,h", "close", "Close", show=False, id="plan.close", tooltip="Close this line, or the one above"),
    ]

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__("the plan")
        self.show_root, self.guide_depth = False, 2
        self.opened: set[str] = set()

    def show(self, nodes: Sequence[Node]) -> None:
        """Show other nodes; what was open stays open, and the cursor stays where it was."""
        at = self.cursor_node.data.id if self.cursor_node and self.cursor_node.data else ""
        self.clear()
        self._add(self.root, nodes)
        self.root.expand()
        # The lines are counted anew before the cursor can find its own.
        self.call_after_refresh(self._return_to, at)

    def _return_to(self, at: str) -> None:
        found = (node for node in self._nodes_below(self.root) if node.data and node.data.id == at)
        self.move_cursor(next(found, self.root.children[0] if self.root.children else None))

    def _nodes_below(self, node: TreeNode[Node]) -> list[TreeNode[Node]]:
        return [found for child in node.children for found in (child, *self._nodes_below(child))]

    def _add(self, parent: TreeNode[Node], nodes: Sequence[Node]) -> None:
        for node in nodes:
            style = "bold" if parent.is_root else ""
            added = parent.add(Text(node.label, style), node, allow_expand=bool(node.children))
            if node.id in self.opened:
                self._add(added, node.children)
                added.expand()

    @on(Tree.NodeExpanded)
    def _expanded(self, event: Tree.NodeExpanded[Node]) -> None:
        node = event.node
        if node.data and node.data.id not in self.opened:
            self.opened.add(node.data.id)
            if not node.children:
                self._add(node, node.data.children)

    @on(Tree.NodeCollapsed)
    def _collapsed(self, event: Tree.NodeCollapsed[Node]) -> None:
        if event.node.data:
            self.opened.discard(event.node.data.id)

    def action_open(self) -> None:
        """Open the line under the cursor; go into it where it is open."""
        node = self.cursor_node
        if node and node.is_expanded and node.children:
            self.move_cursor(node.children[0])
        elif node and node.allow_expand:
            node.expand()

    def action_close(self) -> None:
        """Close the line under the cursor, or go to the one that it is below."""
        node = self.cursor_node
        if node and node.allow_expand and node.is_expanded:
            node.collapse()
        elif node and node.parent and not node.parent.is_root:
            self.move_cursor(node.parent)


class PlanView(Container):
    """The tree, and its other side."""

    class Coloured(Message):
        """A file has its colours."""

        def __init__(self, file: str, text: Content) -> None:
            """Carry the `text` of the `file`."""
            super().__init__()
            self.file, self.text = file, text

    class Opened(Message):
        """Somebody wants to read a file on the whole screen."""

        def __init__(self, file: str) -> None:
            """Carry the name of the `file`."""
            super().__init__()
            self.file = file

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.nodes: tuple[Node, ...] = ()
        self.files: Mapping[str, bytes] = {}

    def compose(self) -> ComposeResult:
        """Make both sides."""
        yield PlanTree()
        with Vertical(id="beside"):
            yield Static(markup=False, id="beside-title")
            with VerticalScroll(id="words"):
                yield Static("making the plan ...", markup=False, id="plan-text")
            yield SourceView()

    def on_mount(self) -> None:
        """Show that there is nothing yet."""
        self.show_words("", "making the plan ...")

    def show(self, nodes: tuple[Node, ...], files: Mapping[str, bytes]) -> None:
        """Show a plan; nothing moves where it is the one that is shown already."""
        if (nodes, files) != (self.nodes, self.files):
            self.nodes, self.files = nodes, files
            self.query_one(PlanTree).show(nodes)
        self.query_one(PlanTree).display = True

    def show_why_not(self, words: str) -> None:
        """Say why there is no plan."""
        self.nodes, self.files = (), {}
        self.query_one(PlanTree).clear().display = False
        self.show_words("", words)

    def show_words(self, title: str, words: str) -> None:
        """Show words on the other side."""
        self._side(title, source=False)
        self.query_one("#plan-text", Static).update(words)

    def _side(self, title: str, *, source: bool) -> None:
        self.query_one("#beside-title", Static).update(title)
        self.query_one("#words").display = not source
        self.query_one(SourceView).display = source

    @on(Tree.NodeHighlighted)
    def _highlighted(self, event: Tree.NodeHighlighted[Node]) -> None:
        node = event.node.data
        if node is not None and node.file in self.files:
            self._colour(node.file, self.files[node.file])
        elif node is not None:
            self.show_words(node.label, node.detail)
            self.query_one("#words").scroll_home(animate=False)

    @work(thread=True, exclusive=True, exit_on_error=False, group="colours")
    def _colour(self, file: str, data: bytes) -> None:
        self.post_message(self.Coloured(file, coloured(data, file)))

    @on(Coloured)
    def _coloured(self, message: Coloured) -> None:
        node = self.query_one(PlanTree).cursor_node
        # By now the cursor may stand elsewhere.
        if node and node.data and node.data.file == message.file:
            self._side(message.file, source=True)
            self.query_one(SourceView).show(message.text)

    @on(Tree.NodeSelected)
    def _selected(self, event: Tree.NodeSelected[Node]) -> None:
        if event.node.data and event.node.data.file in self.files:
            self.post_message(self.Opened(event.node.data.file))
