"""Clips measured against the truth, frame by frame and from one frame to the next.

References: the warping error E_warp of W.-S. Lai et al., Learning blind video temporal consistency, ECCV
2018; what is hidden in one of two frames, by going there and back: N. Sundaram, T. Brox, K. Keutzer, Dense
point trajectories by GPU-accelerated large displacement optical flow, ECCV 2010; a spectrum as the mean of
those of pieces: P. Welch, The use of fast Fourier transform for the estimation of power spectra, IEEE
Transactions on Audio and Electroacoustics 1967.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import EvaluationError
from remend.metrics import checked, compose, psnr, ssim, ws_psnr
from remend.picture import Bool, Float
from remend.video.metrics import Seen, seen_again

__all__ = ["CELL_PX", "PIECE", "Measured", "measure_clip"]

Image = NDArray[np.uint8]
CELL_PX = 8  # side of the cells whose level is followed over time
PIECE = 256  # frame differences that one spectrum is taken of; of longer clips the mean of pieces


@dataclass(slots=True)
class Measured:
    """One clip against the truth.

    Attributes:
        frames: by metric, a number a frame: ``psnr``, ``ssim``, of masks ``psnr_hole`` and ``ssim_hole``, of
            panoramas ``ws_psnr``; NaN where a frame has no hole.
        warping: E_warp from each frame to the next: the mean square of what a pixel differs from the one it
            moves to, samples in [0, 1]; NaN where nothing is seen in both.
        spectrum: mean square of the change of the error from frame to frame, in levels of 255, by frequency;
            its sum is ``flicker`` squared.
    """

    frames: dict[str, list[float]] = field(default_factory=dict)
    warping: list[float] = field(default_factory=list)
    spectrum: list[float] = field(default_factory=list)

    @property
    def frequencies(self) -> list[float]:
        """Of the spectrum, in cycles a frame: 0 to ½."""
        count = len(self.spectrum)
        return [] if count < 2 else [float(f) for f in np.arange(count) / self._length]

    _length: int = 0

    @property
    def flicker(self) -> float:
        """Root mean square change of the error from frame to frame, in levels of 255; 0 = as steady as the
        truth."""
        return float(np.sqrt(sum(self.spectrum)))

    def means(self) -> dict[str, float]:
        """Each metric over all frames where it applies, with ``e_warp`` and ``flicker``; NaN for none."""
        found = {name: _mean(values) for name, values in self.frames.items()}
        return found | {"e_warp": _mean(self.warping), "flicker": self.flicker}


def measure_clip(
    truth: Iterable[tuple[Image, Bool]],
    outputs: Mapping[str, Iterable[Image]],
    *,
    masked: bool = False,
    equirect: bool = False,
) -> dict[str, Measured]:
    """Measure clips against the truth, all in one pass.

    Args:
        truth: (H, W, 3) uint8 RGB and the hole (H, W) bool of each frame.
        outputs: clips by label, frames like the truth's.
        masked: measure in the holes: what differs outside is put back first. Else holes are not looked at.
        equirect: the frames are 360° panoramas: WS-PSNR, too.

    Returns:
        What was measured, by label; ``truth`` is the truth's own ``warping``.

    Raises:
        EvaluationError: another number or another size of frames, or a single frame.

    Cost: two flows of OpenCV's DIS a frame, and .5 s a megapixel, frame and clip; memory holds two frames of
    each clip, and 256 of them at an eighth of the size.
    """
    found = {label: Measured() for label in outputs} | {"truth": Measured()}
    levels = {label: _Levels() for label in outputs}
    sources = {label: iter(frames) for label, frames in outputs.items()}
    before: tuple[Image, Bool, dict[str, Image]] | None = None
    count = 0
    for right, hole in truth:
        count += 1
        here = {label: _next(label, frames, count) for label, frames in sources.items()}
        for label, frame in here.items():
            try:
                checked(frame, right, hole)
            except EvaluationError as error:
                raise EvaluationError(f"{label}, frame {count}: {error}") from error
            if masked:
                here[label] = compose(frame, right, hole)
            _one(found[label], here[label], right, hole if masked else None, equirect)
            levels[label].add(here[label], right, hole if masked else None)
        if before is not None:
            _step(found, before, right, here, masked)
        before = right, hole, here
    if count < 2:
        raise EvaluationError("a clip has two frames and more: give a video, or a folder of frames")
    for label, frames in sources.items():
        if next(frames, None) is not None:
            raise EvaluationError(
                f"{label} has more frames than the truth ({count}): give clips of one length"
            )
        found[label].spectrum, found[label]._length = levels[label].spectrum()
    return found


def _next(label: str, frames: Iterable[Image], number: int) -> Image:
    frame = next(iter(frames), None)
    if frame is None:
        raise EvaluationError(f"{label} ends before frame {number} of the truth: give clips of one length")
    return frame


def _one(measured: Measured, frame: Image, right: Image, hole: Bool | None, equirect: bool) -> None:
    """The metrics of one frame."""
    named = {"psnr": psnr(frame, right), "ssim": ssim(frame, right)}
    if hole is not None:
        some = bool(hole.any())
        named["psnr_hole"] = psnr(frame, right, hole) if some else float("nan")
        named["ssim_hole"] = ssim(frame, right, hole) if some else float("nan")
    if equirect:
        named["ws_psnr"] = ws_psnr(frame, right, hole)
    for name, value in named.items():
        measured.frames.setdefault(name, []).append(value)


def _step(
    found: dict[str, Measured],
    before: tuple[Image, Bool, dict[str, Image]],
    right: Image,
    here: dict[str, Image],
    masked: bool,
) -> None:
    """E_warp from one frame to the next, along the motion of the truth."""
    earlier, hole, theirs = before
    way = seen_again(earlier, right)
    where = way.seen & hole if masked else way.seen
    for label, first, second in (("truth", earlier, right), *((k, theirs[k], here[k]) for k in here)):
        found[label].warping.append(_warped(first, second, way, where))


def _warped(first: Image, second: Image, way: Seen, where: Bool) -> float:
    if not where.any():
        return float("nan")
    moved = np.asarray(cv2.remap(second.astype(np.float32), way.x, way.y, cv2.INTER_LINEAR))
    return float(np.mean(np.square((first[where] - moved[where]) / 255, dtype=np.float64)))


class _Levels:
    """How the error changes over time, cell by cell, as a spectrum."""

    def __init__(self) -> None:
        self.last: Float | None = None
        self.changes: list[Float] = []
        self.touched: Bool | None = None
        self.power: list[NDArray[np.float64]] = []

    def add(self, frame: Image, right: Image, hole: Bool | None) -> None:
        """The next frame; of masks only cells count that a hole touches."""
        error = frame.astype(np.float32) - right
        height, width = max(1, error.shape[0] // CELL_PX), max(1, error.shape[1] // CELL_PX)
        cells = np.asarray(cv2.resize(error, (width, height), interpolation=cv2.INTER_AREA), np.float32)
        touched = np.ones((height, width), np.bool_)
        if hole is not None:
            inside = cv2.resize(hole.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
            touched = np.asarray(inside) > 0
        self.touched = touched if self.touched is None else self.touched | touched
        if self.last is not None:
            self.changes.append(cells - self.last)
        self.last = cells
        if len(self.changes) == PIECE:
            self._piece()

    def _piece(self) -> None:
        changes = np.stack(self.changes).astype(np.float64)  # (T, h, w, 3)
        power = np.square(np.abs(np.fft.rfft(changes, axis=0))) / len(changes) ** 2
        power[1 : (len(changes) + 1) // 2] *= 2  # what lies at negative frequencies
        self.power.append(power.mean(axis=3))
        self.changes.clear()

    def spectrum(self) -> tuple[list[float], int]:
        """Mean square by frequency, and of how many differences each piece was."""
        length = PIECE
        if not self.power:
            length = len(self.changes)
            self._piece()
        assert self.touched is not None
        if not self.touched.any():
            return [0.0] * len(self.power[0]), length
        mean = np.mean(self.power, axis=0)
        return [float(value) for value in mean[:, self.touched].mean(axis=1)], length


def _mean(values: list[float]) -> float:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")
