"""All kinds of masks by name, and drawing them into a wanted hole ratio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from remend.damage.synth import (
    blemishes,
    blots,
    borders,
    film,
    flakes,
    folds,
    irregular,
    lettering,
    residues,
    surface,
    watermark,
    wear,
)
from remend.damage.synth.layers import Layer, mask_of
from remend.damage.synth.noise import as_generator
from remend.errors import UsageError
from remend.picture import Bool

__all__ = ["KINDS", "MASK_KINDS", "MaskKind", "make_mask"]

Size = tuple[int, int]
Rng = np.random.Generator
Range = tuple[float, float]

_DRAWS = 60
_TRIES = 8


@dataclass(frozen=True, slots=True)
class MaskKind:
    """A kind of mask.

    Attributes:
        about: one line of what it is.
        draw: one mask as published or as the damage comes, ``draw(size, rng)``.
        piece: ``piece(size, rng, n)`` draws n strokes, scratches, boxes …, to build a ratio from; None
            where masks are only ever drawn whole.
        aimed: ``aimed(size, rng, ratio)`` draws towards a ratio; None where ``draw`` must do.
        limit: masks that cover more of the picture are drawn again, unless a ratio is asked for.
    """

    about: str
    draw: Callable[[Size, Rng], Bool]
    piece: Callable[[Size, Rng, int], Bool] | None = None
    aimed: Callable[[Size, Rng, Range], Bool] | None = None
    limit: float = 1.0


def _lama(style: str, about: str) -> MaskKind:
    published = irregular.LAMA[style]
    return MaskKind(
        about,
        lambda size, rng: irregular.lama(size, published, seed=rng),
        lambda size, rng, n: irregular.lama(size, published, seed=rng, count=n),
        limit=0.5,
    )


def _layered(about: str, make: Callable[..., list[Layer]]) -> MaskKind:
    return MaskKind(
        about,
        lambda size, rng: mask_of(make(size, seed=rng)),
        lambda size, rng, n: mask_of(make(size, seed=rng, count=n)),
    )


KINDS: dict[str, MaskKind] = {
    "lama-thin": _lama("thin", "LaMa, 512 px: 4–70 thin strokes"),
    "lama-medium": _lama("medium", "LaMa, 512 px: 4–10 strokes, or boxes"),
    "lama-thick": _lama("thick", "LaMa, 512 px: 1–5 thick strokes, or boxes"),
    "lama-train256": _lama("train256", "LaMa's training masks, 256 px: strokes or boxes"),
    "free-form": MaskKind(
        "DeepFill v2: 1–3 winding strokes",
        lambda size, rng: irregular.free_form(size, seed=rng),
        lambda size, rng, n: irregular.free_form(size, seed=rng, count=n),
    ),
    "comodgan": MaskKind(
        "Co-Mod-GAN: boxes and winding strokes, up to everything",
        lambda size, rng: irregular.comodgan(size, seed=rng),
        aimed=lambda size, rng, ratio: irregular.comodgan(size, seed=rng, aim=min(1.0, sum(ratio))),
    ),
    "centre": MaskKind(
        "one box in the middle, half of each side",
        lambda size, rng: irregular.centre(size),
        aimed=lambda size, rng, ratio: irregular.centre(size, share=float(rng.uniform(*ratio))),
    ),
    "box": MaskKind(
        "one box anywhere",
        lambda size, rng: irregular.box(size, seed=rng),
        aimed=lambda size, rng, ratio: irregular.box(size, seed=rng, share=ratio),
    ),
    "scratches": _layered("hairlines, gouges and rubbed bundles", wear.scratches),
    "transport": _layered("straight scratches of film transport", film.transport),
    "dust": _layered("specks, flakes and lint", wear.dust),
    "cracks": _layered("branching cracks or craquelure", surface.cracks),
    "folds": _layered("folds and creases, with the emulsion broken along them", folds.folds),
    "chips": _layered("flakes of emulsion lost", flakes.chips),
    "stains": _layered("blotches and foxing", surface.stains),
    "foxing": _layered("rusty spots in clusters", blemishes.foxing),
    "mould": _layered("blooms of dots and branching threads", blemishes.mould),
    "water_rings": _layered("tide lines of dried water", residues.water_rings),
    "silvering": _layered("the sheen of silver, along the borders and in clouds", blemishes.silvering),
    "tape": _layered("strips of old adhesive tape and its residue", residues.tape),
    "fingerprints": _layered("fingerprints", residues.fingerprints),
    "blots": _layered("ink blots, wide strokes, bars and thick hairs", blots.blots),
    "tears": _layered("lost corners, torn borders and rips", surface.tears),
    "borders": _layered("uneven borders, deckles and the scanner's lid", borders.borders),
    "text": _layered("captions, subtitles, inscriptions, ink stamps and camera dates", lettering.text),
    "watermark": _layered("translucent lettering and logos, single or tiled", watermark.watermark),
    "blocks": _layered("runs of missing blocks on an 8 or 16 px grid", surface.blocks),
}
"""Every kind, by its name on the command line."""

MASK_KINDS: tuple[str, ...] = tuple(KINDS)


def make_mask(kind: str, size: Size, *, seed: int = 0, ratio: Range | None = None) -> Bool:
    """Draw a mask of ``kind``.

    The same arguments give the same mask. With ``ratio``, whole masks are drawn until one falls into
    the range, as Co-Mod-GAN does; where none does, strokes (scratches, specks, boxes …) are added one
    after the other until a ratio drawn evenly from the range is reached.

    Args:
        kind: one of ``MASK_KINDS``.
        size: (height, width) in pixels.
        seed: 0 or more.
        ratio: least and largest share of the picture that the hole may cover, 0–1, both included.

    Returns:
        (H, W) bool, True = hole; never empty.

    Raises:
        UsageError: an unknown kind, a size or ratio that cannot be meant, or a ratio that the kind does
            not reach at this size.

    Cost: 0.2–30 ms at 512²; with a narrow ratio, up to some tens of draws.

    >>> mask = make_mask("box", (64, 64), seed=1, ratio=(0.1, 0.2))
    >>> bool(0.1 <= mask.mean() <= 0.2)
    True
    """
    if kind not in KINDS:
        raise UsageError(f"no kind of mask is called {kind!r}: choose one of {', '.join(MASK_KINDS)}")
    if min(size) < 1:
        raise UsageError(f"a mask needs at least one pixel, got {size[1]}×{size[0]}")
    chosen = KINDS[kind]
    rng = as_generator(seed, kind)
    if ratio is None:
        for _ in range(_DRAWS):
            mask = chosen.draw(size, rng)
            if 0 < np.count_nonzero(mask) <= chosen.limit * mask.size:
                return mask
        # Published strokes are as wide on small pictures: add them only as long as they stay below.
        if (
            chosen.piece is not None
            and (built := _build(chosen.piece, size, rng, (0.0, chosen.limit))) is not None
        ):
            return built
        raise UsageError(f"{kind} masks do not fit a picture of {size[1]}×{size[0]}: choose another kind")
    low, high = ratio
    if not 0 <= low <= high <= 1 or high == 0:
        raise UsageError(f"a ratio must be a range within 0–1, smaller number first, got {low}–{high}")
    # Adding pieces always comes to an end, so kinds that can do it get few whole draws.
    for _ in range(_DRAWS if chosen.piece is None else _TRIES):
        mask = chosen.aimed(size, rng, ratio) if chosen.aimed else chosen.draw(size, rng)
        if mask.any() and low <= mask.mean() <= high:
            return mask
    if chosen.piece is not None:
        for _ in range(_TRIES):
            built = _build(chosen.piece, size, rng, ratio)
            if built is not None:
                return built
    raise UsageError(
        f"{kind} masks of {size[1]}×{size[0]} do not come to a ratio of {low:g}–{high:g}: "
        "widen the range or choose another kind"
    )


def _build(piece: Callable[[Size, Rng, int], Bool], size: Size, rng: Rng, ratio: Range) -> Bool | None:
    """Add pieces up to a ratio drawn from the range; None when they are too coarse for it."""
    target = float(rng.uniform(*ratio))
    mask = np.zeros(size, np.bool_)
    pixels = mask.size
    covered, n, misses = 0, 1, 0
    for _ in range(400):
        merged = mask | piece(size, rng, n)
        count = int(np.count_nonzero(merged))
        if count > ratio[1] * pixels:
            # Overshot: fewer at once; a single one too large is thrown away.
            misses += n == 1
            n = max(1, n // 2)
            if misses > 40:
                break
            continue
        gained, covered, mask = count - covered, count, merged
        if covered and covered >= target * pixels:
            return mask
        # As many at once as should bring half of what is missing.
        missing = target * pixels - covered
        n = int(np.clip(0.5 * missing / max(gained / n, 1e-3), 1, 4 * n))
    return mask if covered and covered >= ratio[0] * pixels else None
