"""Pick a stack you can defend, then stand it up."""

__version__ = "0.1.0"
