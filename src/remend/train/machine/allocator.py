"""Telling the C library to keep memory that is freed, since a training step asks for the same again."""

from __future__ import annotations

import ctypes
import platform

__all__ = ["keep_freed_memory"]

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def keep_freed_memory() -> bool:
    """Serve large blocks from the heap and never trim it; only glibc can be told.

    By default every tensor beyond a few MiB is mapped and unmapped anew, and each page of it faults in
    again: a sixth of a training step on a CPU.

    Returns:
        Whether it took effect.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(_M_MMAP_MAX, 0)) and bool(libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))
