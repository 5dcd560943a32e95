"""Film: what the gate does to it, made on a clip, found or made steady.

python -m benchmarks.film                     # the stored clip, where ../shared is, and a made one
python -m benchmarks.film --kinds frame       # frames that jump, made steady

Frozen: the damage, its seeds and the metrics.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.line import SHARED, print_line
from benchmarks.video_clips import Clip, holes, stored_clip
from remend.video.camera import camera_between, view_of
from remend.video.film import with_damage
from remend.video.grain import with_grain
from remend.video.metrics import psnr_over_time
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


def draw_hairs(
    frame: NDArray[np.uint8], seed: int, t: int, count: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A frame with hairs in its gate, and where they are.

    They are 50 to 140 px long and 1.2 to 2.6 wide, curved, dark or bright, six of ten from the border; they
    tremble by .3 px and their free end swings by 1.2.
    """
    height, width = frame.shape[:2]
    out, where = frame, np.zeros((height, width), np.bool_)
    for k in range(count):
        drawn, trembling = np.random.default_rng([seed, k]), np.random.default_rng([seed, k, t])
        bends = 0.15 * np.cumsum(drawn.normal(0, 0.03, 60)) + drawn.normal(0, 0.015)
        x, y = drawn.uniform(60, width - 60), drawn.uniform(50, height - 50)
        turn = drawn.uniform(0, 2 * np.pi)
        if drawn.random() < 0.6:
            side = int(drawn.integers(4))
            x, y = ((x, 0), (width - 1, y), (x, height - 1), (0, y))[side]
            turn = np.pi / 2 * (side + 1) + drawn.normal(0, 0.5)
        turns = turn + np.cumsum(bends)
        steps = np.stack([np.cos(turns), np.sin(turns)], axis=1) * drawn.uniform(50, 140) / 60
        points = np.vstack([[x, y], np.array([x, y]) + np.cumsum(steps, axis=0)])
        swing = np.array([np.sin(0.7 * t + seed), np.cos(0.5 * t + seed)]) * 1.2
        points += swing * np.linspace(0, 1, 61)[:, None] ** 2 + trembling.normal(0, 0.3, 2)
        level = drawn.uniform(5, 50) if drawn.random() < 0.7 else drawn.uniform(190, 245)
        thick, dense = round(4 * drawn.uniform(1.2, 2.6)), drawn.uniform(0.5, 0.95)
        large = np.zeros((4 * height, 4 * width), np.uint8)
        cv2.polylines(large, [np.rint(32 * points).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 3)
        drawn_small = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
        share = np.asarray(cv2.GaussianBlur(drawn_small / 255, (0, 0), 0.5))
        where |= share > 0.3
        share = share[..., None] * np.float32(dense)
        out = np.clip(np.rint(out * (1 - share) + np.float32(level) * share), 0, 255).astype(np.uint8)
    return out, where


def hair_row(clip: Clip) -> dict[str, Any]:
    """Hairs drawn on a clip and found: in all frames, or in those between; nothing in the clip itself.

    F1 within 2 px: what is found must lie on a hair, hairs must be found.
    """
    none = np.zeros(clip.frames[0].shape[:2], np.bool_)
    cpu = time.process_time()
    clean = [hole for _, hole in with_damage(((frame, none) for frame in clip.frames), ["hair"])]
    cpu = time.process_time() - cpu
    disc, scores = np.ones((5, 5), np.uint8), []
    for seed in range(6):
        spared = 8 * (seed % 3)
        drawn = [
            draw_hairs(frame, seed, t, 1 + seed % 2)
            if spared <= t < len(clip.frames) - spared
            else (frame, none)
            for t, frame in enumerate(clip.frames)
        ]
        counts = np.zeros(4)
        found = with_damage(((frame, none) for frame, _ in drawn), ["hair"])
        for (_, hole), (_, right) in zip(found, drawn, strict=True):
            near = np.asarray(cv2.dilate(right.view(np.uint8), disc)).view(np.bool_)
            inner = np.asarray(cv2.erode(hole.view(np.uint8), disc, borderValue=1)).view(np.bool_)
            counts += [inner.sum(), (inner & near).sum(), right.sum(), (hole & right).sum()]
        precision, recall = counts[1] / max(1, counts[0]), counts[3] / counts[2]
        scores.append([precision, recall, 2 * precision * recall / max(1e-9, precision + recall)])
    precision, recall, f1 = np.round(np.mean(scores, axis=0), 2)
    return {
        "f1": f1,
        "precision": precision,
        "recall": recall,
        "worst_f1": round(float(np.min(scores, axis=0)[2]), 2),
        "clean_frames_marked": sum(bool(hole.any()) for hole in clean),
        "cpu_ms_a_frame": round(1000 * cpu / len(clean)),
    }


def grain_row(clip: Clip) -> dict[str, Any]:
    """Grain of 8 levels put on a clip, holes filled, without and with grain put back.

    The ratio is that of fine detail's deviation (above 1.5 px) in the holes over the truth's there.
    """
    drawn, frames = np.random.default_rng(9), []
    for frame in clip.frames[:24]:
        field = cv2.GaussianBlur(drawn.normal(0, 1, frame.shape[:2]).astype(np.float32), (0, 0), 0.7)
        level = np.rint(frame + 8 * (field / field.std())[..., None])
        frames.append(np.clip(level, 0, 255).astype(np.uint8))
    rows = {}
    for kind in ("one-frame-dust", "fixed-logo"):
        masks = holes(Clip(clip.name, frames, []), kind)
        done = [one.pixels for one in propagate(zip(frames, masks, strict=True))]
        pairs = enumerate(zip(done, masks, strict=True))
        made = [with_grain(frame, mask, amount=1.0, seed=t << 26) for t, (frame, mask) in pairs]
        psnr = {
            name: round(float(np.mean(psnr_over_time(each, frames, masks))), 2)
            for name, each in (("smooth", done), ("grained", made))
        }
        ratio = {
            name: round(_fine(each, masks) / _fine(frames, masks), 2)
            for name, each in (("smooth", done), ("grained", made))
        }
        rows[kind] = {"ratio": ratio, "psnr_db": psnr}
    return rows


def _fine(frames: Sequence[NDArray[np.uint8]], masks: list[NDArray[np.bool_]]) -> float:
    """Deviation of what is finer than 1.5 px, in the holes, of the mean frame."""
    found = []
    for frame, mask in zip(frames, masks, strict=True):
        level = frame.astype(np.float32).mean(axis=2)
        found.append(float((level - cv2.GaussianBlur(level, (0, 0), 1.5))[mask].std()))
    return float(np.mean(found))


ROWS: dict[str, Callable[[Clip], dict[str, Any]]] = {
    "hair": hair_row,
    "grain": grain_row,
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
