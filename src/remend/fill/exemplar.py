"""Texture synthesis: copy patches of the surroundings so that every part of the fill looks like some of them.

How it works, and why so:

1. *Coarse to fine*, from the scale at which the hole's inscribed radius is 10 px. Starting coarser, as the
   literature does, cost 0.5 to 2.5 dB on stroke-shaped holes: the known patches beside the rim, the best
   sources there are, vanish with each halving.
2. *The first level is peeled* from the rim inwards, a pixel at a time, each ring compared by what is known
   or already filled; expectation–maximisation from a smooth start settled in fog. The search is exact, by
   matrix product: at such a size that costs less than approximating.
3. *A texture channel* (Newson 2014) beside the colours keeps averaged patches from matching smooth ones.
4. *At finer levels* the field is upsampled, refined by propagation, and made piecewise constant, so that
   what is rendered is mostly plain copy, blended over a pixel at the seams.
5. *A prior that can be believed* (``prior_trust``), that of a net, is what the first level starts from and is
   compared with: copies are then found that look like it.
6. *The base is corrected*: where the copy's low frequencies depart from a smooth fill (the prior, when
   given) by little, it is the tone that is off, and they are drawn to it; where by much, the smooth fill
   has missed a structure, and they are let be. In one texture copies have their tone: bricks and joints
   drawn to a smooth fill lost a quarter of their contrast.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

import cv2
import numpy as np

from remend.fill.filler import Capabilities, register
from remend.fill.patch_pyramid import Level, levels_of, nearest_true
from remend.fill.patch_search import RADIUS_PX, Index, describe, nearest_exact, refine, regularise
from remend.fill.voting import vote
from remend.picture import Bool, Filled, Float
from remend.windows.evenness import ONE_TEXTURE, unevenness

__all__ = ["Exemplar"]

TRUST_DECAY = np.float32(0.8)  # of a filled pixel, for each pixel it lies from the rim
UNFILLED_TRUST = 1e-4  # of the smooth start, where a ring has nothing better
RIM_SLACK_PX = 2  # first level: source patches may overlap the hole so far, read there as estimated
SHARE = 30.0  # percentile of the distances that sets how soon a worse patch loses its vote
SMOOTHNESS = 4e-3  # squared difference that a seam between two shifts must save
SEAM_PX = 0.4  # deviation of the blend where two shifts meet
REFINED_PATCHES = 500_000  # a level with more only takes over the shifts from the level below it
EXACT_PAIRS = 80_000_000  # comparisons that one exact search may cost; sources are thinned beyond


@register(
    "exemplar",
    summary="copies patches of the surroundings; for wide holes with texture",
    reference="Wexler, Shechtman, Irani, Space-time completion of video, TPAMI 2007",
)
@dataclass(frozen=True, slots=True)
class Exemplar:
    """Fill with patches copied from the surroundings, by nearest-neighbour field and voting.

    Choose it for wide holes among texture, and for removing objects. It knows nothing of objects: a face
    that lost its eyes gets cheek. Thin damage is filled more faithfully by `Biharmonic`.

    Args:
        coarsest_radius_px: inscribed radius of the hole at the level that is filled first.
        texture_gain: weight of the texture channel beside a colour's; 0 = fog, 12 = specks in skies.
        base_share: how far low frequencies are drawn to the smooth fill, 0 to 1; not at all in one texture.
        base_limit: departure, in window units, that is followed half-way; larger ones ever less.
        base_scale_px: deviation of the Gaussian that parts low frequencies from texture.
        prior_trust: how far the search believes a prior, beside 1 for known pixels; 0 = not at all.

    Cost: 3 to 10 µs a hole pixel; about 180 bytes of memory a window pixel.

    Reference: Wexler, Shechtman, Irani, Space-time completion of video, TPAMI 2007. Barnes et al.,
    PatchMatch, SIGGRAPH 2009. Newson et al., Video inpainting of complex scenes, SIIMS 2014.
    """

    coarsest_radius_px: float = 10.0
    texture_gain: float = 6.0
    base_share: float = 0.85
    base_limit: float = 0.15
    base_scale_px: float = 4.0
    prior_trust: float = 0.0

    @property
    def name(self) -> str:
        """The word on the command line."""
        return "exemplar"

    @property
    def capabilities(self) -> Capabilities:
        """Any width, with texture; wants three times the hole's radius around it to copy from."""
        return Capabilities(context_px=32, context_radii=3.0, makes_texture=True, takes_prior=True)

    def fill(
        self, window: Float, hole: Bool, *, usable: Bool, prior: Float | None = None, seed: int = 0
    ) -> Filled:
        """Fill ``hole``; see `Filler.fill`. Nothing is drawn at random, so ``seed`` changes nothing.

        The prior gives low frequencies, and with ``prior_trust`` what the copies are to look like; never
        texture. Where no whole patch is known the answer is the prior, or a smooth fill, without sources.
        """
        levels = levels_of(
            window,
            hole,
            usable,
            coarsest_radius_px=self.coarsest_radius_px,
            texture_gain=self.texture_gain,
        )
        finest = levels[0]
        smooth = finest.image[..., :3].copy() if prior is None else prior
        # From one level to the next a field needs somewhere to copy from.
        levels = list(takewhile(lambda level: level.sources(RADIUS_PX).any(), levels))
        if not levels:
            return Filled(smooth)
        believed = 0.0 if prior is None else self.prior_trust
        if prior is not None and believed:
            levels[-1].begin_from(prior)
        # The peel decides each ring before it sees the next; one pass over all of it mends the joints.
        field = _refined(levels[-1], _peeled(levels[-1], believed), last=len(levels) == 1)
        for level, coarser in zip(levels[-2::-1], levels[:0:-1], strict=True):
            field = _upsampled(level, coarser, field)
            if len(field.centres) <= REFINED_PATCHES:
                field = _refined(level, field, last=level is finest)
        toned = bool(self.base_share) and unevenness(window, usable) > ONE_TEXTURE
        return self._rendered(finest, field, smooth if toned else None, hole)

    def _rendered(self, level: Level, field: _Field, smooth: Float | None, hole: Bool) -> Filled:
        flat = level.padded()
        weight = np.zeros(len(flat), np.float32)
        weight[field.centres] = 1
        pixels = level.flat(hole)
        pixel_values = vote(
            flat, field.source, weight, pixels, stride=level.stride, radius_px=1, falloff_px=SEAM_PX
        )
        copied = level.image[..., :3].copy()
        copied[hole] = pixel_values[:, :3]
        if smooth is not None:
            departure = np.where(hole[..., None], smooth - copied, np.float32(0))
            low = cv2.GaussianBlur(departure, (0, 0), self.base_scale_px) * np.float32(self.base_share)
            # Small departures are tone and are followed; large ones are structure that the smooth fill lacks.
            copied += low / (1 + np.square(low / np.float32(self.base_limit)))
        rows, columns = level.place(field.source[pixels])
        source_xy = np.full((*hole.shape, 2), -1, np.int32)
        source_xy[hole] = np.stack([columns, rows], axis=1)
        return Filled(copied, source_xy)


