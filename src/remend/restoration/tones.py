"""Fading and casts: what the tones of a picture say, and the curves that bring them back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Box, Picture
from remend.restoration.fading import Signs, before_fading, ends_of, signs_of, small_of
from remend.samples import readable, value_range
from remend.tone import in_one_tone

__all__ = ["Curves", "Tones", "apply_curves", "curves_of", "estimate_tones", "steepest"]

Curves = tuple[tuple[float, float, float, float], ...]
"""Of each channel: black and white as they are, and where they come to lie, in levels of 255."""

FADED_WHITE = 212.0
FADED = ((28.0, FADED_WHITE), (46.0, 233.0))  # black and white, of the channels' mean: beyond both is faded
FADED_IN_ONE_TONE = (24.0, 222.0)  # where no colours are at stake
FAR_BLACK, FAR_WHITE = 62.0, 165.0  # or far beyond one
CLEAR = 1.5  # levels within these bounds that curves lead to: what was brought back is not faded
PAPER = 246.0  # where that of a page comes to lie
LEAST_RANGE = 40.0  # what has less would be all noise and steps
LEAST_FRAME, MOST_FRAME = (
    0.01,
    0.2,
)  # of a side: plain strips of it that are a frame, and no part of the picture
PLAIN = 4.0  # levels of deviation
NEUTRAL = 4.0  # levels from grey: less has no tint

Bounds = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Tones:
    """The tones of a picture, in levels of 255; a plain frame around it does not count.

    Attributes:
        black, white: of each channel, the quantiles .2 % and 99.8 %.
        middle: of each channel, the median.
        one_tone: grey, sepia, cyanotype: colour follows from brightness, and is left to it.
        signs: what tells where black and white were.
    """

    black: tuple[float, ...]
    white: tuple[float, ...]
    middle: tuple[float, ...]
    one_tone: bool
    signs: Signs

    @property
    def fading(self) -> float:
        """0 = the whole range is used; 1 = none of it."""
        return float(np.clip(1 - (max(self.white) - min(self.black)) / 255, 0, 1))

    @property
    def cast(self) -> float:
        """The largest gap between channels at black or at white."""
        return float(max(np.ptp(self.black), np.ptp(self.white)))


def estimate_tones(image: NDArray[np.uint8]) -> Tones:
    """Black and white points, fading and cast of (H, W, 3) uint8 RGB. Cost: 10 ms, 4 ns a pixel."""
    small = _without_frame(small_of(image))
    black, white = (tuple(float(one) for one in end) for end in ends_of(small))
    middle = tuple(float(one) for one in np.median(small.reshape(-1, 3), axis=0))
    one_tone = _in_one_tone(image, float(np.mean(white) - np.mean(black)))
    if one_tone:  # by its brightness alone
        small = np.repeat(np.rint(small.mean(axis=2, keepdims=True)).astype(np.uint8), 3, axis=2)
    return Tones(black, white, middle, one_tone, signs_of(small))


def _in_one_tone(image: NDArray[np.uint8], span: float) -> bool:
    """Whether a picture has one tone, when its contrast is what it should be: colours fade with it."""
    if not in_one_tone(image):
        return False
    led = (image.astype(np.float32) - image.mean()) * (255 / max(span, LEAST_RANGE)) + 127
    return in_one_tone(np.clip(led, 0, 255).astype(np.uint8))


def _without_frame(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What lies inside a plain frame of paper or scanner: its tones are not the picture's."""
    height, width = small.shape[:2]
    rows = [_plain(small[::step].astype(np.float32), height) for step in (1, -1)]
    columns = [_plain(small.swapaxes(0, 1)[::step].astype(np.float32), width) for step in (1, -1)]
    if not all((*rows, *columns)):  # a frame goes all around: what is plain on one side is a sky
        return small
    return small[rows[0] : height - rows[1], columns[0] : width - columns[1]]


def _plain(lines: NDArray[np.float32], length: int) -> int:
    """How many lines from the first on are one plain colour; 0 for too few, or too many, to be a frame."""
    spread = lines[: int(MOST_FRAME * length) + 1]
    same = (spread.std(axis=1).max(axis=1) < PLAIN) & (
        np.abs(spread.mean(axis=1) - spread[0].mean(axis=0)).max(axis=1) < PLAIN
    )
    count = len(same) if same.all() else int(np.argmin(same))
    if not max(1, LEAST_FRAME * length) <= count <= MOST_FRAME * length:
        return 0
    # The line after them is half frame where the picture was made smaller.
    return count + 1


