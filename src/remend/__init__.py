"""Remend repairs damaged pictures."""

__version__ = "0.1.0"