@dataclass(slots=True)
class _Field:
    """A nearest-neighbour field: ``source`` and ``distance`` (n,) by flat position."""

    centres: Index
    source: Index
    distance: Float


def _spread(distance: Float) -> Float:
    """Weights of votes: a patch that matches badly, as patches here go, is not heard."""
    return np.asarray(np.exp(-distance / (2 * np.percentile(distance, SHARE) + 1e-8)) + 1e-6, np.float32)


def _voted(level: Level, source: Index, weight: Float, pixels: Index, radius_px: int) -> None:
    flat = level.padded()
    flat[pixels] = vote(flat, source, weight, pixels, stride=level.stride, radius_px=radius_px)
    edge = RADIUS_PX
    level.image = flat.reshape(-1, level.stride, 4)[edge:-edge, edge:-edge].copy()


def _peeled(level: Level, believed: float) -> _Field:
    """Fill one level ring by ring, with an exact search for each ring.

    ``believed``: how far what the level begins from is to be trusted.
    """
    depth = level.padded_plane(level.depth())
    unfilled = np.float32(max(believed, UNFILLED_TRUST))
    trust = np.maximum(np.power(TRUST_DECAY, depth), np.float32(believed))
    centres = level.flat(level.centres())
    sources = level.sources(RADIUS_PX - RIM_SLACK_PX)
    candidates = level.flat(sources)
    candidates = candidates[:: max(1, -(-len(centres) * len(candidates) // EXACT_PAIRS))]
    in_hole = np.zeros(len(depth), np.bool_)
    in_hole[level.flat(level.hole)] = True
    source = np.arange(len(depth), dtype=np.int32)
    weight = np.zeros(len(depth), np.float32)
    distance = np.zeros(len(depth), np.float32)
    ring = np.ceil(depth[centres])
    for number in np.unique(ring):
        here = centres[ring == number]
        source[here], distance[here] = nearest_exact(
            level.padded(),
            np.where(depth <= max(number - 1, 0), trust, unfilled),
            here,
            candidates,
            stride=level.stride,
            radius_px=RADIUS_PX,
        )
        weight[here] = trust[here] * _spread(distance[here])
        filled = here[in_hole[here]]
        if filled.size:
            _voted(level, source, weight, filled, radius_px=2)
    return _Field(centres, source, distance)


def _upsampled(level: Level, coarser: Level, field: _Field) -> _Field:
    """The coarser level's shifts, doubled; sources that are not whole here move to the nearest that are."""
    centres = level.centres()
    rows, columns = np.nonzero(centres)
    height, width = centres.shape
    coarse_width = coarser.hole.shape[1]
    # A centre here may have none above it, when the hole was too thin to show there.
    above = nearest_true(coarser.centres())[rows // 2, columns // 2]
    above_row, above_column = np.divmod(above, coarse_width)
    above = (above_row + RADIUS_PX) * coarser.stride + above_column + RADIUS_PX
    from_row, from_column = coarser.place(field.source[above])
    to_row = np.clip(rows + 2 * (from_row - above_row), 0, height - 1)
    to_column = np.clip(columns + 2 * (from_column - above_column), 0, width - 1)
    row, column = np.divmod(nearest_true(level.sources(RADIUS_PX))[to_row, to_column], width)
    positions = level.flat(centres)
    source = np.arange(level.stride * (height + 2 * RADIUS_PX), dtype=np.int32)
    source[positions] = (row + RADIUS_PX) * level.stride + column + RADIUS_PX
    distance = np.zeros(len(source), np.float32)
    distance[positions] = field.distance[above]
    return _Field(positions, source, distance)


def _refined(level: Level, field: _Field, *, last: bool) -> _Field:
    """Improve an upsampled field, and put what it says into the level."""
    source, centres, pixels = field.source, field.centres, level.flat(level.hole)
    trust = np.power(TRUST_DECAY, level.padded_plane(level.depth())[centres])
    weight = np.zeros(len(source), np.float32)
    weight[centres] = trust
    _voted(level, source, weight, pixels, radius_px=1)
    valid = np.zeros(len(source), np.bool_)
    valid[level.flat(level.sources(RADIUS_PX))] = True
    described = describe(level.padded().reshape(-1, level.stride, 4))
    refine(
        described,
        source,
        centres,
        valid,
        stride=level.stride,
        steps_px=(1,) if last else (1, 3, 1),
        jitter=not last,
    )
    found = regularise(
        described,
        source,
        centres,
        valid,
        stride=level.stride,
        smoothness=SMOOTHNESS,
        sweeps=2 if last else 1,
    )
    if not last:
        weight[centres] = trust * _spread(found)
        _voted(level, source, weight, pixels, radius_px=1)
    distance = np.zeros(len(source), np.float32)
    distance[centres] = found
    return _Field(centres, source, distance)
