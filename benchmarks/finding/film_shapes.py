"""Outlines of real marks over clean photographs: F1, precision and recall within 2 px."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.finding.bars import Bar, Measured
from benchmarks.finding.counts import WITHIN_PX, Counts, count, summary, widened
from benchmarks.finding.finder import effective, found_in
from benchmarks.finding.outlines import laid_pictures, protocol_of
from remend.picture import Bool

WIDTHS = {"below 4 px": (0.0, 4.0), "4 to 10 px": (4.0, 10.0), "10 px and more": (10.0, np.inf)}


def measure(every: int) -> Measured:
    """Search every n-th picture."""
    rows, masks, repaired = [], [], []
    widths = {name: Counts() for name in WIDTHS}
    marks = 0
    for photo, laid in laid_pictures(every):
        found = found_in(laid.pixels)
        rows.append(count(found, laid.truth, laid.undecided))
        repaired.append(count(effective(laid.pixels), laid.truth, laid.undecided))
        masks.append(laid.truth)
        marks += laid.marks
        for name, part in by_width(laid.truth).items():
            widths[name] += Counts(truth=int(part.sum()), met=int((part & widened(found, WITHIN_PX)).sum()))
        del photo
    figures = {
        "pictures": len(rows),
        "marks": marks,
        **protocol_of(masks, every),
        "damaged_share": round(float(np.mean([mask.mean() for mask in masks])), 4),
        **summary(rows),
        "recall_by_width": {name: round(counts.recall, 3) for name, counts in widths.items()},
        "as_repaired": summary(repaired),
    }
    return Measured(figures, [Bar("film shapes: F1 within 2 px", figures["f1"], 0.55, 0.7)])


def by_width(truth: Bool) -> dict[str, Bool]:
    """The truth taken apart: connected marks by the widest disc that fits in."""
    depth = cv2.distanceTransform(truth.view(np.uint8), cv2.DIST_L2, 5)
    number, labels = cv2.connectedComponents(truth.view(np.uint8))
    widest = np.zeros(number, np.float32)
    np.maximum.at(widest, labels.ravel(), depth.ravel())
    of_pixel = (2 * widest - 1)[labels]
    return {name: truth & (of_pixel >= low) & (of_pixel < high) for name, (low, high) in WIDTHS.items()}
