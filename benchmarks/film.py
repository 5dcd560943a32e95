"""Film: what the gate does to it, made on a clip, found or made steady.

python -m benchmarks.film                     # the stored clip, where ../shared is, and a made one
python -m benchmarks.film --kinds frame       # frames that jump, made steady

Frozen: the damage, its seeds and the metrics.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.line import SHARED, print_line
from benchmarks.video_clips import Clip, stored_clip
from remend.video.camera import camera_between, view_of
from remend.video.propagate import propagate
from remend.video.stabilisation import stabilised

MARGIN_PX = 14  # of a clip that jumping frames are cut from


def steady_pan(count: int = 60) -> Clip:
    """A camera that goes its way evenly over a free picture; sensor noise of 2 levels."""
    from skimage import data

    wide, drawn = np.ascontiguousarray(data.coffee()), np.random.default_rng(0)
    wide = cv2.resize(wide, (1100, 733), interpolation=cv2.INTER_CUBIC)
    frames = []
    for t in range(count):
        x, y = 240 + 3 * t + 60 * np.sin(t / 15), 200 + 30 * np.sin(t / 20)
        view = np.array([[1, 0, x], [0, 1, y]])
        frame = cv2.warpAffine(wide, view, (432, 240), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
        frames.append(np.clip(np.rint(frame + drawn.normal(0, 2, frame.shape)), 0, 255).astype(np.uint8))
    return Clip("steady-pan", frames, [])


def frame_row(clip: Clip, most_px: float, kept: float) -> dict[str, Any]:
    """Jumps put on a clip and taken off.

    Args:
        clip: whose frames are cut by `MARGIN_PX`.
        most_px: deviation of what is added to the shift in each frame; a tenth of it in degrees to the turn.
        kept: share of a frame's shift that the next one keeps: 0 is a worn gate, .7 a hand.
    """
    drawn, off = np.random.default_rng(5), np.zeros(3)
    inner = np.s_[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    truth = [np.ascontiguousarray(frame[inner]) for frame in clip.frames]
    size = truth[0].shape[1::-1]
    middle = (np.array(size) - 1) / 2
    moved = []
    for frame in clip.frames:
        off = kept * off + drawn.normal(0, most_px, 3) * [1, 1, 0.1]
        off = np.clip(off, -0.8 * MARGIN_PX, 0.8 * MARGIN_PX)
        turn = np.radians(off[2])
        turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        shift = middle + MARGIN_PX + off[:2] - turned @ middle
        how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        moved.append(cv2.warpAffine(frame, np.column_stack([turned, shift]), size, flags=how))
    none = np.zeros(truth[0].shape[:2], np.bool_)
    cpu = time.process_time()
    laid = list(stabilised((frame, none) for frame in moved))
    cpu = time.process_time() - cpu
    done = [one.pixels for one in propagate(laid)]
    return {
        "uneven_px": {
            name: round(_uneven(each), 3)
            for name, each in (("truth", truth), ("damaged", moved), ("steady", done))
        },
        "psnr_db": {
            name: round(_psnr(each, truth, 8), 2) for name, each in (("damaged", moved), ("steady", done))
        },
        "border": round(float(np.mean([hole.mean() for _, hole in laid])), 4),
        "cpu_ms_a_frame": round(1000 * cpu / len(laid)),
    }


def _uneven(frames: list[NDArray[np.uint8]]) -> float:
    """Root of the mean square of second differences of the camera's way, in px: what is seen as unsteady."""
    views = [view_of(frame) for frame in frames]
    middle = np.array([(frames[0].shape[1] - 1) / 2, (frames[0].shape[0] - 1) / 2, 1])
    motions = [camera_between(a, b) for a, b in pairwise(views)]
    steps = np.array([motion @ middle - middle[:2] for motion in motions if motion is not None])
    return float(np.sqrt(np.mean(np.square(np.diff(steps, axis=0)))))


def _psnr(frames: list[NDArray[np.uint8]], truth: list[NDArray[np.uint8]], rim_px: int) -> float:
    """Mean over frames, in dB, without a rim."""
    inner = np.s_[rim_px:-rim_px, rim_px:-rim_px]
    errors = [
        np.mean(np.square(a[inner].astype(float) - b[inner])) for a, b in zip(frames, truth, strict=True)
    ]
    return float(np.mean([10 * np.log10(255**2 / max(error, 1e-9)) for error in errors]))


ROWS: dict[str, Callable[[Clip], dict[str, Any]]] = {
    "frame": lambda clip: {"gate": frame_row(clip, 1.2, 0.0), "hand": frame_row(clip, 2.0, 0.7)},
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kinds", default=",".join(ROWS))
    parser.add_argument("--frames", type=int, help="only so many")
    options = parser.parse_args()
    clips = [steady_pan(options.frames or 60)]
    if (SHARED / "video" / "tennis").is_dir():
        clips.insert(0, stored_clip(SHARED / "video" / "tennis", options.frames))
    rows = {kind: {clip.name: ROWS[kind](clip) for clip in clips} for kind in options.kinds.split(",")}
    print_line("film", frames={clip.name: len(clip.frames) for clip in clips}, **rows)


if __name__ == "__main__":
    main()
