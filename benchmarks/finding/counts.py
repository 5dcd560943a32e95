"""Found pixels against true ones: precision, recall, F1 with some forgiveness for positions, overlap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from remend.picture import Bool, Region

WITHIN_PX = 2  # an outline is a matter of taste by so much


@dataclass(frozen=True, slots=True)
class Counts:
    """Pixels of one picture, or of several added up.

    Attributes:
        found: flagged, without those whose truth is undecided.
        right: of these, near a damaged one.
        truth: damaged.
        met: of these, near a flagged one.
    """

    found: int = 0
    right: int = 0
    truth: int = 0
    met: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.found + other.found, self.right + other.right, self.truth + other.truth, self.met + other.met
        )

    @property
    def precision(self) -> float:
        """Share of the flagged pixels that are damage; NaN where nothing is flagged."""
        return self.right / self.found if self.found else float("nan")

    @property
    def recall(self) -> float:
        """Share of the damage that is flagged; NaN where there is none."""
        return self.met / self.truth if self.truth else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 1 where nothing is to be found and nothing is."""
        if not self.found and not self.truth:
            return 1.0
        if not self.right or not self.met:
            return 0.0
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def count(found: Bool, truth: Bool, undecided: Bool | None = None, *, within_px: int = WITHIN_PX) -> Counts:
    """Compare a found mask with the truth.

    Args:
        found: (H, W), what was flagged.
        truth: (H, W), what is damaged.
        undecided: (H, W), pixels that may be flagged or not; None = none.
        within_px: flagged and damaged pixels this near to each other agree.
    """
    judged = found if undecided is None else found & ~undecided
    return Counts(
        found=int(judged.sum()),
        right=int((judged & widened(truth, within_px)).sum()),
        truth=int(truth.sum()),
        met=int((truth & widened(found, within_px)).sum()),
    )


def overlap(found: Bool, truth: Bool, undecided: Bool | None = None) -> float:
    """Intersection over union; 1 where both are empty."""
    judged = found if undecided is None else found & ~undecided
    union = int((judged | truth).sum())
    return int((judged & truth).sum()) / union if union else 1.0


def widened(mask: Bool, by_px: int) -> Bool:
    """Grown by a disc."""
    if not by_px:
        return mask
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by_px + 1, 2 * by_px + 1))
    return np.asarray(cv2.dilate(mask.view(np.uint8), disc) > 0)


def mask_of(regions: Iterable[Region], size: tuple[int, int]) -> Bool:
    """All regions in one mask."""
    mask = np.zeros(size, np.bool_)
    for region in regions:
        mask[region.box.slices] |= region.mask
    return mask


def mean(values: Iterable[float]) -> float:
    """Over those that are numbers; NaN where none is."""
    known = [value for value in values if value == value]
    return float(np.mean(known)) if known else float("nan")


def summary(rows: list[Counts]) -> dict[str, float]:
    """Means over pictures, and the same of all their pixels together."""
    together = sum(rows, Counts())
    return {
        "f1": round(mean(row.f1 for row in rows), 3),
        "precision": round(mean(row.precision for row in rows), 3),
        "recall": round(mean(row.recall for row in rows), 3),
        "pooled_f1": round(together.f1, 3),
        "pooled_precision": round(together.precision, 3),
        "pooled_recall": round(together.recall, 3),
    }
