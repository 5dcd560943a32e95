"""Between native samples and the float windows that fillers work on, and back.

Only windows are ever converted; the frame stays as it is in the file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Box, Float, Mode, Picture, keep_part, part

__all__ = [
    "Range",
    "blank",
    "collapse_palette",
    "colour_groups",
    "eight_bit",
    "expand_palette",
    "nodata_of",
    "put_back",
    "readable",
    "take_out",
    "value_range",
    "void_of",
]

FULL_SCALE = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}
LIMITS = {
    np.dtype(kind): (float(np.iinfo(kind).min), float(np.iinfo(kind).max))
    for kind in (np.uint8, np.uint16, np.uint32, np.int8, np.int16, np.int32)
}


@dataclass(frozen=True, slots=True)
class Range:
    """The affine map of one window: working = (native - low) / (high - low)."""

    low: float
    high: float

    @property
    def span(self) -> float:
        """high - low; never 0."""
        return self.high - self.low


def colour_groups(picture: Picture, *, alpha: bool = False) -> list[tuple[int, ...]]:
    """Channels that are filled together, the leading group first.

    CMYK is filled as CMY, then K; bands follow the colours three at a time. Grey with two bands and more
    has no colours to lead: its channels are bands like the others. Those of signed and floating-point
    pictures are filled one by one, as each may have a unit of its own. Alpha is the last group, and only
    when asked for.
    """
    channels = picture.channels
    colours, bands = tuple(range(channels.colours)), channels.bands
    if len(colours) == 1 and len(bands) > 1:
        colours, bands = (), (*colours, *bands)
    at_once = 3 if picture.samples.dtype in FULL_SCALE else 1
    found = [colours[i : i + 3] for i in range(0, len(colours), 3)]
    found += [bands[i : i + at_once] for i in range(0, len(bands), at_once)]
    if alpha and channels.alpha is not None:
        found.append((channels.alpha,))
    return found


def readable(picture: Picture, box: Box) -> Bool:
    """Pixels of ``box`` that carry colour: not transparent, NaN, infinite or, in any band, without data.

    Returns:
        (h, w) bool.
    """
    native = part(picture.samples, box)
    fine = np.ones(native.shape[:2], bool)
    if picture.alpha_channel is not None:
        fine &= native[..., picture.alpha_channel] > 0
    if native.dtype.kind == "f":
        fine &= np.isfinite(native).all(axis=2)
    details = picture.container.details if picture.container is not None else {}
    if picture.alpha_channel is None and picture.palette is None:
        if (key := details.get("transparent")) is not None:  # a colour that stands for nothing
            fine &= (native != np.asarray(key, np.float64)).any(axis=2)
        if (empty := nodata_of(picture)) is not None:  # a value, in each band by itself
            fine &= (native != empty).all(axis=2)
    return fine


def nodata_of(picture: Picture) -> Any:
    """The sample that stands for no data, in the picture's own type; None where there is none."""
    value = picture.container.details.get("nodata") if picture.container is not None else None
    kind = picture.samples.dtype
    if value is None or (kind.kind != "f" and not float(value).is_integer()):
        return None
    if kind.kind != "f" and not np.iinfo(kind).min <= value <= np.iinfo(kind).max:
        return None
    return kind.type(value)  # a file of 32-bit floats names -3.4e38 to fewer digits, or to more


def void_of(picture: Picture) -> Bool | None:
    """(H, W) bool, True where the file's own mask says that there is no data; None where it has none.

    It is of the whole picture as read: who cuts parts of one takes these pixels as pending.
    """
    void = picture.container.details.get("void") if picture.container is not None else None
    return void if void is not None and void.shape == picture.size else None


