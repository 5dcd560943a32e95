"""Video: holes made on a clip, filled by propagation and, frame by frame, by `auto`.

python -m benchmarks.video                    # the stored clip, where ../shared is
python -m benchmarks.video --made coffee      # our own, for development
python -m benchmarks.video --frames 24 --kinds one-frame-dust
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
from remend.video.metrics import measure, psnr_over_time
from remend.video.propagate import propagate
from remend.video.track import follow_mask

BARS = {"fixed-logo": 5.0, "one-frame-dust": 3.0, "moving-masks": 2.5, "fixed-strokes": 0.5}


def row(clip: Clip, kind: str) -> dict[str, Any]:
    """One kind of holes on one clip."""
    masks = holes(clip, kind)
    grey = np.uint8(200)
    damaged = [np.where(m[..., None], grey, f) for f, m in zip(clip.frames, masks, strict=True)]
    wall, cpu = time.perf_counter(), time.process_time()
    done = list(propagate(zip(damaged, masks, strict=True)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    frames = [one.pixels for one in done]
    cpu_alone = time.process_time()
    alone = [
        repair_picture(Picture(f.copy(), "RGB"), m).picture.samples
        for f, m in zip(damaged, masks, strict=True)
    ]
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
    rows = {kind: row(clip, kind) for kind in options.kinds.split(",")}
    print_line("video", clip=clip.name, frames=len(clip.frames), kinds=rows)


if __name__ == "__main__":
    main()
