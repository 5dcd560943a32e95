"""Video: holes made on a clip, filled by propagation and, frame by frame, by `auto`.

python -m benchmarks.video                    # the stored clip, where ../shared is
python -m benchmarks.video --made coffee      # our own, for development
python -m benchmarks.video --frames 24 --kinds one-frame-dust
python -m benchmarks.video --live             # `remend live` alone, which sees no later frame
python -m benchmarks.video --track            # the first mask followed, against those drawn for each frame

Frozen: the holes, their seeds and the metrics (`remend.video.metrics`). PSNR is the mean over frames, in the
holes; the seconds of both methods are processor time of this process, from one run.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.line import SHARED, print_line
from benchmarks.video_clips import HOLES, Clip, holes, made_clip, stored_clip
from remend.picture import Picture
from remend.pipeline import repair_picture
from remend.video.live import Live
from remend.video.metrics import measure, psnr_over_time
from remend.video.propagate import propagate
from remend.video.track import follow_mask

BARS = {"fixed-logo": 5.0, "one-frame-dust": 3.0, "moving-masks": 2.5, "fixed-strokes": 0.5}


def _damaged(clip: Clip, kind: str) -> tuple[list[Any], list[Any]]:
    """Made holes, and the frames with them in grey."""
    masks, grey = holes(clip, kind), np.uint8(200)
    return masks, [np.where(m[..., None], grey, f) for f, m in zip(clip.frames, masks, strict=True)]


def _alone(damaged: list[Any], masks: list[Any]) -> list[Any]:
    """`auto`, frame by frame."""
    return [
        repair_picture(Picture(f.copy(), "RGB"), m).picture.samples
        for f, m in zip(damaged, masks, strict=True)
    ]


def live_row(clip: Clip, masks: list[Any], damaged: list[Any], auto_db: float) -> dict[str, Any]:
    """What `remend live` makes of it; its seconds without the first frame, which loads the net."""
    live, frames, spent, seen = Live(), [], [], 0
    for frame, mask in zip(damaged, masks, strict=True):
        cpu = time.process_time()
        shown = live.mend(frame, mask)
        spent.append(time.process_time() - cpu)
        frames.append(shown.pixels)
        seen += shown.seen
    ours = float(np.mean(psnr_over_time(frames, clip.frames, masks)))
    steady, right = measure(frames, clip.frames, masks), measure(clip.frames, clip.frames, masks)
    return {
        "psnr_db": round(ours, 2),
        "gain_db": round(ours - auto_db, 2),
        "warping_ratio": round(steady.warping_error / right.warping_error, 2),
        "flicker": round(steady.flicker, 4),
        "cpu_ms_a_frame": round(1000 * float(np.mean(spent[1:])), 1),
        "seen": round(seen / sum(int(m.sum()) for m in masks), 3),
    }


def live_alone(clip: Clip, kind: str) -> dict[str, Any]:
    """That, and `auto` frame by frame."""
    masks, damaged = _damaged(clip, kind)
    theirs = float(np.mean(psnr_over_time(_alone(damaged, masks), clip.frames, masks)))
    return {"auto_db": round(theirs, 2)} | live_row(clip, masks, damaged, theirs)


def row(clip: Clip, kind: str) -> dict[str, Any]:
    """One kind of holes on one clip."""
    masks, damaged = _damaged(clip, kind)
    wall, cpu = time.perf_counter(), time.process_time()
    done = list(propagate(zip(damaged, masks, strict=True)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    frames = [one.pixels for one in done]
    cpu_alone = time.process_time()
    alone = _alone(damaged, masks)
    cpu_alone = time.process_time() - cpu_alone
    ours, theirs = psnr_over_time(frames, clip.frames, masks), psnr_over_time(alone, clip.frames, masks)
    steady = {
        name: measure(one, clip.frames, masks)
        for name, one in (("ours", frames), ("auto", alone), ("truth", clip.frames))
    }
    marked = sum(int(m.sum()) for m in masks)
    return {
        "auto_db": round(float(np.mean(theirs)), 2),
        "psnr_db": round(float(np.mean(ours)), 2),
        "gain_db": round(float(np.mean(ours) - np.mean(theirs)), 2),
        "bar_db": BARS[kind],
        "warping_error": {name: round(one.warping_error, 4) for name, one in steady.items()},
        "warping_ratio": round(steady["ours"].warping_error / steady["truth"].warping_error, 2),
        "flicker": {name: round(one.flicker, 4) for name, one in steady.items() if name != "truth"},
        "frames_per_s": round(len(frames) / wall, 1),
        "cpu_ms_a_frame": round(1000 * cpu / len(frames)),
        "cpu_ms_a_frame_auto": round(1000 * cpu_alone / len(frames)),
        "shown": round(sum(one.shown for one in done) / marked, 3),
        "live": live_row(clip, masks, damaged, float(np.mean(theirs))),
        "untouched_outside": all(
            bool((a[~m] == b[~m]).all()) for a, b, m in zip(frames, damaged, masks, strict=True)
        ),
    }


def tracked(clip: Clip) -> dict[str, Any]:
    """The first frame's mask followed: overlap (intersection over union) with the clip's own, mean of frames.

    Once more where a column of the mask is at least 45 px high, and 15 px around: without shadows.
    """
    cpu = time.process_time()
    found = [mask for mask, _ in follow_mask(iter(clip.frames), 0, lambda pixels: clip.masks[0])]
    cpu = time.process_time() - cpu
    whole, tall, covered = [], [], []
    for mask, right in zip(found[1:], clip.masks[1:], strict=True):
        rows = np.arange(len(right))[:, None]
        height = np.where(right, rows, -1).max(axis=0) - np.where(right, rows, len(right)).min(axis=0)
        columns = np.flatnonzero(height > 45)
        part = np.s_[:, max(0, columns.min() - 15) : columns.max() + 15]
        whole.append((mask & right).sum() / (mask | right).sum())
        tall.append((mask[part] & right[part]).sum() / (mask[part] | right[part]).sum())
        covered.append((mask[part] & right[part]).sum() / right[part].sum())
    named = {"overlap": whole, "overlap_tall": tall, "recall_tall": covered}
    figures = {name: round(float(np.mean(values)), 3) for name, values in named.items()}
    return figures | {"cpu_ms_a_frame": round(1000 * cpu / len(whole))}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clip", type=Path, default=SHARED / "video" / "tennis", help="frames/ and masks/")
    parser.add_argument("--made", metavar="PICTURE", help="of scikit-image: coffee, rocket, astronaut")
    parser.add_argument("--frames", type=int, help="only so many")
    parser.add_argument("--kinds", default=",".join(HOLES))
    parser.add_argument("--live", action="store_true", help="measure `remend live`")
    parser.add_argument("--track", action="store_true", help="follow the first mask instead")
    options = parser.parse_args()
    if options.made:
        clip = made_clip(options.frames or 48, options.made)
    elif options.clip.is_dir():
        clip = stored_clip(options.clip, options.frames)
    else:
        clip = made_clip(options.frames or 48)
    if options.track:
        print_line("video-track", clip=clip.name, frames=len(clip.frames), **tracked(clip))
        return
    if options.live:
        rows = {kind: live_alone(clip, kind) for kind in options.kinds.split(",")}
        print_line("video-live", clip=clip.name, frames=len(clip.frames), kinds=rows)
        return
    rows = {kind: row(clip, kind) for kind in options.kinds.split(",")}
    print_line("video", clip=clip.name, frames=len(clip.frames), kinds=rows)


if __name__ == "__main__":
    main()
