"""How sure a figure is that many people gave on many pictures: both are drawn from more than were asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remend.evaluation.bootstrap import DRAWS, FEWEST, SEED

__all__ = ["Spread", "crossed", "deviate"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard errors of figures, and how many of them an interval of 95 % takes.

    Attributes:
        error: (C,) standard errors.
        width: (C,) an interval reaches this many errors to each side.
        pictures, voters: how many there were.
        people: whether voters were drawn too, so that it holds for people at large; with fewer than six
            voters it holds for these alone.
    """

    error: Array
    width: Array
    pictures: int
    voters: int
    people: bool


def crossed(
    answers: Array,
    pictures: NDArray[np.intp],
    voters: NDArray[np.intp],
    figures: Callable[[Array], Array],
    *,
    possible: Array | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Spread | None:
    """Bootstrap over pictures and over voters, which cross: everybody may have judged every picture.

    Answers to one picture resemble each other, and so do one person's: counted as independent they say
    "clear" in a quarter of the studies in which nothing differs. Pictures are drawn with all their answers,
    then voters with all of theirs; the two variances are added, and that of one person's answers to one
    picture, which is in both, is taken off once. No interval is narrower than by one of the three alone.

    Args:
        answers: (N, M), an answer a row, whose columns can be added up.
        pictures, voters: (N,) whose answer it is, counted from 0.
        figures: (D, M) sums to (D, C) figures.
        possible: (K, M), answers that there could have been; half of each is counted with what one person
            says of one picture, because where all agree, a next one might not.
        draws: of each of the three.
        seed: the same seed draws the same.

    Returns:
        None with fewer than six pictures: there is no interval then.

    Cost: ``figures`` of three times ``draws`` rows.

    Reference: Cameron, Gelbach, Miller, "Robust Inference with Multiway Clustering", Journal of Business &
    Economic Statistics 2011; Satterthwaite, "An Approximate Distribution of Estimates of Variance
    Components", Biometrics Bulletin 1946.
    """
    rng = np.random.default_rng(seed)
    by_picture, by_voter = _sums(answers, pictures), _sums(answers, voters)
    if len(by_picture) < FEWEST:
        return None
    people = len(by_voter) >= FEWEST
    own = _sums(answers, np.unique(pictures * len(by_voter) + voters, return_inverse=True)[1])
    kinds, counts = np.unique(own, axis=0, return_counts=True)
    weights = counts.astype(np.float64)
    if possible is not None:
        kinds = np.concatenate([kinds, possible])
        weights = np.concatenate([weights, np.full(len(possible), 0.5)])
    single = figures(rng.multinomial(len(own), weights / weights.sum(), draws) @ kinds).var(axis=0)
    parts = [by_picture, by_voter] if people else [by_picture]
    variances = []
    for sums in parts:
        times = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), draws)
        variances.append(figures(times @ sums).var(axis=0, ddof=1) * len(sums) / (len(sums) - 1))
    both = np.sum(variances, axis=0)
    # Satterthwaite's lies between the least and the sum of the parts'; of 0 / 0 the least is taken.
    freedom = both**2 / np.maximum(
        sum(v**2 / (len(sums) - 1) for v, sums in zip(variances, parts, strict=True)), 1e-300
    )
    freedom = np.maximum(freedom, min(len(sums) for sums in parts) - 1)
    total = both - single if people else both
    error = np.sqrt(np.max([total, *variances, single], axis=0))
    return Spread(error, deviate(freedom), len(by_picture), len(by_voter), people)


def deviate(freedom: Array) -> Array:
    """Student's two-sided 95 % deviate, within .01 from four degrees of freedom on.

    Reference: Cornish, Fisher, "Moments and Cumulants in the Specification of Distributions", 1938.

    >>> deviate(np.array([5.0, 20.0])).round(2)
    array([2.57, 2.09])
    """
    z = 1.959964
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _sums(answers: Array, groups: NDArray[np.intp]) -> Array:
    """(G, M): answers added up by group."""
    found = np.zeros((int(groups.max()) + 1, answers.shape[1]))
    np.add.at(found, groups, answers)
    return found
