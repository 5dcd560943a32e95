"""What an evaluation found: a score a picture and method, and their means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from remend.evaluation.pairs import Pair
from remend.evaluation.protocol import Protocol
from remend.metrics import METRICS
from remend.picture import Bool

__all__ = ["Evaluation", "Score", "Seen", "Summary", "common_pairs"]

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Score:
    """One method on one pair.

    Attributes:
        pair: its name.
        method: its label.
        hole_ratio: share of the picture that is hole.
        seconds: of the call; None for another tool's output.
        metrics: by name; empty when the method failed. NaN where a metric does not apply.
        outside_levels: largest difference that the method made outside the hole, in levels of 255,
            before composing; None when it failed.
        error: why it failed, one line.
        buckets: kinds of hole that it belongs to.
    """

    pair: str
    method: str
    hole_ratio: float
    seconds: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    outside_levels: int | None = None
    error: str | None = None
    buckets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """One method over all pairs.

    Attributes:
        method: its label.
        pictures: how many pairs the means are over: those that every method answered.
        failed: how many it failed on.
        seconds: median of a call; None for another tool's outputs.
        means: metrics by name, over pictures where the metric applies; NaN where there is none.
        outside_levels: the largest of all pairs; None when it answered none.
    """

    method: str
    pictures: int
    failed: int
    seconds: float | None
    means: Mapping[str, float]
    outside_levels: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """The pictures of one pair, handed to an observer and not kept.

    Attributes:
        pair: the pair.
        truth: (H, W, 3) uint8.
        hole: (H, W) bool.
        outputs: composed pictures by method; those that failed are missing.
        scores: of this pair.
    """

    pair: Pair
    truth: Image
    hole: Bool
    outputs: Mapping[str, Image]
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured.

    Attributes:
        protocol: what it was measured on.
        methods: labels, in the order asked for.
        scores: by pair, then by method.
        skipped: pairs that could not be read, name to reason; they are not in the protocol.
        unpaired: files of the folder that belong to no pair, a line each.
        quality, seed: what the methods were called with.
        metrics: names of what was measured of each picture.
        sets: figures of whole sets (FID and its kin) by method and name, over the pairs that every
            method answered.
    """

    protocol: Protocol
    methods: tuple[str, ...]
    scores: tuple[Score, ...]
    skipped: Mapping[str, str]
    unpaired: tuple[str, ...]
    quality: str
    seed: int
    metrics: tuple[str, ...] = METRICS
    sets: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def failures(self) -> tuple[Score, ...]:
        """Scores that are errors."""
        return tuple(score for score in self.scores if score.error is not None)

    @property
    def summaries(self) -> tuple[Summary, ...]:
        """A line a method, over the pairs that every method answered, so that none gains by failing.

        A method that answered no pair at all does not count among "every".
        """
        common = self.common
        return tuple(_summary(method, self.scores, common, self.metrics) for method in self.methods)

    @property
    def common(self) -> tuple[str, ...]:
        """Names of the pairs that every method answered which answered any, in order."""
        return common_pairs(self.scores)


def common_pairs(scores: Sequence[Score]) -> tuple[str, ...]:
    """Names of the pairs that every method answered; one that answered none at all does not count."""
    alive = {score.method for score in scores if score.error is None}
    failed = {score.pair for score in scores if score.error is not None and score.method in alive}
    return tuple(dict.fromkeys(score.pair for score in scores if score.pair not in failed)) if alive else ()


def _summary(method: str, scores: Sequence[Score], pairs: Sequence[str], metrics: Sequence[str]) -> Summary:
    own = [score for score in scores if score.method == method]
    kept = set(pairs)
    common = [score for score in own if score.pair in kept and score.error is None]
    seconds = [score.seconds for score in common if score.seconds is not None]
    means = {}
    for name in metrics:
        values = [score.metrics[name] for score in common if not np.isnan(score.metrics[name])]
        means[name] = fmean(values) if values else float("nan")
    outside = [score.outside_levels for score in own if score.outside_levels is not None]
    return Summary(
        method,
        len(common),
        sum(score.error is not None for score in own),
        median(seconds) if seconds else None,
        means,
        max(outside) if outside else None,
    )
