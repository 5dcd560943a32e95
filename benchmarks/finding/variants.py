"""The same marks in larger, compressed, grey, sepia and noisy pictures: recall against the picture itself.

Enlarged pictures are judged twice: within 2 px of the picture as it was, and within 2 px of the enlarged
one, which is stricter.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.bars import Bar, Measured
from benchmarks.finding.counts import Counts, count, mean
from benchmarks.finding.finder import found_in
from benchmarks.finding.outlines import SEED, Laid, laid_pictures
from remend.picture import Bool

Picture8 = NDArray[np.uint8]
FACTORS = {2: 1, 4: 1, 8: 3}  # enlargement: every n-th picture, for the sake of time
NOISE = 8.0
SEPIA = np.array([1.0, 0.86, 0.68], np.float32)  # a grey print's paper, R G B


def enlarged(picture: Picture8, factor: int) -> Picture8:
    """As a finer scan of the same print."""
    size = (picture.shape[1] * factor, picture.shape[0] * factor)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def reduced(mask: Bool, factor: int) -> Bool:
    """A mask of an enlarged picture, brought back: at least half of a pixel."""
    size = (mask.shape[1] // factor, mask.shape[0] // factor)
    share = cv2.resize(mask.view(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA)
    return np.asarray(share >= 128)


def jpeg(picture: Picture8) -> Picture8:
    """Quality 75, as saved by most programs."""
    data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]).astype(np.uint8)


def grey(picture: Picture8) -> Picture8:
    """No colours."""
    return np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.uint8)


def sepia(picture: Picture8) -> Picture8:
    """A print of one brown."""
    return np.rint(grey(picture) * SEPIA).astype(np.uint8)


def noisy(picture: Picture8) -> Picture8:
    """Sensor noise in every channel."""
    noise = np.random.default_rng(SEED).normal(0, NOISE, picture.shape)
    return np.rint(np.clip(picture + noise, 0, 255)).astype(np.uint8)


CHANGES: dict[str, Callable[[Picture8], Picture8]] = {
    "JPEG 75": jpeg,
    "grey": grey,
    "sepia": sepia,
    "noise σ 8": noisy,
}


def measure(every: int) -> Measured:
    """Search every n-th picture in every variant."""
    plain: dict[str, list[Counts]] = {}
    varied: dict[str, list[Counts]] = {}
    for number, (_, laid) in enumerate(laid_pictures(every)):
        as_is = count(found_in(laid.pixels), laid.truth, laid.undecided)
        rows = {
            name: count(found_in(change(laid.pixels)), laid.truth, laid.undecided)
            for name, change in CHANGES.items()
        }
        for factor, step in FACTORS.items():
            if number % step == 0:
                rows |= _enlarged_rows(laid, factor)
        for name, row in rows.items():
            plain.setdefault(name, []).append(as_is)
            varied.setdefault(name, []).append(row)
    figures = {}
    for name, rows_of in varied.items():
        recall, before = mean(row.recall for row in rows_of), mean(row.recall for row in plain[name])
        figures[name] = {
            "pictures": len(rows_of),
            "recall": round(recall, 3),
            "against_as_is": round(recall / before, 3) if before else float("nan"),
            "precision": round(mean(row.precision for row in rows_of), 3),
            "f1": round(mean(row.f1 for row in rows_of), 3),
            "f1_as_is": round(mean(row.f1 for row in plain[name]), 3),
        }
    bars = [
        Bar(f"recall, {name}, against the picture itself", row["against_as_is"], *_limits(name))
        for name, row in figures.items()
    ]
    return Measured(figures, bars)


def _limits(name: str) -> tuple[float, float]:
    """Must and aim."""
    return (0.85, 0.95) if name.startswith(("×", "JPEG")) else (0.9, 0.95)


def _enlarged_rows(laid: Laid, factor: int) -> dict[str, Counts]:
    """Of one picture at one enlargement, both ways of judging."""
    found = found_in(enlarged(laid.pixels, factor))
    truth, undecided = (
        np.repeat(np.repeat(mask, factor, axis=0), factor, axis=1) for mask in (laid.truth, laid.undecided)
    )
    return {
        f"×{factor}": count(reduced(found, factor), laid.truth, laid.undecided),
        f"×{factor} within 2 px there": count(found, truth, undecided),
    }
