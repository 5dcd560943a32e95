"""What one job may cost: pixels, memory, work and time, asked for before they are spent.

One `Budget` goes with a job through reading, finding and filling, and its masks draw on it too; the bounds
are the same for the command line, Python and the server. A file of a few bytes can claim gigabytes, so each
codec asks before it allocates, from what the header says.
"""

from __future__ import annotations

import time
from dataclasses import replace

from remend.errors import FormatError, LimitError
from remend.options import MIB, Bounds

__all__ = ["Budget"]

PLAIN_BYTES, PLAIN_PIXELS = 48 * MIB, 40_000_000
HELD = 2  # times the samples that a job holds at least: as read, and on their way out
SCANS, SCANNED = 20, 500_000_000  # scans of a JPEG that are always fine, and pixels of all scans together
MASK_PIXELS = 1 << 24
LAZY_TIMES = 10  # the pixels of a picture that is in memory
MOST_CANVASES = 20  # times the pixels of a picture, in all frames of an animation


class Budget:
    """What is left of a job's bounds.

    >>> Budget(Bounds(max_pixels=9_000_000)).check_pixels("scan.jpg", 4000, 3000)
    Traceback (most recent call last):
    remend.errors.LimitError: scan.jpg: 4000×3000 is 12.0 megapixels, more than the 9.0 allowed: ...
    """

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.held = 0
        self._end = None if self.bounds.time_limit_s is None else time.monotonic() + self.bounds.time_limit_s

    def for_mask(self, pixels: int) -> Budget:
        """What a mask of a picture may cost: no more pixels than four times its own; as plain as it likes."""
        most = min(self.bounds.max_pixels, max(4 * pixels, MASK_PIXELS))
        part = Budget(replace(self.bounds, max_pixels=most, max_ratio=0))
        part.held, part._end = self.held, self._end
        return part

    def check_format(self, name: str, format: str) -> None:
        """Refuse a format that is not among the accepted ones.

        Raises:
            FormatError: naming those.
        """
        if self.bounds.accept and format not in self.bounds.accept:
            raise FormatError(
                f"{name}: a {format} file, and only {', '.join(self.bounds.accept)} are accepted here"
            )

    def check_pixels(self, name: str, width: int, height: int, *, lazily: bool = False) -> None:
        """Refuse a picture of too many pixels.

        Args:
            name: of the file.
            width, height: of the picture.
            lazily: it will not be in memory as a whole: ten times as many are allowed.

        Raises:
            LimitError: naming both numbers and the option that lifts the limit.
        """
        allowed = self.bounds.max_pixels * (LAZY_TIMES if lazily else 1)
        if width * height > allowed:
            raise LimitError(
                f"{name}: {width}×{height} is {width * height / 1e6:,.1f} megapixels, more than the "
                f"{allowed / 1e6:,.1f} allowed: raise --max-pixels if you trust the file"
            )

    def take(self, name: str, pixels: int, bits: int, file_bytes: int, *, copies: float = HELD) -> None:
        """Reserve room for samples that are about to be decoded.

        Args:
            name: of the file.
            pixels: of the picture, or of all frames or tiles that are decoded at once.
            bits: of a pixel, as stored; in memory a sample takes a byte at least.
            file_bytes: that they come from.
            copies: how many of them there will be.

        Raises:
            LimitError: a file that grows too much, or more memory than is left.
        """
        stored = pixels * bits // 8
        ratio = self.bounds.max_ratio
        large = stored > PLAIN_BYTES or pixels > PLAIN_PIXELS
        if ratio and large and stored > ratio * file_bytes:
            raise LimitError(
                f"{name}: {file_bytes:,} bytes that become {stored / MIB:,.0f} MiB: an empty picture, or a "
                "file made to fill the memory: raise --max-ratio if you trust it"
            )
        wanted = int(copies * max(stored, pixels))
        if self.held + wanted > self.bounds.max_memory:
            raise LimitError(
                f"{name}: needs {(self.held + wanted) / MIB:,.0f} MiB, more than the "
                f"{self.bounds.max_memory / MIB:,.0f} allowed: raise --max-memory"
            )
        self.held += wanted

    def check_scans(self, name: str, pixels: int, scans: int) -> None:
        """Refuse a JPEG whose passes over the picture are too many for its size.

        Raises:
            LimitError: naming both.
        """
        if scans > max(SCANS, SCANNED // max(1, pixels)):
            raise LimitError(
                f"{name}: a JPEG that goes {scans} times over {pixels / 1e6:,.1f} megapixels, where a dozen "
                "is usual: save it anew"
            )

    def check_frames(self, name: str, pixels: int, frames: int) -> None:
        """Refuse an animation of too many frames for its size: each is composed on the whole canvas.

        Raises:
            LimitError: naming both.
        """
        if frames * pixels > MOST_CANVASES * self.bounds.max_pixels:
            raise LimitError(
                f"{name}: {frames} frames of {pixels / 1e6:,.1f} megapixels are more than can be composed: "
                "raise --max-pixels if you trust the file"
            )

    def check_time(self, name: str) -> None:
        """Refuse to go on when the time is over.

        Raises:
            LimitError: naming the limit.
        """
        if self._end is not None and time.monotonic() > self._end:
            raise LimitError(f"{name}: took longer than {self.bounds.time_limit_s:g} s: raise --time-limit")
