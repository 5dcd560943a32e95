"""What libtiff, libjpeg, libpng and OpenCV write to standard error by themselves, kept off it.

They tell a damaged file in their own words, without its name; ours say it better. What anybody else writes
meanwhile goes through.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from remend.faults import debugging

__all__ = ["quiet_libraries"]

STDERR = 2
# libtiff names its function first ("LZWDecode: ..."), or the file as Pillow calls it.
_THEIRS = re.compile(
    rb"\s*(lib\w+ (warning|error)|\w*(Decode|Encode|TIFF|Setup|Fax3)\w*: |(tempfile|filename)(\.tif)?: "
    rb"|Corrupt JPEG data|Premature end of JPEG|Invalid SOS parameters|Warning: unknown JFIF"
    rb"|Unsupported marker type|Inconsistent progression|Application transferred too|Unknown Adobe"
    rb"|\[\s*(WARN|ERROR|INFO)[:@])"
)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Hold standard error of the whole process back, and let go of what is none of the libraries'.

    With ``--debug`` nothing is held back. Threads must share one use: the descriptor belongs to the process.

    Cost: 30 µs.
    """
    if debugging():
        yield
        return
    try:
        before = os.dup(STDERR)
    except OSError:  # there is no standard error
        yield
        return
    with tempfile.TemporaryFile() as held:
        _flush()
        os.dup2(held.fileno(), STDERR)
        try:
            yield
        finally:
            _flush()
            os.dup2(before, STDERR)
            held.seek(0)
            kept = b"".join(line for line in held if not _THEIRS.match(line))
            with suppress(OSError):
                view = memoryview(kept)
                while view:
                    view = view[os.write(before, view) :]
            os.close(before)


def _flush() -> None:
    with suppress(Exception):  # closed, or replaced by something that cannot
        sys.stderr.flush()
