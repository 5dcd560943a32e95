"""Clips as files and folders of frames, opened to be measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.errors import EvaluationError
from remend.evaluation.over_time import Measured, measure_clip
from remend.io.read import printable
from remend.options import MaskOptions, Polarity
from remend.video.folder import pictures_in, read_frames
from remend.video.masks import Masks
from remend.video.planes import rgb_of
from remend.video.reading import SUFFIXES, facts_of, frames_of

__all__ = ["evaluate_clips", "is_video"]


def is_video(path: Path) -> bool:
    """Whether a path is named like a video file."""
    return path.suffix.lower() in SUFFIXES and not path.is_dir()


def evaluate_clips(
    truth: Path,
    outputs: Sequence[Path],
    *,
    masks: Path | None = None,
    polarity: Polarity = "white",
    equirect: bool = False,
) -> dict[str, Measured]:
    """Measure clips against the truth; see `remend.evaluation.over_time.measure_clip`.

    Args:
        truth: a video, or a folder of frames in the order of their names.
        outputs: clips of as many frames, each a video or a folder; labelled by name.
        masks: a picture for all frames, or a folder or video with one for each: then holes are measured.
        polarity: what marks the hole in them.
        equirect: the frames are 360° panoramas.

    Raises:
        RemendError: one of its kinds, one line each: what is missing, not readable, or of another length.
    """
    if not outputs:
        raise EvaluationError("nothing to measure: give a repaired clip by --outputs")
    for path in (truth, *outputs):
        if not path.exists():
            raise EvaluationError(f"{printable(path)}: there is no such file or folder: check the path")
    named = Counter(path.resolve().name for path in outputs)
    labels = [path.resolve().name if named[path.resolve().name] == 1 else str(path) for path in outputs]
    if len(set(labels)) < len(labels) or "truth" in labels:
        raise EvaluationError("two clips of one name, or one called truth: rename one")
    given = Masks(masks, MaskOptions(mask_polarity=polarity))
    given.check(_count(truth))
    return measure_clip(
        given.of(_frames(truth), 0),
        {label: _frames(path) for label, path in zip(labels, outputs, strict=True)},
        masked=masks is not None,
        equirect=equirect,
    )


def _count(path: Path) -> int:
    return len(pictures_in(path)) if path.is_dir() else facts_of(path).frames


def _frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """(H, W, 3) uint8 each; of 16 bits the upper eight."""
    each: Iterator[NDArray[Any]]
    if path.is_dir():
        each = (samples for _, samples in read_frames(pictures_in(path)))
    else:
        each = (rgb_of(frame) for frame in frames_of(path, facts_of(path)))
    for samples in each:
        yield samples if samples.dtype == np.uint8 else (samples >> 8).astype(np.uint8)
