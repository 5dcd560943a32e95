"""Masks of a clip: one for all frames, or one for each, from a folder or a video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.damage.given import effective_mask
from remend.errors import MaskError
from remend.finding import find_mask
from remend.io import read_picture
from remend.io.read import printable
from remend.options import MaskOptions
from remend.picture import Bool, Picture
from remend.video.folder import pictures_in
from remend.video.planes import rgb_of
from remend.video.reading import SUFFIXES, facts_of, frames_of

__all__ = ["Masks"]


@dataclass(frozen=True, slots=True)
class Masks:
    """Where the masks of a clip come from.

    Attributes:
        source: a picture, a folder of pictures in the order of their names, or a video; None = nothing is
            marked.
        options: how they are read.
    """

    source: Path | None
    options: MaskOptions

    def check(self, frames: int) -> None:
        """See that there are as many as frames, before anything is decoded.

        Raises:
            MaskError: there are not.
        """
        count = None
        if self.source is not None and self.source.is_dir():
            count = len(pictures_in(self.source))
        elif self.source is not None and self.source.suffix.lower() in SUFFIXES:
            count = facts_of(self.source).frames
        if count is not None and count != frames:
            raise MaskError(
                f"{count} masks in {printable(self.source)} for {frames} frames: "
                "give one for each, or one for all"
            )

    def of(self, frames: Iterator[NDArray[Any]], start: int) -> Iterator[tuple[NDArray[Any], Bool]]:
        """Frames with their holes.

        Args:
            frames: (H, W, 3) each, from the frame ``start`` on.
            start: its number.
        """
        each = None if self.source is None or self._single else self._pictures(start)
        hole: Bool | None = None
        for pixels in frames:
            if each is not None:
                given = next(each)
                hole = effective_mask(
                    given,
                    pixels.shape[:2],
                    polarity=self.options.mask_polarity,
                    resize=self.options.resize_mask,
                    dilate_px=self.options.dilate_px or 0,
                ).mask
            elif hole is None:
                hole = self._one(pixels)
            yield pixels, hole

    @property
    def _single(self) -> bool:
        source = self.source
        return source is not None and not source.is_dir() and source.suffix.lower() not in SUFFIXES

    def _one(self, pixels: NDArray[Any]) -> Bool:
        """The hole of all frames."""
        if self.source is None:
            return np.zeros(pixels.shape[:2], np.bool_)
        return find_mask(Picture(pixels, "RGB"), self.source, options=self.options).mask

    def _pictures(self, start: int) -> Iterator[Picture]:
        assert self.source is not None
        if self.source.is_dir():
            for path in pictures_in(self.source)[start:]:
                yield read_picture(path)
            return
        for number, frame in enumerate(frames_of(self.source, facts_of(self.source))):
            if number >= start:
                yield Picture(rgb_of(frame), "RGB")
