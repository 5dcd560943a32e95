"""Masks of a clip: one for all frames, or one for each, from a folder or a video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.given import effective_mask
from remend.errors import MaskError, UsageError, WriteError
from remend.finding import find_mask
from remend.io import read_picture
from remend.io.read import printable
from remend.options import MaskOptions
from remend.picture import Bool, Picture
from remend.video.backend import PYAV, Backend
from remend.video.folder import pictures_in
from remend.video.reading import SUFFIXES
from remend.video.track import follow_mask

__all__ = ["Masks"]


@dataclass(frozen=True, slots=True)
class Masks:
    """Where the masks of a clip come from.

    Attributes:
        source: a picture, a folder of pictures in the order of their names, or a video; None = nothing is
            marked.
        options: how they are read.
        track: the frame, from 1, that a picture is the mask of; None = of all.
        by: what videos are read by.
    """

    source: Path | None
    options: MaskOptions
    track: int | None = None
    by: Backend = PYAV

    def check(self, frames: int) -> None:
        """See that there are as many as frames, before anything is decoded.

        Raises:
            MaskError: there are not.
            UsageError: what is to be followed is none, or not one picture.
        """
        if self.track is not None and not self._single:
            raise UsageError("--track follows one mask: give one picture by -m")
        if self.track is not None and self.track > frames:
            raise UsageError(f"--track {self.track}: there are {frames} frames: count them from 1")
        count = None
        if self.source is not None and self.source.is_dir():
            count = len(pictures_in(self.source))
        elif self.source is not None and self.source.suffix.lower() in SUFFIXES:
            count = self.by.facts_of(self.source).frames
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

    def followed(self, frames: Iterator[NDArray[Any]], folder: Path) -> tuple[Masks, str]:
        """One mask followed through its shot, as masks of all frames.

        Args:
            frames: all, (H, W, 3) each.
            folder: where they are written, in a folder of their own; those of an earlier run are taken.

        Returns:
            The masks, and a line of how far it was followed, and why no further.
        """
        assert self.track is not None
        target, told = folder / "masks", folder / "masks.txt"
        each = Masks(target, MaskOptions(), by=self.by)
        if told.exists():
            return each, told.read_text("utf-8")
        target.mkdir(exist_ok=True)
        note = ""
        for count, (mask, how) in enumerate(follow_mask(frames, self.track - 1, self._one), 1):
            path = target / f"{count:08d}.png"
            if not cv2.imwrite(str(path), mask.view(np.uint8) * np.uint8(255)):
                raise WriteError(f"{printable(path)}: cannot be written: see that the disk has room")
            note = how.told(count)
        told.write_text(note, "utf-8")
        return each, note

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
        for number, frame in enumerate(self.by.frames_of(self.source, self.by.facts_of(self.source))):
            if number >= start:
                yield Picture(self.by.rgb_of(frame), "RGB")
