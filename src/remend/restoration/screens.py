"""Halftone screens: the lattice that dots of ink stand on, found in the Fourier domain, and filtered out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool, Box, Float, Picture
from remend.samples import put_back, readable, take_out, value_range

__all__ = ["Screen", "estimate_screen", "take_off_screen"]

WINDOW_PX = 256
MOST_WINDOWS = 24
FEWEST = 3  # windows
SHORTEST_PX, LONGEST_PX = 2.15, 14.0  # a shorter period cannot be told from its alias
SHARP = 12.0  # power of a peak over what is usual at its frequency, in the mean of the windows
ALONE, NEAR_BINS, FAR_BINS = 3.0, 3, 7  # nats over all that lies so far from it; of clean pictures .8 at most
SHOWN, SHARE = 5.0, 0.6  # in this share of the windows by themselves, so much
MOST_PEAKS = 24
ALIKE, SQUARE_DEG = 0.02, 1.2  # by how much periods, and the right angle, of a lattice may be off
WEAK = 0.01  # of the strongest lattice's power: below, it is none of another ink
RINGS = 96
PASSED, NOTCH = 0.75, 0.15
KERNEL_PERIODS = 4.0
SEEN_PERIODS, REACH = 1.5, 5.0  # how wide the lattice is looked for, and how far that reaches
FAINT, CLEAR = 0.004, 0.015  # amplitude of the lattice, of the range: below, nothing is filtered; above, all
BESIDE = (0.72, 1.28)  # of the lattice's frequency: where neither it nor its multiples are
LETTERS, DOTS = 1.6, 2.6  # how much stronger the lattice is than what lies beside it
BAND_PX = 512


Peak = tuple[float, float, float]  # y, x in cycles a pixel; or period and angle of a lattice; and power


@dataclass(frozen=True, slots=True)
class Screen:
    """A halftone's lattice.

    Attributes:
        period_px: between rows of dots.
        angles: of each lattice that was found, in degrees from 0 to 90.
        peaks: (n, 2) y, x of all that stands out in the spectrum, in cycles a pixel; one of each pair.
    """

    period_px: float
    angles: tuple[float, ...]
    peaks: NDArray[np.float64]


def estimate_screen(image: NDArray[np.uint8]) -> Screen | None:
    """The screen of a picture; None where no lattice is certain.

    Spectra of windows are added up: what is periodic everywhere stands out of them, what is in one place does
    not. A lattice is certain when two peaks of one period stand at a right angle in most windows.

    Args:
        image: (H, W, 3) uint8 RGB, at the scale of the file.

    Cost: about .2 s, whatever the size.
    """
    windows = _windows(image)
    if len(windows) < FEWEST:
        return None
    found: list[Peak] = []
    lattices: list[Peak] = []
    for channel in range(3):
        peaks = _peaks(windows[..., channel])
        lattices += _lattices(peaks)
        found += peaks
    if not lattices:
        return None
    # Dots themselves are the strongest: beats between inks, and harmonics, are weaker.
    strongest = max(lattices, key=lambda one: one[2])
    period = strongest[0]
    angles: list[float] = []
    for one, angle, power in sorted(lattices, key=lambda one: -one[2]):
        apart = [min(abs(angle - other), 90 - abs(angle - other)) for other in angles]
        # All inks are screened alike.
        if abs(one / period - 1) < ALIKE and power > WEAK * strongest[2] and min(apart, default=90) > 3:
            angles.append(angle)
    return Screen(period, tuple(sorted(angles)), _apart(found))


def _windows(image: NDArray[np.uint8]) -> Float:
    """(n, WINDOW_PX, WINDOW_PX, 3) spread over the picture, each less its mean, fading to its border."""
    height, width = image.shape[:2]
    side = WINDOW_PX
    if min(height, width) < side:
        return np.zeros((0, side, side, 3), np.float32)
    rows = np.linspace(0, height - side, min(5, -(-height // side) + 1)).astype(int)
    columns = np.linspace(0, width - side, min(5, -(-width // side) + 1)).astype(int)
    places = [(y, x) for y in rows for x in columns]
    places = [places[k] for k in np.linspace(0, len(places) - 1, min(len(places), MOST_WINDOWS)).astype(int)]
    fade = np.outer(np.hanning(side), np.hanning(side)).astype(np.float32)[..., None]
    cut = np.stack([image[y : y + side, x : x + side] for y, x in places]).astype(np.float32)
    return np.asarray((cut - cut.mean(axis=(1, 2), keepdims=True)) * fade, np.float32)


def _peaks(windows: Float) -> list[Peak]:
    """y, x in cycles a pixel, and power, of what stands out in the spectra of most windows."""
    power = np.asarray(np.abs(np.fft.fft2(windows)) ** 2, np.float32)
    over = power / np.stack([_usual(one) for one in power])  # each window counts alike, whatever its contrast
    mean, whole, logs = over.mean(axis=0), power.mean(axis=0), np.log(power + 1).mean(axis=0)
    # Boards and fences stretch along a line of the spectrum; a lattice's points stand alone.
    ring = np.ones((2 * FAR_BINS + 1, 2 * FAR_BINS + 1), np.uint8)
    ring[FAR_BINS - NEAR_BINS : FAR_BINS + NEAR_BINS + 1, FAR_BINS - NEAR_BINS : FAR_BINS + NEAR_BINS + 1] = 0
    alone = logs - _greatest(logs, ring) > ALONE
    y, x = _frequencies()
    able = alone & (mean >= _greatest(mean, np.ones((5, 5), np.uint8))) & (mean > SHARP)
    able &= (np.hypot(y, x) > 1 / LONGEST_PX) & ((x > 0) | ((x == 0) & (y > 0)))  # one of each pair
    rows, columns = np.nonzero(able)
    order = np.argsort(-mean[rows, columns])[:MOST_PEAKS]
    found = []
    for row, column in zip(rows[order], columns[order], strict=True):
        around = np.ix_(
            range(len(over)), *([(k + step) % WINDOW_PX for step in (-1, 0, 1)] for k in (row, column))
        )
        if (over[around].max(axis=(1, 2)) > SHOWN).mean() >= SHARE:
            found.append((*_refined(mean, int(row), int(column)), float(whole[row, column])))
    return found


def _frequencies() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    steps = np.asarray(np.fft.fftfreq(WINDOW_PX), np.float64)
    return steps[:, None], steps[None]


def _greatest(spectrum: Float, near: NDArray[np.uint8]) -> Float:
    """Of each frequency, the greatest value near it; a spectrum has no border."""
    side = near.shape[0] // 2
    wide = cv2.copyMakeBorder(spectrum, side, side, side, side, cv2.BORDER_WRAP)
    return np.asarray(cv2.dilate(wide, near), np.float32)[side:-side, side:-side]


def _usual(power: Float) -> Float:
    """What is usual at each frequency: of a ring of frequencies as long, the power that half of them have."""
    y, x = _frequencies()
    ring = np.minimum((np.hypot(y, x) * 2 * RINGS).astype(int), RINGS)
    order = np.argsort(ring, axis=None, kind="stable")
    ends = np.cumsum(np.bincount(ring.ravel(), minlength=RINGS + 1))
    values = power.ravel()[order]
    medians = np.array([np.median(part) if len(part) else 1.0 for part in np.split(values, ends[:-1])])
    floor = WINDOW_PX**2 * 0.14 / 12  # of rounding to whole levels, under a window of Hann's
    return np.asarray(np.maximum(medians, floor)[ring], np.float32)


def _refined(mean: Float, row: int, column: int) -> tuple[float, float]:
    """Where a peak lies between the bins: the vertex of a parabola through logarithms, along either axis."""

    def between(before: float, here: float, behind: float) -> float:
        bend = before - 2 * here + behind
        return 0.0 if bend >= 0 else float(np.clip((before - behind) / (2 * bend), -0.5, 0.5))

    logs, place = np.log(mean), []
    for axis, bin_ in ((0, row), (1, column)):
        line = np.take(logs, column if axis == 0 else row, axis=1 - axis)
        at = bin_ if bin_ < WINDOW_PX / 2 else bin_ - WINDOW_PX
        place.append((at + between(line[bin_ - 1], line[bin_], line[(bin_ + 1) % WINDOW_PX])) / WINDOW_PX)
    return place[0], place[1]


def _lattices(peaks: list[Peak]) -> list[Peak]:
    """Period in pixels, angle in degrees and power of each pair of peaks that spans a square lattice."""
    found = []
    for number, (y, x, power) in enumerate(peaks):
        for other_y, other_x, other_power in peaks[number + 1 :]:
            one, other = np.hypot(y, x), np.hypot(other_y, other_x)
            between = np.rad2deg(np.arccos(np.clip(abs(y * other_y + x * other_x) / (one * other), 0, 1)))
            period = 2 / (one + other)
            alike = abs(one / other - 1) < ALIKE and 90 - between < SQUARE_DEG
            if alike and SHORTEST_PX <= period <= LONGEST_PX:
                angle = float(np.rad2deg(np.arctan2(y, x)) % 90)
                found.append((float(period), angle, float(np.sqrt(power * other_power))))
    return found


def _apart(found: list[Peak]) -> NDArray[np.float64]:
    """Peaks of all channels, each once."""
    kept: list[tuple[float, float]] = []
    for y, x, _ in found:
        if all(np.hypot(y - other_y, x - other_x) > 1.5 / WINDOW_PX for other_y, other_x in kept):
            kept.append((y, x))
    return np.array(kept, np.float64).reshape(-1, 2)


def take_off_screen(
    picture: Picture, screen: Screen, *, strength: float = 1.0, told: Callable[[], None] = lambda: None
) -> Bool:
    """Take a halftone's dots off a picture, in place, where they are.

    A filter with a notch at every point of the lattices, and nothing above the highest frequency that lies
    between them. Where the lattice does not stand out, as in plain paper and lettering, the picture stays as
    it is.

    Args:
        picture: any mode but P; float pictures by the range of their own samples. Alpha stays.
        screen: as ``estimate_screen`` found it.
        strength: share of the change; 0 = nothing changes.
        told: called after each band of rows.

    Returns:
        (H, W) bool, where a sample differs from before.

    Cost: about .4 µs a pixel and channel; some 30 bytes a pixel of a band of rows.
    """
    changed = np.zeros(picture.size, bool)
    if strength == 0:
        return changed
    whole = Box(0, 0, *picture.size)
    span = value_range(picture, whole, readable(picture, whole))
    kernel = _kernel(screen)
    margin = kernel.shape[0] // 2 + int(REACH * screen.period_px)
    source = Picture(picture.samples.copy(), picture.mode, container=picture.container)
    channels = tuple(range(1 if picture.mode in ("L", "LA") else 3))
    for top in range(0, picture.height, BAND_PX):
        inner = Box(top, 0, min(top + BAND_PX, picture.height), picture.width)
        outer = inner.grown(margin, picture.size)
        window = np.clip(take_out(source, outer, channels, span), 0, 1)
        smooth = np.asarray(cv2.filter2D(window, cv2.CV_32F, kernel, borderType=cv2.BORDER_REFLECT))
        share = strength * _dots(window, screen)[..., None]
        where = inner.inside(outer).slices
        mended = (window + share * (np.clip(smooth, 0, 1) - window))[where]
        put_back(picture, inner, readable(source, inner), mended, channels, span)
        changed[inner.slices] = (picture.samples[inner.slices] != source.samples[inner.slices]).any(axis=2)
        told()
    return changed


def _kernel(screen: Screen) -> Float:
    """(k, k) float32, its sum 1: what passes between the points of the lattices."""
    frequency = 1 / screen.period_px
    half = int(np.ceil(KERNEL_PERIODS * screen.period_px))
    size = 8 * half
    y, x = np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None]
    passed = np.exp(-0.5 * (np.hypot(y, x) / (PASSED * frequency)) ** 4)
    for down, right in screen.peaks:
        for sign in (1, -1):
            far = np.hypot(y - sign * down, x - sign * right)
            passed *= 1 - np.exp(-0.5 * (far / (NOTCH * frequency)) ** 2)
    kernel = np.fft.fftshift(np.fft.ifft2(passed).real)
    middle = size // 2
    kernel = kernel[middle - half : middle + half + 1, middle - half : middle + half + 1]
    kernel *= np.outer(np.hanning(2 * half + 3)[1:-1], np.hanning(2 * half + 3)[1:-1])
    return np.asarray(kernel / kernel.sum(), np.float32)


def _dots(window: Float, screen: Screen) -> Float:
    """(h, w) 0 to 1: how much of the lattice is seen at each place.

    Lettering has something of every frequency: where those beside the lattice's are as strong, it is no dots.
    """
    light = window.mean(axis=2)
    light = light - cv2.GaussianBlur(light, (0, 0), screen.period_px)
    amplitude = np.sqrt(_power(light, screen, 1.0))
    beside = np.sqrt(np.mean([_power(light, screen, scale) for scale in BESIDE], axis=0))
    shown = np.clip((amplitude - FAINT) / (CLEAR - FAINT), 0, 1)
    alone = np.clip((amplitude / np.maximum(beside, 1e-6) - LETTERS) / (DOTS - LETTERS), 0, 1)
    return np.asarray(shown * alone, np.float32)


def _power(light: Float, screen: Screen, scale: float) -> Float:
    """(h, w) of the waves along the lattices' sides, at so many times their frequency."""
    height, width = light.shape
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None]
    power = np.zeros((height, width), np.float32)
    for angle in screen.angles:
        for turned in (np.deg2rad(angle), np.deg2rad(angle + 90)):
            wave = 2 * np.pi * scale / screen.period_px * (np.sin(turned) * y + np.cos(turned) * x)
            for part in (np.cos, np.sin):
                seen = cv2.GaussianBlur(light * part(wave), (0, 0), SEEN_PERIODS * screen.period_px)
                power += np.square(seen)
    return power
