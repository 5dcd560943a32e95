"""PNG of every kind, its chunks carried over byte for byte."""

from remend.io.png.codec import CODEC

__all__ = ["CODEC"]
