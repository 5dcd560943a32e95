"""The command line: one file a verb."""

from remend.cli.main import main

__all__ = ["main"]
