"""Pillow's own limit on pixels, out of the way: ours are told before (`remend.budget`)."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from PIL import Image

from remend.io.quiet import quiet_libraries

__all__ = ["own_limits"]

_lock = threading.Lock()
_depth = 0
_restore = ExitStack()


@contextmanager
def own_limits() -> Iterator[None]:
    """Silence Pillow's guess at decompression bombs (the header was checked by `Budget`), and libraries
    that write to standard error.

    Pillow warns beyond its own limit and refuses twice that, whatever the caller allowed. Both the
    limit and the warning filters belong to the process, so threads share one change: the first to
    come makes it, the last to go takes it back.
    """
    global _depth
    with _lock:
        if not _depth:
            _restore.enter_context(quiet_libraries())
            _restore.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            _restore.callback(setattr, Image, "MAX_IMAGE_PIXELS", before)
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if not _depth:
                _restore.close()
