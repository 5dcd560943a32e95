"""What people prefer: a page that shows two methods' pictures blind, and the count of its votes."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import EvaluationError
from remend.evaluation.scores import Seen

__all__ = ["Preference", "Sheet", "Vote", "read_votes", "tally", "wilson"]

_KIND = "remend votes"


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer.

    Attributes:
        left, right: tokens of the methods, as ``Sheet`` makes them.
        choice: "left", "right", or "same".
    """

    left: str
    right: str
    choice: str


@dataclass(frozen=True, slots=True)
class Preference:
    """How people chose between two methods.

    Attributes:
        first, second: labels.
        for_first, for_second, same: votes.
    """

    first: str
    second: str
    for_first: int
    for_second: int
    same: int

    def line(self) -> str:
        """For people: the share, its interval, and whether that is clear."""
        clear = self.for_first + self.for_second
        if not clear:
            return f"votes: {self.first} or {self.second}: {self.same} times the same, no preference"
        low, high = wilson(self.for_second, clear)
        verdict = "no clear preference" if low <= 0.5 <= high else "clear"
        return (
            f"votes: {self.second} over {self.first}: {self.for_second} of {clear} "
            f"({100 * self.for_second / clear:.0f} %, 95 % interval {100 * low:.0f}–{100 * high:.0f} %), "
            f"{self.same} the same: {verdict}"
        )

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        clear = self.for_first + self.for_second
        return {
            "first": self.first,
            "second": self.second,
            "for_first": self.for_first,
            "for_second": self.for_second,
            "same": self.same,
            "share_of_second": self.for_second / clear if clear else None,
            "interval": list(wilson(self.for_second, clear)) if clear else None,
        }


class Sheet:
    """Collects pictures for the page: ``observer=sheet.see``.

    On the page methods are tokens, sides and order are drawn from ``seed``, and the truth is not shown:
    the question is which picture looks right, not which is nearer.

    Args:
        seed: of order and sides.
        side_px: the longer side of a picture; larger ones are scaled down.
    """

    def __init__(self, *, seed: int = 0, side_px: int = 640) -> None:
        self._rng = np.random.default_rng(seed)
        self._side_px = side_px
        self._trials: list[dict[str, Any]] = []

    def see(self, seen: Seen) -> None:
        """Keep every two outputs of a pair."""
        uris = {method: self._uri(picture) for method, picture in seen.outputs.items()}
        for couple in combinations(uris, 2):
            left, right = couple if self._rng.random() < 0.5 else couple[::-1]
            self._trials.append({"pair": seen.pair.name, "sides": [left, right], "uris": uris})

    def page(self, protocol: str) -> str:
        """The whole page, which asks for nothing from anywhere.

        Args:
            protocol: SHA-256, which the votes carry.
        """
        order = self._rng.permutation(len(self._trials))
        trials = []
        for index in order:
            trial = self._trials[index]
            sides = [{"token": token(m, protocol), "image": trial["uris"][m]} for m in trial["sides"]]
            # The pair's name is told to the file of votes, not to the voter.
            trials.append({"pair": trial["pair"], "left": sides[0], "right": sides[1]})
        content = {"kind": _KIND, "protocol": protocol, "trials": trials}
        data = json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
        page = resources.files("remend.evaluation").joinpath("votes.html").read_text("utf-8")
        return page.replace("{{data}}", data, 1)

    def _uri(self, image: NDArray[np.uint8]) -> str:
        height, width = image.shape[:2]
        factor = self._side_px / max(height, width)
        if factor < 1:
            size = (max(1, round(width * factor)), max(1, round(height * factor)))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        done, data = cv2.imencode(".webp", image[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, 92])
        assert done, "OpenCV writes WebP of any small picture"
        return "data:image/webp;base64," + base64.b64encode(data.tobytes()).decode()


def token(method: str, protocol: str) -> str:
    """What stands for a method on a blind page: the same for the same method and protocol."""
    return hashlib.sha256(f"{protocol}:{method}".encode()).hexdigest()[:12]


def read_votes(paths: Sequence[Path], *, protocol: str) -> tuple[Vote, ...]:
    """The votes of one or more people.

    Raises:
        EvaluationError: a file cannot be read, holds no votes, or votes on another protocol.
    """
    votes: list[Vote] = []
    for path in paths:
        try:
            content = json.loads(path.read_text("utf-8"))
            assert content["kind"] == _KIND
            cast = [Vote(v["left"], v["right"], v["choice"]) for v in content["votes"]]
            assert all(vote.choice in ("left", "right", "same") for vote in cast)
            stated = content["protocol"]
        except OSError as error:
            raise EvaluationError(
                f"{path} cannot be read ({error.strerror}): give a file of votes"
            ) from error
        except (ValueError, KeyError, TypeError, AssertionError) as error:
            raise EvaluationError(f"{path} holds no votes: save it from the page of --sheet") from error
        if stated != protocol:
            raise EvaluationError(
                f"{path} votes on protocol {str(stated)[:12]}, the reports are of {protocol[:12]}: "
                "they do not belong together"
            )
        votes += cast
    return tuple(votes)


def tally(votes: Sequence[Vote], methods: Sequence[str], *, protocol: str) -> tuple[Preference, ...]:
    """Votes counted for every two methods that met, in the order of ``methods``.

    Raises:
        EvaluationError: a vote on a method that is not among ``methods``.
    """
    names = {token(method, protocol): method for method in methods}
    counts: dict[tuple[str, str], list[int]] = {}
    for vote in votes:
        if vote.left not in names or vote.right not in names:
            raise EvaluationError("the votes are on a method that no report holds: give its report too")
        left, right = names[vote.left], names[vote.right]
        turned = methods.index(left) > methods.index(right)
        count = counts.setdefault((right, left) if turned else (left, right), [0, 0, 0])
        count[2 if vote.choice == "same" else int((vote.choice == "right") != turned)] += 1
    return tuple(Preference(*couple, *count) for couple, count in counts.items())


def wilson(wins: int, count: int, *, deviate: float = 1.959964) -> tuple[float, float]:
    """Wilson's interval of a share; for ``deviate`` 1.96, of 95 %.

    Reference: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927.

    >>> [round(end, 3) for end in wilson(8, 10)]
    [0.49, 0.943]
    """
    share, square = wins / count, deviate**2
    centre = (share + square / (2 * count)) / (1 + square / count)
    half = deviate / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    return max(0.0, centre - half), min(1.0, centre + half)
