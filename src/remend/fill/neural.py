"""Fills by an ONNX model: coarse to fine where the hole is wider than the net reaches, tile by tile where
the window is larger than the net was made for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from remend.errors import ModelError
from remend.fill.detail import copy_detail
from remend.fill.filler import Capabilities, register
from remend.fill.model_card import Card
from remend.fill.model_file import ModelFile
from remend.picture import Bool, Box, Filled, Float
from remend.runtime import multiplies_bytes
from remend.scale import shrink, shrink_lines

__all__ = ["Neural", "textured", "thin", "wide"]

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"

CONTEXT_PX = 64  # what lies further away hardly changes the fill
LEAST_SIDE_PX = 64  # a window is never shrunk below this
# Copies bring back what a net at a coarser scale has lost, so it may begin where it sees across the hole: at
# 512² a horizon goes on behind what was taken away, and is fog at the card's reach.
TEXTURED_REACH_PX = 40
BUCKET_PX = 64  # tiles come in few sizes: the runtime plans its memory once a size


@dataclass(frozen=True)
class Neural:
    """An ONNX model as a filler. Make it with ``Neural.load``.

    A model that takes a prior fills a wide hole at the scale at which its radius is within the card's
    ``reach_px``, then once at each doubling up to full size, each time from its own coarser answer. One
    that takes none is asked once.

    Attributes:
        card: the model's card.
        model: the open file.

    Cost: that of the net over the tiles that hold a hole; see the card.
    """

    card: Card
    model: ModelFile = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """The card's name."""
        return self.card.name

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines that its user should see."""
        return self.model.notes

    @property
    def capabilities(self) -> Capabilities:
        """What the card says; with a prior the net goes from scale to scale by itself."""
        return Capabilities(
            makes_texture=self.card.margin_px is None,
            context_px=CONTEXT_PX if self.card.margin_px is None else self.card.margin_px,
            context_radii=3.0 if self.card.detail else 2.0,
            window_px=None if self.model.takes_prior else self.card.window_px,
            local=self.card.margin_px is not None,
            draws=True,
            mosaic_px=self.card.window_px,
            takes_guide=self.model.takes_guide,
        )

    @staticmethod
    def load(path: Path, *, threads: int = 0, trusted: bool = False) -> Neural:
        """Open a model file; see ``ModelFile.open``.

        Raises:
            ModelError: missing, damaged, another SHA-256 than the card's, or other inputs and outputs.
        """
        model = ModelFile.open(path, threads=threads, trusted=trusted)
        return Neural(model.card, model)

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
        answer = prior
        for scale in self._scales(hole, usable & ~hole):
            small, lines = (window, hole, usable & ~hole), guide
            if scale < 1:
                small = shrink(window, hole, usable, scale)
                lines = None if guide is None else shrink_lines(guide, scale)
            answer = self._tiled(*small, answer, lines, seed)
        assert answer is not None
        return copy_detail(answer, window, hole, usable=usable, amount=self.card.detail)

    def _scales(self, hole: Bool, known: Bool) -> list[float]:
        """Coarse to fine, ending at 1."""
        scales = [1.0]
        reach = self.card.reach_px
        if self.model.takes_prior and reach is not None:
            depth = cv2.distanceTransform((~known).view(np.uint8), cv2.DIST_L2, 5)
            radius = float(depth[hole].max())
            while radius * scales[0] > reach and min(known.shape) * scales[0] / 2 >= LEAST_SIDE_PX:
                scales.insert(0, scales[0] / 2)
        return scales

    def _tiled(
        self,
        window: Float,
        hole: Bool,
        known: Bool,
        coarse: Float | None,
        guide: Bool | None,
        seed: int,
    ) -> Float:
        """One pass at one scale; ``coarse`` is brought to the window's size. All tiles get one noise."""
        height, width = known.shape
        prior = None
        if coarse is not None and self.model.takes_prior:
            prior = np.asarray(
                cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
            )

        def run(tile: Box) -> Float:
            part = tile.slices
            before = None if prior is None else prior[part]
            # Nets have learned from lines within holes alone.
            lines = None if guide is None else (guide[part] & ~known[part]).astype(np.float32)
            return self.model.run(window[part], known[part], before, guide=lines, seed=seed)

        tiles = list(_tiles(hole, self.card.window_px))
        if len(tiles) == 1:
            filled = window.copy()
            filled[tiles[0].slices] = run(tiles[0])
            return filled
        total = np.zeros((height, width, 3), np.float32)
        weight = np.zeros((height, width, 1), np.float32)
        for tile in tiles:
            ramp = _ramp(tile, known.shape)
            total[tile.slices] += run(tile) * ramp
            weight[tile.slices] += ramp
        return np.where(weight > 0, total / np.maximum(weight, 1e-6), window).astype(np.float32)


