"""Which screen shows which kind of step."""

from __future__ import annotations

from stackwise.tui.screens.form import FormScreen
from stackwise.tui.screens.hosting import HostingScreen
from stackwise.tui.screens.layer import LayerScreen
from stackwise.tui.screens.report import ReportScreen
from stackwise.tui.screens.review import ReviewScreen
from stackwise.tui.screens.run import RunScreen
from stackwise.tui.screens.server import ServerScreen
from stackwise.tui.screens.step import StepScreen
from stackwise.walk.steps import Kind, Step

_SCREENS: dict[Kind, type[StepScreen]] = {
    "form": FormScreen,
    "layer": LayerScreen,
    "hosting": HostingScreen,
    "server": ServerScreen,
    "review": ReviewScreen,
    "run": RunScreen,
    "report": ReportScreen,
}


def screen_for(step: Step) -> StepScreen:
    """Return a new screen for a step."""
    return _SCREENS[step.kind](step)
