"""A study: one page on which people judge methods' pictures blind, and the file that votes are counted by."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import EvaluationError
from remend.evaluation.scores import Seen
from remend.evaluation.votes import KIND, SOUND, SPOILED, Ask, token
from remend.picture import Bool

__all__ = ["Sheet", "Study", "read_study"]

_KIND = "remend study"
_CHECKER_PX, _SPOIL_PX = 8, 4
_TRIALS_A_CATCH, _FEWEST_CATCHES = 10, 2


@dataclass(frozen=True, slots=True)
class Study:
    """What the count needs to know; voters do not get it, since it names the methods.

    Attributes:
        protocol: SHA-256 of what the pictures are of.
        ask: "choose" between two pictures, or "rate" one from 1 to 5.
        methods: labels.
    """

    protocol: str
    ask: Ask
    methods: tuple[str, ...]

    def as_json(self) -> str:
        """A file's content."""
        return json.dumps({"kind": _KIND, **asdict(self)}, ensure_ascii=False, indent=1) + "\n"


def read_study(path: Path) -> Study:
    """Read ``study.json``, or the folder that holds it.

    Raises:
        EvaluationError: there is none.
    """
    path = path / "study.json" if path.is_dir() else path
    try:
        content = json.loads(path.read_text("utf-8"))
        assert content["kind"] == _KIND and content["ask"] in ("choose", "rate")
        return Study(str(content["protocol"]), content["ask"], tuple(map(str, content["methods"])))
    except OSError as error:
        raise EvaluationError(
            f"{path} cannot be read ({error.strerror}): give the folder that `remend study` wrote"
        ) from error
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise EvaluationError(f"{path} is no study: give the folder that `remend study` wrote") from error


class Sheet:
    """Collects pictures for the page: ``observer=sheet.see``.

    On the page methods are tokens; order and sides are drawn anew for each voter, and the truth is not
    shown: the question is which picture looks right, not which is nearer. Among the trials are some whose
    answer nobody who looks can miss: a fill against the same with a chequered hole.

    Args:
        ask: "choose" between two pictures, or "rate" each from 1 to 5.
        most: trials that one voter sees, drawn from all; None = all.
        side_px: the longer side of a picture; larger ones are scaled down.
    """

    def __init__(self, *, ask: Ask = "choose", most: int | None = None, side_px: int = 640) -> None:
        self.ask: Ask = ask
        self._most = most
        self._side_px = side_px
        self._images: list[str] = []
        self._trials: list[dict[str, Any]] = []
        self._spoiled: list[tuple[float, str, int, str]] = []

    def see(self, seen: Seen) -> None:
        """Keep the outputs of a pair."""
        name = seen.pair.name
        kept = {method: self._keep(self._small(picture)) for method, picture in seen.outputs.items()}
        shown = [{"pair": name, "sides": [(method, image)]} for method, image in kept.items()]
        if self.ask == "choose":
            shown = [{"pair": name, "sides": list(two)} for two in combinations(kept.items(), 2)]
        self._trials += shown
        if kept:
            sound = next(iter(seen.outputs.values()))
            spoiled = _uri(_chequered(self._small(sound), seen.hole))
            self._spoiled.append((float(seen.hole.mean()), name, next(iter(kept.values())), spoiled))

    def page(self, protocol: str) -> str:
        """The whole page, which asks for nothing from anywhere.

        Args:
            protocol: SHA-256, which the votes carry.

        Raises:
            EvaluationError: no pair that two methods answered, or one for ratings.
        """
        if not self._trials:
            raise EvaluationError("there is nothing to judge: no picture was answered by enough methods")
        seen_by_one = min(self._most or len(self._trials), len(self._trials))
        wanted = max(_FEWEST_CATCHES, round(seen_by_one / _TRIALS_A_CATCH))
        catches: list[dict[str, Any]] = []
        images = list(self._images)
        # Wide holes first: what is spoiled must be seen at a glance.
        for _, name, sound, spoiled in sorted(self._spoiled, key=lambda s: (-s[0], s[1]))[:wanted]:
            sides = [(SPOILED, len(images))] + ([(SOUND, sound)] if self.ask == "choose" else [])
            images.append(spoiled)
            catches.append({"pair": name, "sides": sides})
        content = {
            "kind": KIND,
            "protocol": protocol,
            "ask": self.ask,
            "most": seen_by_one,
            "images": images,
            # The pair's name is told to the file of votes, not to the voter.
            "trials": _blind(self._trials, protocol),
            "catches": _blind(catches, protocol),
        }
        data = json.dumps(content, ensure_ascii=False).replace("<", "\\u003c")
        page = resources.files("remend.evaluation").joinpath("study.html").read_text("utf-8")
        return page.replace("{{data}}", data, 1)

    def _keep(self, image: NDArray[np.uint8]) -> int:
        self._images.append(_uri(image))
        return len(self._images) - 1

    def _small(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = image.shape[:2]
        factor = self._side_px / max(height, width)
        if factor >= 1:
            return image
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _blind(trials: Sequence[dict[str, Any]], protocol: str) -> list[dict[str, Any]]:
    return [
        {"pair": t["pair"], "sides": [{"token": token(m, protocol), "image": i} for m, i in t["sides"]]}
        for t in trials
    ]


def _chequered(image: NDArray[np.uint8], hole: Bool) -> NDArray[np.uint8]:
    """The picture with its hole, and a little around it, in black and white squares."""
    height, width = image.shape[:2]
    small = cv2.resize(hole.astype(np.uint8), (width, height), interpolation=cv2.INTER_AREA)
    wide = cv2.dilate(small, np.ones((2 * _SPOIL_PX + 1, 2 * _SPOIL_PX + 1), np.uint8))
    rows, columns = np.mgrid[:height, :width] // _CHECKER_PX
    squares = ((rows + columns) % 2 * 255).astype(np.uint8)
    return np.where(wide[..., None] > 0, squares[..., None], image)


def _uri(image: NDArray[np.uint8]) -> str:
    done, data = cv2.imencode(".webp", image[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, 92])
    assert done, "OpenCV writes WebP of any small picture"
    return "data:image/webp;base64," + base64.b64encode(data.tobytes()).decode()