def curves_of(tones: Tones, *, page: bool = False) -> Curves | None:
    """The curve of each channel, or None where nothing is faded.

    A picture of one tone gets one curve for all channels: grey stays grey, sepia stays sepia. In one of
    colours black and white of a channel go where they were, as far as the picture tells: neither is the
    blackest thing in every picture black nor the whitest white. A cast alone is no fading: evenings are red.
    Where what lies in the middle has no tint, it gets none. What comes out is not faded by the same bounds,
    so that doing it again changes nothing.

    Args:
        tones: what was measured.
        page: a document or a drawing: all is lighter by as much as brings its paper to white, and keeps its
            tint. Letters are too thin to say where black is.
    """
    black, white = np.array(tones.black), np.array(tones.white)
    if page:
        paper = float(white.mean())
        if paper - float(black.mean()) < LEAST_RANGE or paper >= FADED_WHITE:
            return None
        return ((0.0, paper, 0.0, PAPER),) * 3
    bounds = (*FADED, FADED_IN_ONE_TONE) if tones.one_tone else FADED
    if not _faded(black, white, bounds) or np.mean(white - black) < LEAST_RANGE:
        return None
    if tones.one_tone:
        black, white = np.full(3, black.mean()), np.full(3, white.mean())
    dark, light = before_fading(tones.signs, black, white)
    if tones.one_tone:
        dark, light = np.full(3, dark.mean()), np.full(3, light.mean())
    else:
        dark, light = _without_new_tint(np.array(tones.middle), black, white, dark, light)
    dark, light = _brought_back(dark, light, bounds)
    white = np.maximum(white, black + 1)
    return tuple(
        (float(b), float(w), float(d), float(li))
        for b, w, d, li in zip(black, white, dark, light, strict=True)
    )


def steepest(curves: Curves | None) -> float:
    """By how much curves raise contrast, and noise with it: the mean of the channels, 1 = they do not."""
    if curves is None:
        return 1.0
    return float(np.mean([(light - dark) / (white - black) for black, white, dark, light in curves]))


def _faded(black: NDArray[np.float64], white: NDArray[np.float64], bounds: Bounds) -> bool:
    low, high = float(black.mean()), float(white.mean())
    far = low > FAR_BLACK or high < FAR_WHITE
    return far or any(low > dark and high < light for dark, light in bounds)


def _without_new_tint(
    middle: NDArray[np.float64],
    black: NDArray[np.float64],
    white: NDArray[np.float64],
    dark: NDArray[np.float64],
    light: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends that leave a neutral middle as neutral as contrast allows: a grey wall does not turn green."""
    if _tint(middle) >= NEUTRAL:
        return dark, light
    gain = (light.mean() - dark.mean()) / max(white.mean() - black.mean(), 1.0)
    most = gain * _tint(middle)
    share = (middle - black) / np.maximum(white - black, 1)
    tint = _tint(dark + share * (light - dark))
    if tint <= most:
        return dark, light
    # One gain for all channels keeps the tint as it is, but for the contrast.
    part = 1 - most / tint
    alike = (dark.mean() + gain * (black - black.mean()), light.mean() + gain * (white - white.mean()))
    dark, light = (end + part * (to - end) for end, to in zip((dark, light), alike, strict=True))
    return np.clip(dark, 0, 255), np.clip(light, 0, 255)


def _tint(colour: NDArray[np.float64]) -> float:
    """How far from grey, in levels."""
    return float(np.linalg.norm(colour - colour.mean()))


def _brought_back(
    dark: NDArray[np.float64], light: NDArray[np.float64], bounds: Bounds
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Black and white, moved to where a picture does not count as faded by the shorter way."""
    dark = dark * min(1.0, (FAR_BLACK - CLEAR) / max(float(dark.mean()), 1.0))
    light = 255 - (255 - light) * min(1.0, (255 - FAR_WHITE - CLEAR) / max(255 - float(light.mean()), 1.0))
    for most, least in bounds:
        low, high = float(dark.mean()), float(light.mean())
        if low > most - CLEAR and high < least + CLEAR:
            if low - most < least - high:
                dark = dark * ((most - CLEAR) / low)
            else:
                light = 255 - (255 - light) * ((255 - least - CLEAR) / (255 - high))
    return dark, light


def apply_curves(picture: Picture, curves: Curves, *, strength: float = 1.0) -> Bool:
    """Lead the tones of a picture along curves, in place; none is clipped.

    Args:
        picture: grey or RGB, with alpha or without; grey takes the first curve. Float pictures by the range
            of their own samples.
        curves: of each channel: black and white before, and after.
        strength: 0 = nothing changes; 1 = the whole way.

    Returns:
        (H, W) bool, where a sample differs.
    """
    changed = np.zeros(picture.size, bool)
    whole = Box(0, 0, *picture.size)
    usable = readable(picture, whole)
    span = value_range(picture, whole, usable)
    for channel in range(1 if picture.mode in ("L", "LA") else 3):
        plane = picture.samples[..., channel]
        if plane.dtype == np.float32:
            table = None
        else:
            full = int(span.high)
            levels = np.arange(full + 1, dtype=np.float64) * (255 / full)
            table = np.rint(_moved(levels, curves[channel], strength) * (full / 255)).astype(plane.dtype)
        for row in range(picture.height):
            if table is not None:
                new = table[plane[row]]
            else:
                real = (plane[row].astype(np.float64) - span.low) * (255 / span.span)
                new = (_moved(real, curves[channel], strength) * (span.span / 255) + span.low).astype(
                    np.float32
                )
            here = usable[row] & (new != plane[row])
            plane[row][here] = new[here]
            changed[row] |= here
    return changed


def _moved(
    levels: NDArray[np.float64], curve: tuple[float, float, float, float], strength: float
) -> NDArray[np.float64]:
    """Levels along a curve: straight from black to white, and on to both ends of the range."""
    black, white, dark, light = curve
    led = np.interp(levels, [0, black, white, 255], [0, dark, light, 255])
    moved: NDArray[np.float64] = levels + strength * (led - levels)
    return moved
