"""A net asked more than once: as it is and mirrored, then once more from the mean of both answers.

What a net knows stands in all its answers, what it makes up differs from one to the other. So their mean is
nearer to the truth, and a little soft; begun from it, the net draws sharply once more, and the mean of that
and of the first mean is nearer than one answer and as sharp.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from remend.fill.filler import Capabilities, register
from remend.fill.neural import Neural, thin, wide
from remend.picture import Bool, Filled, Float

__all__ = ["Views"]

Plane = TypeVar("Plane", Float, Bool)


@dataclass(frozen=True)
class Views:
    """The mean of what a net answers to a window, to its mirror image, and to the mean of both.

    Choose it where quality counts and time does not. Not mirrored from top to bottom: nets know which way up
    faces are.

    Args:
        net: who is asked.
        name: the word on the command line.

    Cost: three times the net's; twice, where it takes no prior.
    """

    net: Neural
    name: str = "neural-views"

    @property
    def files(self) -> tuple[Path, ...]:
        """The model files that it runs."""
        return self.net.files

    @property
    def capabilities(self) -> Capabilities:
        """The net's."""
        return self.net.capabilities

    def fill(
        self,
        window: Float,
        hole: Bool,
        *,
        usable: Bool,
        prior: Float | None = None,
        guide: Bool | None = None,
        seed: int = 0,
    ) -> Filled:
        """Fill ``hole``; see `Following.fill`."""
        straight = self.net.fill(window, hole, usable=usable, prior=prior, guide=guide, seed=seed)
        mirrored = self.net.fill(
            _mirrored(window),
            _mirrored(hole),
            usable=_mirrored(usable),
            prior=None if prior is None else _mirrored(prior),
            guide=None if guide is None else _mirrored(guide),
            seed=seed,
        )
        mean = (straight.pixels + mirrored.pixels[:, ::-1]) / 2
        if not self.net.model.takes_prior:
            return Filled(mean)
        before = np.where(hole[..., None], mean, window).astype(np.float32)
        again = self.net.fill(window, hole, usable=usable, prior=before, guide=guide, seed=seed)
        return Filled((mean + again.pixels) / 2)


def _mirrored(plane: Plane) -> Plane:
    """A plane from right to left, in rows of its own."""
    return cast(Plane, np.ascontiguousarray(plane[:, ::-1]))


@register(
    "neural-views",
    summary="the embedded net for wide holes, asked from both sides and once more from its own mean",
    reference="the net's card, weights/inpaint.json",
)
def wide_views() -> Views:
    """The embedded net for wide holes, asked three times."""
    return Views(wide())


@register(
    "neural-thin-views",
    summary="the embedded net for thin damage, asked from both sides",
    reference="its card, weights/inpaint-thin.json",
)
def thin_views() -> Views:
    """The embedded net for thin damage, asked from both sides."""
    return Views(thin(), "neural-thin-views")
