"""JPEG, written back block by block: what the mask does not touch keeps its DCT coefficients."""

from remend.io.jpeg.codec import CODEC

__all__ = ["CODEC"]
