"""The walk as it is, with runs that `stream.py` plays: they come through the same files as real ones."""

from __future__ import annotations

import sys
from pathlib import Path

from stackwise.background import BackgroundRuns
from stackwise.cli import calm_the_collector
from stackwise.tui.app import Walk

if __name__ == "__main__":
    calm_the_collector()
    Walk(runs=BackgroundRuns([sys.executable, "-P", str(Path(__file__).with_name("stream.py"))])).run()
