"""TIFF, edited in place: only strips and tiles that hold a changed pixel are coded again."""

from remend.io.tiff.codec import CODEC

__all__ = ["CODEC"]
