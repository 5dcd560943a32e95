"""Votes counted: which method people prefer, how the methods rank, how they are rated, and how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.errors import EvaluationError
from remend.evaluation.bootstrap import FEWEST
from remend.evaluation.crossed import Array, crossed
from remend.evaluation.votes import Ask, Ballot, attentive, token

__all__ = ["Count", "Estimate", "Preference", "count", "strengths"]

_STEPS = 25


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval, NaN where too few pictures allow none."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, float | None]:
        """Plain data."""
        ends = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if np.isnan(end) else round(float(end), 6) for name, end in ends.items()}


@dataclass(frozen=True, slots=True)
class Preference:
    """How people chose between two methods, or rated them.

    Attributes:
        first, second: labels.
        for_first, for_second, same: answers; of ratings how many pictures one person rated higher.
        gap: how often the second was chosen, "same" counted half to each; or its mean rating less the
            first's.
        clear: whether the interval leaves out that there is no difference.
    """

    first: str
    second: str
    for_first: int
    for_second: int
    same: int
    gap: Estimate
    clear: bool


@dataclass(frozen=True, slots=True)
class Count:
    """What a study says.

    Attributes:
        ask: what was asked.
        pictures, voters, votes: how many count.
        left_out: voters who failed catch trials, with how many of how many.
        preferences: of every two methods that met, in the order of the methods.
        strengths: of three and more methods, Bradley–Terry's, in log-odds around their mean; of ratings the
            mean rating of each.
    """

    ask: Ask
    pictures: int
    voters: int
    votes: int
    left_out: dict[str, tuple[int, int]]
    preferences: tuple[Preference, ...]
    strengths: dict[str, Estimate]

    @property
    def people(self) -> bool:
        """Whether intervals hold for people at large, not for these voters alone."""
        return self.voters >= FEWEST

    def lines(self) -> list[str]:
        """For people."""
        whom = "" if self.people else "; intervals hold for these voters alone, six and more speak for people"
        found = [
            f"{_many(self.votes, 'vote')} of {_many(self.voters, 'voter')} on "
            f"{_many(self.pictures, 'picture')}{whom}"
        ]
        found += [
            f"left out: voter {voter}, who failed {failed} of {_many(all_, 'catch trial')}"
            for voter, (failed, all_) in self.left_out.items()
        ]
        ranked = sorted(self.strengths.items(), key=lambda item: -item[1].value)
        what, sign = ("mean rating of", "") if self.ask == "rate" else ("strength of", "+")
        for method, strength in ranked:
            found.append(f"{what} {method}: {strength.value:{sign}.2f}{_interval(strength, f'{sign}.2f')}")
        return found + [self._line(preference) for preference in self.preferences]

    def _line(self, one: Preference) -> str:
        if np.isnan(one.gap.low):
            verdict = "too few pictures"
        elif not one.clear:
            verdict = "no clear preference"
        else:
            verdict = "clear" if self.people else f"clear to {_many(self.voters, 'voter')}"
        if self.ask == "rate":
            gap = f"{one.gap.value:+.2f}{_interval(one.gap, '+.2f')}"
            return f"{one.second} against {one.first}: {gap}: {verdict}"
        all_ = one.for_first + one.for_second + one.same
        return (
            f"{one.second} over {one.first}: {one.for_second} to {one.for_first}, {one.same} the same, of "
            f"{all_}: {one.gap.value:.0%}{_interval(one.gap, '.0%')}: {verdict}"
        )

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "ask": self.ask,
            "pictures": self.pictures,
            "voters": self.voters,
            "votes": self.votes,
            "left_out": {voter: list(failed) for voter, failed in self.left_out.items()},
            "for_people": self.people,
            "preferences": [
                {
                    "first": one.first,
                    "second": one.second,
                    "for_first": one.for_first,
                    "for_second": one.for_second,
                    "same": one.same,
                    "difference" if self.ask == "rate" else "share_of_second": one.gap.as_json(),
                    "clear": one.clear,
                }
                for one in self.preferences
            ],
            "ratings" if self.ask == "rate" else "strengths": {
                method: strength.as_json() for method, strength in self.strengths.items()
            },
        }


def count(ballots: Sequence[Ballot], methods: Sequence[str], *, protocol: str, ask: Ask = "choose") -> Count:
    """Count what people answered.

    Args:
        ballots: as `read_ballots` gives them, catch trials among them.
        methods: labels; shares and differences are of the later one over the earlier.
        protocol: SHA-256 of what the pictures are of.
        ask: what was asked.

    Raises:
        EvaluationError: a vote on a method that is not among ``methods``, or nothing to count.
    """
    kept, left_out = attentive(ballots, protocol=protocol)
    number = {token(method, protocol): index for index, method in enumerate(methods)}
    rows = [
        (vote.pair, ballot.voter, vote.left, vote.right, vote.choice)
        for ballot in kept
        for vote in ballot.votes
    ]
    if not rows:
        out = f": all {len(left_out)} voters failed the catch trials" if left_out else ""
        raise EvaluationError(f"there is no vote to count{out}")
    if any(name and name not in number for row in rows for name in row[2:4]):
        raise EvaluationError("the votes are on a method that is not here: give its report or study too")
    pictures, voters = (np.unique([row[at] for row in rows], return_inverse=True)[1] for at in (0, 1))
    size = len(methods)
    if ask == "rate":
        preferences, found = _ratings(rows, number, methods, pictures, voters)
    else:
        answers = np.zeros((len(rows), size, size))
        for answer, (_, _, left, right, choice) in zip(answers, rows, strict=True):
            a, b = number[left], number[right]
            answer[a, b] = {"left": 1.0, "right": 0.0, "same": 0.5}[choice]
            answer[b, a] = 1 - answer[a, b]
        preferences = _choices(answers, methods, pictures, voters)
        found = _ranked(answers, methods, pictures, voters) if size > 2 else {}
    kinds = (int(pictures.max()) + 1, int(voters.max()) + 1, len(rows))
    return Count(ask, *kinds, left_out, preferences, found)


def strengths(wins: Array) -> Array:
    """Bradley–Terry's strengths: log-odds of winning are differences of them.

    Half a win to each of two that met is added, so that who won or lost always stays finite.

    Args:
        wins: (…, K, K) how often the row won over the column, a tie half to each.

    Returns:
        (…, K), of mean 0.

    Cost: 25 solutions of K equations each.

    Reference: Bradley, Terry, "Rank Analysis of Incomplete Block Designs", Biometrika 1952.

    >>> strengths(np.array([[0, 29.5], [9.5, 0]])).round(3)
    array([ 0.549, -0.549])
    """
    size = wins.shape[-1]
    met = (wins + np.swapaxes(wins, -1, -2)).reshape(-1, size, size).max(axis=0) > 0
    won = wins + 0.5 * met
    games = won + np.swapaxes(won, -1, -2)
    found = np.zeros(wins.shape[:-1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(found[..., None, :] - found[..., :, None]))
        slope = (won - games * chance).sum(axis=-1)
        weight = games * chance * (1 - chance)
        # The strengths' mean is free: what is added holds it at 0.
        bend = np.eye(size) * weight.sum(axis=-1)[..., None] - weight + 1 / size
        step = np.linalg.solve(bend, slope[..., None])[..., 0]
        found = found + np.clip(step, -2, 2)
    return np.asarray(found - found.mean(axis=-1, keepdims=True))


def _choices(
    answers: Array, methods: Sequence[str], pictures: NDArray[np.intp], voters: NDArray[np.intp]
) -> tuple[Preference, ...]:
    found = []
    for a, b in combinations(range(len(methods)), 2):
        met = answers[:, a, b] + answers[:, b, a] > 0
        if not met.any():
            continue
        votes = answers[met][:, [a, b], [b, a]]
        share = float(votes[:, 1].mean())
        # On log-odds, where an interval cannot leave 0 to 1.
        (odds,) = _estimates(votes, pictures[met], voters[met], _odds, np.eye(2))
        low, high = (1 / (1 + np.exp(-end)) for end in (odds.low, odds.high))
        gap = Estimate(share, float(np.minimum(low, share)), float(np.maximum(high, share)))
        lost, won, same = (int(np.sum(votes[:, 1] == value)) for value in (0.0, 1.0, 0.5))
        clear = bool(odds.low > 0 or odds.high < 0)
        found.append(Preference(methods[a], methods[b], lost, won, same, gap, clear))
    return tuple(found)


def _odds(sums: Array) -> Array:
    return np.asarray(np.log((sums[:, 1:] + 0.5) / (sums[:, :1] + 0.5)))


def _ranked(
    answers: Array, methods: Sequence[str], pictures: NDArray[np.intp], voters: NDArray[np.intp]
) -> dict[str, Estimate]:
    """Strengths of the methods that votes link; none where they fall into groups that never met."""
    wins = answers.sum(axis=0)
    linked = np.linalg.matrix_power(np.eye(len(methods)) + wins + wins.T, len(methods)) > 0
    if not linked.all():
        return {}
    size = len(methods)

    def figures(sums: Array) -> Array:
        return strengths(sums.reshape(-1, size, size))

    flat = answers.reshape(len(answers), -1)
    possible = np.eye(size * size)[(wins + wins.T).ravel() > 0]
    return dict(zip(methods, _estimates(flat, pictures, voters, figures, possible), strict=True))


def _ratings(
    rows: Sequence[tuple[str, ...]],
    number: dict[str, int],
    methods: Sequence[str],
    pictures: NDArray[np.intp],
    voters: NDArray[np.intp],
) -> tuple[tuple[Preference, ...], dict[str, Estimate]]:
    """Mean ratings, and the differences of every two methods."""
    size = len(methods)
    which = np.array([number[row[2]] for row in rows])
    rated = np.array([float(row[4]) for row in rows])
    one_hot = np.eye(size)[which]
    answers = np.concatenate([one_hot * rated[:, None], one_hot], axis=1)
    there = [index for index in range(size) if one_hot[:, index].any()]
    couples = list(combinations(there, 2))

    def figures(sums: Array) -> Array:
        with np.errstate(invalid="ignore"):  # a draw without any rating of a method
            means = sums[:, :size] / sums[:, size:]
        means = np.where(np.isfinite(means), means, np.nanmean(means, axis=0))
        gaps = [means[:, b] - means[:, a] for a, b in couples]
        return np.stack([*(means[:, index] for index in there), *gaps], axis=1)

    found = _estimates(answers, pictures, voters, figures)
    means = {
        methods[index]: Estimate(e.value, max(1.0, e.low), min(5.0, e.high))
        for index, e in zip(there, found, strict=False)
    }
    by_row: dict[tuple[int, int], dict[int, float]] = {}
    for picture, voter, method, rating in zip(pictures, voters, which, rated, strict=True):
        by_row.setdefault((int(picture), int(voter)), {})[int(method)] = float(rating)
    preferences = []
    for (a, b), gap in zip(couples, found[len(there) :], strict=True):
        steps = [own[b] - own[a] for own in by_row.values() if a in own and b in own]
        counts = (sum(s < 0 for s in steps), sum(s > 0 for s in steps), sum(s == 0 for s in steps))
        preferences.append(Preference(methods[a], methods[b], *counts, gap, gap.low > 0 or gap.high < 0))
    return tuple(preferences), means


def _estimates(
    answers: Array,
    pictures: NDArray[np.intp],
    voters: NDArray[np.intp],
    figures: Callable[[Array], Array],
    possible: Array | None = None,
) -> list[Estimate]:
    values = figures(answers.sum(axis=0)[None])[0]
    by_picture, by_voter = (np.unique(groups, return_inverse=True)[1] for groups in (pictures, voters))
    spread = crossed(answers, by_picture, by_voter, figures, possible=possible)
    reach = np.full(len(values), np.nan) if spread is None else spread.width * spread.error
    return [Estimate(float(v), float(v - r), float(v + r)) for v, r in zip(values, reach, strict=True)]


def _interval(one: Estimate, style: str) -> str:
    return "" if np.isnan(one.low) else f" (95 % interval {one.low:{style}} … {one.high:{style}})"


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
