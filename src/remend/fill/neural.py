"""Fills by an ONNX model: coarse to fine where the hole is wider than the net reaches, tile by tile where
the window is larger than the net was made for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from remend.errors import ModelError
from remend.fill.filler import Capabilities, register
from remend.fill.model_file import ModelFile
from remend.picture import Bool, Box, Filled, Float
from remend.windows.scale import coarse_to_fine, resized, shrunk
from remend.windows.tiles import CONTEXT_PX, blended
from remend.windows.window import Window

__all__ = ["Neural", "thin", "wide"]

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"


@dataclass(frozen=True)
class Neural:
    """An ONNX model as a filler. Make it with ``Neural.load``.

    A model that takes a prior fills a wide hole at the scale at which its radius is within ``begin_px``,
    then once at each doubling up to full size, each time from its own coarser answer. One that takes none
    is asked once.

    Attributes:
        model: the open file, with its card.
        begin_px: inscribed radius of the hole at the first scale; None = the card's ``reach_px``.

    Cost: that of the net over the tiles that hold a hole; see the card.
    """

    model: ModelFile = field(repr=False, compare=False)
    begin_px: int | None = None

    @property
    def name(self) -> str:
        """The card's name."""
        return self.model.card.name

    @property
    def files(self) -> tuple[Path, ...]:
        """The model files that it runs."""
        return (self.model.path,)

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines that its user should see."""
        return self.model.notes

    @property
    def capabilities(self) -> Capabilities:
        """What the card says; with a prior the net goes from scale to scale by itself."""
        card = self.model.card
        return Capabilities(
            context_px=CONTEXT_PX if card.margin_px is None else card.margin_px,
            context_radii=2.0,
            window_px=None if self.model.takes_prior or card.sees_hole else card.window_px,
            makes_texture=card.margin_px is None,
            local=card.margin_px is not None,
            mosaic_px=card.window_px,
            draws=True,
            # Ours paints a bluish veil into shadows; whose else a net is, what it answers is its own.
            strays=self.model.takes_prior,
            takes_guide=self.model.takes_guide,
            sees_hole=card.sees_hole,
        )

    @staticmethod
    def load(path: Path, *, threads: int = 0, trusted: bool = False) -> Neural:
        """Open a model file; see ``ModelFile.open``.

        Raises:
            ModelError: missing, damaged, another SHA-256 than the card's, or other inputs and outputs.
        """
        return Neural(ModelFile.open(path, threads=threads, trusted=trusted))

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
        """Fill ``hole``; see `Following.fill`. Pixels that may not be read count as hole for the net.

        Raises:
            ModelError: the run fails, or its answer has another shape or is not finite.
        """
        if self.model.card.sees_hole:
            window = np.where(usable[..., None], window, np.float32(0))
        whole = Window(window, hole, usable & ~hole, guide)
        reach_px = (self.begin_px or self.model.card.reach_px) if self.model.takes_prior else None
        answer = prior
        for scale in coarse_to_fine(whole, reach_px):
            answer = self._once(shrunk(whole, scale), answer, seed)
        assert answer is not None
        return Filled(answer)

    def _once(self, window: Window, coarse: Float | None, seed: int) -> Float:
        """One pass at one scale, from a coarser answer. All tiles get one noise."""
        prior = None
        if coarse is not None and self.model.takes_prior:
            prior = resized(coarse, window)

        def run(tile: Box) -> Float:
            part = window.part(tile)
            # Nets have learned from lines within holes alone.
            lines = None if part.lines is None else (part.lines & ~part.usable).astype(np.float32)
            before = None if prior is None else prior[tile.slices]
            return self.model.run(part.pixels, part.usable, before, guide=lines, seed=seed)

        return blended(window, self.model.card.window_px, run)


@register(
    "neural",
    summary="the embedded net; for wide holes",
    reference="its card, weights/inpaint.json",
)
def wide() -> Neural:
    """The embedded model for wide holes; see ``_embedded``."""
    return _embedded("inpaint")


@register(
    "neural-thin",
    summary="the embedded net for thin damage: scratches, dust, text",
    reference="its card, weights/inpaint-thin.json",
)
def thin() -> Neural:
    """The embedded model for thin damage; see ``_embedded``."""
    return _embedded("inpaint-thin")


def _embedded(stem: str) -> Neural:
    """A model that lies inside the package, in 8 bits; features stay in fp32 where no bytes are multiplied.

    Raises:
        ModelError: this build carries none, or it is damaged.
    """
    path = WEIGHTS / f"{stem}.onnx"
    if not path.is_file():
        raise ModelError(f"this build carries no model {stem!r}: give one with --method FILE.onnx")
    return Neural.load(path, trusted=True)