def value_range(picture: Picture, box: Box, usable: Bool, channels: tuple[int, ...] | None = None) -> Range:
    """The range that maps to [0, 1]: the type's for unsigned integers, else that of the usable pixels.

    Bands of 16 bits are measurements, and so is what a codec calls so: a reflectance of 10,000 at most would
    be all dark in the type's range.

    Args:
        picture: where from.
        box: which part.
        usable: (h, w) bool, of that part.
        channels: the group that counts where there are bands, which may have other units; None = all.
    """
    full = FULL_SCALE.get(picture.samples.dtype)
    if full is not None and not (picture.samples.dtype == np.uint16 and _measured(picture)):
        return Range(0.0, full)
    values = part(picture.samples, box)[usable]
    if channels is not None and not picture.channels.plain:
        values = values[:, list(channels)]
    values = values[np.isfinite(values)]
    if not values.size:
        return Range(0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    return Range(low, high if high > low else low + 1.0)


def _measured(picture: Picture) -> bool:
    """Whether samples are measurements, in a range of their own, rather than levels of light."""
    details = picture.container.details if picture.container is not None else {}
    return bool(
        not picture.channels.plain or nodata_of(picture) is not None or details.get("measured", False)
    )


def blank(picture: Picture, mask: Bool) -> Picture:
    """What ``mask`` marks, in place, as black as the picture has it: nothing of it is left, nothing invented.

    Returns:
        The picture; its container's ``details`` say ``blanked``.
    """
    container = picture.container
    details = container.details if container is not None else {}
    kept = picture.samples[readable(picture, Box(0, 0, *picture.size)) & ~mask]
    for channel in range(picture.channels.count):
        if channel == picture.alpha_channel or channel in picture.channels.kept:
            continue
        black: Any = 0
        if _measured(picture) or picture.samples.dtype not in FULL_SCALE:
            values = kept[:, channel]
            black = (values.max() if details.get("inverted") else values.min()) if values.size else 0
        elif details.get("inverted"):
            black = details.get("limits", LIMITS[picture.samples.dtype])[1]
        picture.samples[..., channel][mask] = black
    if container is not None:
        picture.container = replace(container, details={**details, "blanked": True})
    return picture


def take_out(picture: Picture, box: Box, channels: tuple[int, ...], span: Range) -> Float:
    """One group of channels of one window, ready to be filled.

    Returns:
        (h, w, 3) float32, contiguous, a copy. A single channel is repeated three times, the last of two
        twice. NaN and infinity become 0: such pixels are not usable.
    """
    native = part(picture.samples, box)
    # Of wide samples the difference is what 32 bits can hold, not the values.
    work = np.float32 if native.dtype == np.float32 or native.dtype.itemsize < 4 else np.float64
    window = np.empty((*native.shape[:2], 3), work)
    if len(channels) in (1, 3) and channels[-1] - channels[0] == len(channels) - 1:
        window[:] = native[..., channels[0] : channels[-1] + 1]
    else:
        for place, channel in enumerate(_spread(channels)):
            window[..., place] = native[..., channel]
    if native.dtype.kind == "f":
        window[~np.isfinite(window)] = span.low
    window -= work(span.low)
    window *= work(1.0 / span.span)
    return window.astype(np.float32, copy=False)


def _spread(channels: tuple[int, ...]) -> tuple[int, int, int]:
    """The channel that each of a window's three places shows."""
    first, second, third = (channels[min(place, len(channels) - 1)] for place in range(3))
    return first, second, third


def put_back(
    picture: Picture, box: Box, hole: Bool, pixels: Float, channels: tuple[int, ...], span: Range
) -> None:
    """Write the hole's ``pixels`` into the picture's own samples, rounded and clipped; nothing else.

    Args:
        picture: changed in place, under ``hole`` only.
        box: where the window lies.
        hole: (h, w) bool.
        pixels: (h, w, 3) float32 working values.
        channels: the group that ``take_out`` read.
        span: the range that it used.
    """
    inner = Box.around(hole)
    if inner is None:
        return
    box = Box(box.top + inner.top, box.left + inner.left, box.top + inner.bottom, box.left + inner.right)
    hole, pixels = hole[inner.slices], pixels[inner.slices]
    values = pixels[hole].astype(np.float64)
    if len(channels) == 1:
        values = values.mean(axis=1, keepdims=True)
    elif len(channels) == 2:
        values[:, 1] = values[:, 1:].mean(axis=1)
    values = values * span.span + span.low
    dtype = picture.samples.dtype
    if dtype in LIMITS:
        details = picture.container.details if picture.container is not None else {}
        values = np.clip(np.rint(values), *details.get("limits", LIMITS[dtype]))
    empty = nodata_of(picture)
    if empty is not None:  # what was filled is there: the nearest value that says so
        step = np.nextafter(empty, dtype.type(0)) if dtype.kind == "f" else empty + (1 if empty <= 0 else -1)
        values[values.astype(dtype) == empty] = step
    # A view first: boolean indexing of the frame itself would index all of it.
    window = part(picture.samples, box)
    for position, channel in enumerate(channels):
        plane = window[..., channel]
        plane[hole] = values[:, position].astype(dtype)
    keep_part(picture.samples, box, window)


def eight_bit(picture: Picture) -> NDArray[np.uint8]:
    """The picture as people see it, for analysis and previews: (H, W, 3) RGB uint8.

    Transparent and missing pixels come out as stored (NaN as 0); CMYK by the plain formula. Of bands the
    leading group is shown, as maps are. An RGB picture of 8 bits is returned as a view.
    """
    picture = expand_palette(picture)
    samples = picture.samples
    if not picture.channels.plain and picture.mode != "CMYK":
        samples = samples[..., list(_spread(colour_groups(picture)[0]))]
    if samples.dtype == np.uint16 and not _measured(picture):
        samples = (samples >> 8).astype(np.uint8)
    elif samples.dtype != np.uint8:
        finite = np.isfinite(samples)
        low, high = (float(samples[finite].min()), float(samples[finite].max())) if finite.any() else (0, 1)
        scaled = (np.nan_to_num(samples, nan=low, posinf=high, neginf=low) - low) * (
            255.0 / max(high - low, 1e-12)
        )
        samples = np.rint(scaled).astype(np.uint8)
    if picture.channels.plain and picture.mode in ("L", "LA"):
        return np.repeat(samples[..., :1], 3, axis=2)
    if picture.mode == "CMYK":
        ink = 255 - samples.astype(np.uint16)
        return (ink[..., :3] * ink[..., 3:4] // 255).astype(np.uint8)
    return samples[..., :3]


def expand_palette(picture: Picture) -> Picture:
    """A palette picture as RGB, or RGBA where an entry is transparent; others as they are."""
    if picture.palette is None:
        return picture
    table = np.zeros((256, 4), np.uint8)
    table[:, 3] = 255
    table[: len(picture.palette)] = picture.palette
    opaque = bool((picture.palette[:, 3] == 255).all())
    channels = 3 if opaque else 4
    samples: NDArray[Any] = table[:, :channels][picture.samples[..., 0]]
    mode: Mode = "RGB" if opaque else "RGBA"
    return Picture(samples, mode, container=picture.container, projection=picture.projection)


# A colour that no entry comes this near to (sum of squared differences over RGB) is worth a new one.
NEAR_ENOUGH = 3 * 4**2


def collapse_palette(original: Picture, restored: Picture, changed: Bool) -> Picture:
    """Indices for the changed pixels of a palette picture; every other index stays as it was.

    Free entries of the palette (256 at most) take the colours that no entry comes near; then each
    pixel gets its nearest entry. The entries that exist are never altered.

    Args:
        original: mode P.
        restored: what ``expand_palette`` made of it, repaired.
        changed: (H, W) bool.
    """
    assert original.palette is not None
    colours = restored.samples[changed]
    if not len(colours):
        return original
    if colours.shape[1] == 3:
        colours = np.concatenate([colours, np.full((len(colours), 1), 255, colours.dtype)], axis=1)
    distinct, inverse = np.unique(colours, axis=0, return_inverse=True)
    palette = original.palette
    index, distance = _nearest(distinct, palette)
    free = 256 - len(palette)
    missing = distance > NEAR_ENOUGH
    if free and missing.any():
        palette = np.concatenate([palette, _new_entries(distinct[missing], free)])
        index, _ = _nearest(distinct, palette)
    samples = original.samples.copy()
    samples[..., 0][changed] = index[inverse.ravel()]
    return replace(original, samples=samples, palette=palette)


def _nearest(
    colours: NDArray[np.uint8], palette: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Index of the nearest entry for each colour, and its squared distance; alpha must agree."""
    index = np.empty(len(colours), np.uint8)
    distance = np.empty(len(colours), np.float64)
    table = palette.astype(np.float64)
    for start in range(0, len(colours), 4096):
        part = colours[start : start + 4096].astype(np.float64)
        gap = ((part[:, None, :3] - table[None, :, :3]) ** 2).sum(axis=2)
        gap += 1e6 * (part[:, None, 3] != table[None, :, 3])
        index[start : start + 4096] = gap.argmin(axis=1)
        distance[start : start + 4096] = gap.min(axis=1)
    return index, distance


def _new_entries(colours: NDArray[np.uint8], free: int) -> NDArray[np.uint8]:
    """At most ``free`` entries that serve ``colours`` best: themselves, or the centres of clusters."""
    if len(colours) <= free:
        return colours
    points = colours.astype(np.float32)
    until = (cv2.TERM_CRITERIA_MAX_ITER | cv2.TERM_CRITERIA_EPS, 12, 0.5)
    # Evenly spaced colours along the brightness axis as first labels: no random start, same bytes.
    labels = np.empty(len(points), np.int32)
    labels[np.argsort(points[:, :3].sum(axis=1), kind="stable")] = (
        np.arange(len(points)) * free // len(points)
    )
    _, _, centres = cv2.kmeans(points, free, labels.reshape(-1, 1), until, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    return np.clip(np.rint(centres), 0, 255).astype(np.uint8)
