"""The embedded net that takes off noise, grain, blocks and slight blur, run over a picture tile by tile."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from remend.errors import ModelError
from remend.picture import Bool, Box, Float, Picture
from remend.runtime import given_back, open_session
from remend.samples import colour_groups, put_back, readable, take_out, value_range

__all__ = [
    "WEIGHTS",
    "change_of",
    "chosen",
    "clean",
    "holds_more",
    "is_grey",
    "noise_seen",
    "session_of",
    "tiles",
]

WEIGHTS = Path(__file__).parents[1] / "weights" / "restore.onnx"
MULTIPLE = 8
PROBE_PX, CELL_PX = 256, 16
CUT_OFF = 0.04  # of the range
LEAST_SHARE = 0.1
# (rows and columns swapped, rows reversed, columns reversed): the first ones have least in common.
SIDES = (
    (False, False, False),
    (True, True, True),
    (True, False, False),
    (False, True, True),
    (False, True, False),
    (True, False, True),
    (False, False, True),
    (True, True, False),
)
TILE_PX, MARGIN_PX = 768, 48  # the margin holds nearly all that the net looks at beside a pixel


def chosen(model: str) -> Path:
    """The net's file: the embedded one, or a user's own.

    Args:
        model: path of an exported restorer, its card beside it; "" = the embedded one.

    Raises:
        ModelError: there is none, or it is another net.
    """
    if not model:
        return WEIGHTS
    path = Path(model)
    try:
        known = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        fits = path.is_file() and known.get("architecture") == "restorer"
    except (OSError, ValueError, AttributeError):
        fits = False
    if not fits:
        raise ModelError(
            f"{model} is no restorer with its card beside it: give a file of `remend adapt --net restorer`"
        )
    return path


def clean(
    picture: Picture,
    *,
    strength: float = 1.0,
    views: int = 1,
    weights: Path = WEIGHTS,
    told: Callable[[], None] = lambda: None,
) -> Bool:
    """Take noise and blocks off a picture, in place.

    Args:
        picture: any mode but P; float pictures by the range of their own samples. Alpha stays, and so does
            what is transparent, missing or not finite.
        strength: 0 = nothing changes, bit for bit; 1 = all that the net sees; between, that share of it.
        views: from how many sides the net sees each tile, turned and mirrored, 1 to 8; the mean counts.
        weights: another file of the same contract, with its card.
        told: called after each tile.

    Returns:
        (H, W) bool, where a sample differs from before.

    Raises:
        ModelError: the net is missing or damaged.

    Cost: 107 thousand multiplications a pixel, 1 s of a core a megapixel, for each view; 250 MB beside the
    picture.
    """
    changed = np.zeros(picture.size, bool)
    if strength == 0:
        return changed
    whole = Box(0, 0, *picture.size)
    span = value_range(picture, whole, readable(picture, whole))
    source = Picture(picture.samples.copy(), picture.mode, container=picture.container)
    grey = is_grey(source)
    for outer, inner in tiles(*picture.size):
        usable = readable(source, inner)
        where = inner.inside(outer).slices
        for channels in colour_groups(picture):
            window = take_out(source, outer, channels, span)
            visible = np.clip(window, 0, 1)
            exact = holds_more(source)
            change = change_of(visible, views=views, weights=weights, exact=exact)[where]
            if grey:
                change = np.repeat(change.mean(axis=2, keepdims=True), 3, axis=2)
            put_back(picture, inner, usable, window[where] + np.float32(strength) * change, channels, span)
        told()
    for top in range(0, picture.height, TILE_PX):
        rows = slice(top, top + TILE_PX)
        # NaN differs from itself, and was not touched.
        same = (picture.samples[rows] == source.samples[rows]) | (
            source.samples[rows] != source.samples[rows]
        )
        changed[rows] = ~same.all(axis=2)
    return changed


def noise_seen(picture: Picture, *, weights: Path = WEIGHTS) -> float:
    """How much the net would take off where it takes off least, in levels of 255.

    Noise lies everywhere, texture does not: where the net leaves a tenth of the cells nearly as they are,
    what statistics took for noise is texture.

    Args:
        picture: any mode but P; not changed.

    Cost: four tiles of 256².
    """
    whole = Box(0, 0, *picture.size)
    usable = readable(picture, whole)
    span, channels = value_range(picture, whole, usable), colour_groups(picture)[0]
    found = []
    for top in _places(picture.height):
        for left in _places(picture.width):
            box = Box(top, left, min(top + PROBE_PX, picture.height), min(left + PROBE_PX, picture.width))
            window = np.clip(take_out(picture, box, channels, span), 0, 1)
            change = change_of(window, weights=weights)
            found.append(_by_cell(change, window, usable[box.slices]))
    cells = np.concatenate(found)
    return 255 * float(np.quantile(cells, LEAST_SHARE)) if len(cells) else 0.0


def _places(length: int) -> list[int]:
    """Where two probes along a side begin; one where there is no room for two."""
    if length < 2 * PROBE_PX:
        return [max(0, (length - PROBE_PX) // 2)]
    return [length // 4 - PROBE_PX // 2, 3 * length // 4 - PROBE_PX // 2]


def _by_cell(change: Float, window: Float, usable: Bool) -> Float:
    """(n,) root mean square of a change over cells of 16² that are usable, and neither black nor white.

    There noise is cut off, and a sky that is quite white shows none.
    """
    rows, columns = (n // CELL_PX for n in usable.shape)
    if not rows or not columns:
        return np.zeros(0, np.float32)
    here = np.s_[: rows * CELL_PX, : columns * CELL_PX]
    shape = (rows, CELL_PX, columns, CELL_PX)
    power = np.square(change[here]).mean(axis=2).reshape(shape).mean(axis=(1, 3))
    mean = window[here].mean(axis=2).reshape(shape).mean(axis=(1, 3))
    counts = usable[here].reshape(shape).all(axis=(1, 3)) & (mean > CUT_OFF) & (mean < 1 - CUT_OFF)
    return np.asarray(np.sqrt(power[counts]), np.float32)


def holds_more(picture: Picture) -> bool:
    """Whether its samples hold more than the 8 bits that features are computed in."""
    return picture.samples.dtype != np.uint8


def change_of(window: Float, *, views: int = 1, weights: Path = WEIGHTS, exact: bool = False) -> Float:
    """What the net would add to a window: (h, w, 3) float32 in [0, 1] to the same shape.

    Args:
        window: in [0, 1].
        views: see ``clean``.
        weights: see ``clean``.
        exact: features are computed in fp32; in 8 bits answers differ by .6 levels (root mean square).
    """
    if views > 1:
        answers = (
            _seen(change_of(_seen(window, side), weights=weights, exact=exact), side, back=True)
            for side in SIDES[:views]
        )
        return np.asarray(sum(answers) / np.float32(views), np.float32)
    height, width = window.shape[:2]
    pad = (-height % MULTIPLE, -width % MULTIPLE)
    if any(pad):
        window = np.asarray(cv2.copyMakeBorder(window, 0, pad[0], 0, pad[1], cv2.BORDER_REFLECT), np.float32)
    image = np.ascontiguousarray(window.transpose(2, 0, 1))[None]
    written_ns = weights.stat().st_mtime_ns if weights.is_file() else 0  # a user's file may be made again
    session = session_of(weights, cv2.getNumThreads(), exact, written_ns)
    (change,) = session.run(["change"], {"image": image}, given_back())
    return np.asarray(change[0, :, :height, :width].transpose(1, 2, 0), np.float32)


def _seen(window: Float, side: tuple[bool, bool, bool], *, back: bool = False) -> Float:
    """A window turned and mirrored, or turned back."""
    swap, rows, columns = side
    if swap and not back:
        window = window.swapaxes(0, 1)
    window = window[:: -1 if rows else 1, :: -1 if columns else 1]
    return window.swapaxes(0, 1) if swap and back else window


def is_grey(picture: Picture) -> bool:
    """Whether a picture in colour has none: then it gets none."""
    if picture.mode not in ("RGB", "RGBA"):
        return False
    red, green, blue = (picture.samples[..., k] for k in range(3))
    return bool(np.array_equal(red, green) and np.array_equal(green, blue))


@lru_cache(maxsize=4)
def session_of(weights: Path, threads: int, exact: bool = False, written_ns: int = 0) -> Any:
    """The net, opened once a process, number of threads, way to compute and writing of its file."""
    advice = "install Remend again" if weights.parent == WEIGHTS.parent else "make it again"
    try:
        content = weights.read_bytes()
        card = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{weights.name} cannot be read ({error}): {advice}, or leave out its step"
        ) from error
    if hashlib.sha256(content).hexdigest() != card.get("sha256"):
        raise ModelError(
            f"{weights.name} is not the file that its card describes (SHA-256 differs): {advice}"
        )
    return open_session(content, name=weights.name, threads=threads, exact=exact)


def tiles(
    height: int, width: int, *, side: int | None = None, margin: int = MARGIN_PX
) -> Iterator[tuple[Box, Box]]:
    """(tile with margin, the part of it that counts), covering the picture; on the grid of JPEG's blocks."""
    side = TILE_PX if side is None else side
    for top in range(0, height, side):
        for left in range(0, width, side):
            inner = Box(top, left, min(top + side, height), min(left + side, width))
            yield inner.grown(margin, (height, width)), inner
