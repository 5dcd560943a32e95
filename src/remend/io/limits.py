"""How large a picture may be, told from its header before anything is decoded."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from PIL import Image

from remend.errors import LimitError
from remend.io.quiet import quiet_libraries

__all__ = ["DEFAULT_MAX_PIXELS", "check_pixels", "own_limits"]

DEFAULT_MAX_PIXELS = 256_000_000


def check_pixels(name: str, width: int, height: int, max_pixels: int) -> None:
    """Refuse a picture of more than ``max_pixels``.

    Raises:
        LimitError: naming both numbers and the option that lifts the limit.

    >>> check_pixels("scan.jpg", 4000, 3000, DEFAULT_MAX_PIXELS)
    """
    if width * height > max_pixels:
        raise LimitError(
            f"{name}: {width}×{height} is {width * height / 1e6:,.1f} megapixels, more than the "
            f"{max_pixels / 1e6:,.1f} allowed: raise --max-pixels if you trust the file"
        )


_lock = threading.Lock()
_depth = 0
_restore = ExitStack()


@contextmanager
def own_limits() -> Iterator[None]:
    """Silence Pillow's guess at decompression bombs (the header was checked by `check_pixels`), and libraries
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