@register(
    "neural",
    summary="the embedded net; for wide holes",
    reference="its card, weights/inpaint.json",
)
def wide() -> Neural:
    """The embedded model for wide holes; see ``_embedded``."""
    return _embedded("inpaint")


@register(
    "neural-exemplar",
    summary="the embedded net says what goes where, copies of the surroundings how it looks; for wide holes",
    reference="Hertzmann et al., Image analogies, SIGGRAPH 2001",
)
def textured() -> Neural:
    """The embedded model for wide holes, with copied texture where it agrees; see ``copy_detail``."""
    net = wide()
    card = replace(net.card, name="neural-exemplar", detail=1.0, reach_px=TEXTURED_REACH_PX)
    return replace(net, card=card)


@register(
    "neural-thin",
    summary="the embedded net for thin damage: scratches, dust, text",
    reference="its card, weights/inpaint-thin.json",
)
def thin() -> Neural:
    """The embedded model for thin damage; see ``_embedded``."""
    return _embedded("inpaint-thin")


def _embedded(stem: str) -> Neural:
    """A model that lies inside the package: in 8 bits where the processor is made for them, else in fp32 if
    there is such a file.

    Raises:
        ModelError: this build carries none, or it is damaged.
    """
    names = [f"{stem}.onnx", f"{stem}.int8.onnx"]
    for name in reversed(names) if multiplies_bytes() else names:
        if (WEIGHTS / name).is_file():
            return Neural.load(WEIGHTS / name, trusted=True)
    raise ModelError(f"this build carries no model {stem!r}: give one with --method FILE.onnx")


def _tiles(hole: Bool, side_px: int) -> Iterator[Box]:
    """Boxes of at most ``side_px`` that cover the hole, each with context around its part.

    Their cores are a grid over the hole's box; cores without any are left out, the others are trimmed to
    what they hold.
    """
    whole = Box.around(hole)
    if whole is None:
        return
    size = hole.shape
    if max(whole.grown(CONTEXT_PX, size).height, whole.grown(CONTEXT_PX, size).width) <= side_px:
        yield _bucketed(whole.grown(CONTEXT_PX, size), side_px, size)
        return
    core = max(side_px - 2 * CONTEXT_PX, CONTEXT_PX)
    for top in range(whole.top, whole.bottom, core):
        for left in range(whole.left, whole.right, core):
            bottom, right = min(top + core, whole.bottom), min(left + core, whole.right)
            inner = Box.around(hole[top:bottom, left:right])
            if inner is not None:
                held = Box(top + inner.top, left + inner.left, top + inner.bottom, left + inner.right)
                yield _bucketed(held.grown(CONTEXT_PX, size), side_px, size)


def _bucketed(box: Box, side_px: int, size: tuple[int, ...]) -> Box:
    """``box`` grown to sides from a short list, where the frame has room."""

    def wider(low: int, high: int, limit: int) -> tuple[int, int]:
        wanted = min(-(-(high - low) // BUCKET_PX) * BUCKET_PX, max(side_px, high - low), limit)
        low = max(0, min(low - (wanted - (high - low)) // 2, limit - wanted))
        return low, low + wanted

    top, bottom = wider(box.top, box.bottom, size[0])
    left, right = wider(box.left, box.right, size[1])
    return Box(top, left, bottom, right)


def _ramp(tile: Box, size: tuple[int, ...]) -> Float:
    """(h, w, 1) weights that fall to nearly 0 along the tile's edges, but not where the frame ends."""

    def side(low: int, high: int, limit: int) -> Float:
        at = np.arange(high - low, dtype=np.float32) + np.float32(0.5)
        rise = at if low > 0 else np.full_like(at, CONTEXT_PX)
        fall = at[::-1] if high < limit else np.full_like(at, CONTEXT_PX)
        return np.minimum(np.minimum(rise, fall) / np.float32(CONTEXT_PX), 1)

    rows, columns = side(tile.top, tile.bottom, size[0]), side(tile.left, tile.right, size[1])
    return (rows[:, None] * columns[None, :])[..., None]
