"""Training crops: a part of a picture, aged, with damage laid over it, and what is true of every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.degrade import add_noise
from remend.train.finder.maps import HOLE, TONES, Map

__all__ = ["IGNORED", "VISIBLE_LEVELS", "Ageing", "aged", "crop_of", "lay", "weathered"]

IGNORED = 255
"""The label of pixels that damage changed too little to be seen: they teach nothing."""

FAINT_LEVELS, VISIBLE_LEVELS = 3, 12

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """Shares of crops that are treated so.

    Attributes:
        enlarged: made soft, as scans are: enlarged 1 to 2.5 times.
        grey, sepia, faded: tone.
        blurred: softened together with their damage.
        noisy: with noise or grain, after the damage.
        jpeg: compressed at quality 45 to 95, after the damage.
        toned: grey, sepia or with a cast as a whole, damage and all: prints turned brown, colour taken away.
    """

    enlarged: float = 0.45
    grey: float = 0.22
    sepia: float = 0.18
    faded: float = 0.3
    blurred: float = 0.25
    noisy: float = 0.3
    jpeg: float = 0.45
    toned: float = 0.12


def crop_of(picture: Rgb, size: int, rng: np.random.Generator, *, enlarged: float) -> Rgb:
    """(size, size, 3) of a picture, mirrored at times; enlarged where it is too small, or to be soft."""
    height, width = picture.shape[:2]
    factor = float(rng.uniform(1.0, 2.5)) if rng.random() < enlarged else float(rng.uniform(0.8, 1.0))
    factor = max(factor, size / min(height, width))
    side = min(int(np.ceil(size / factor)), height, width)
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    part = picture[top : top + side, left : left + side]
    if side != size:
        how = (cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_LANCZOS4)[int(rng.integers(3))]
        how = how if side < size else cv2.INTER_AREA
        part = np.asarray(cv2.resize(part, (size, size), interpolation=how), np.uint8)
    if rng.random() < 0.5:
        part = part[:, ::-1]
    return np.ascontiguousarray(part)


def aged(crop: Rgb, rng: np.random.Generator, ageing: Ageing) -> Rgb:
    """Grey, sepia, faded: before the damage comes."""
    roll = rng.random()
    if roll < ageing.grey + ageing.sepia:
        crop = _brown(crop, rng, lift=1.0) if roll < ageing.sepia else _grey(crop)
    if rng.random() < ageing.faded:
        black, white = float(rng.uniform(0, 70)), float(rng.uniform(150, 255))
        gamma = float(rng.uniform(0.6, 1.5))
        ramp = (np.arange(256, dtype=np.float32) / 255) ** gamma * (white - black) + black
        crop = np.asarray(cv2.LUT(crop, np.clip(ramp, 0, 255).astype(np.uint8)), np.uint8)
    return np.ascontiguousarray(crop)


def _grey(crop: Rgb) -> Rgb:
    return np.repeat(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.uint8)


def _brown(crop: Rgb, rng: np.random.Generator, *, lift: float) -> Rgb:
    """One brown tone; ``lift``: how far black is brown too."""
    tint = np.array([1.0, rng.uniform(0.82, 0.97), rng.uniform(0.6, 0.88)], np.float32)
    least = lift * np.array([rng.uniform(0, 40), rng.uniform(0, 30), rng.uniform(0, 18)], np.float32)
    table = np.clip(np.arange(256, dtype=np.float32)[:, None] * tint + least, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(_grey(crop), table.reshape(1, 256, 3)), np.uint8)


def lay(crop: Rgb, label: NDArray[np.uint8], maps: Sequence[Map], rng: np.random.Generator) -> Rgb:
    """Lay parts of maps over a crop; ``label`` is written to.

    A pixel that no channel of changes by ``VISIBLE_LEVELS`` is ignored, by ``FAINT_LEVELS`` is sound.
    """
    size = crop.shape[0]
    shown = crop
    for one in maps:
        where = _window(one, size, rng)
        opacity, what, tone = one.opacity[where], one.label[where], one.tone[where]
        turn, flip = int(rng.integers(4)), bool(rng.random() < 0.5)
        lettered = int(what.max(initial=0)) >= 5
        if not lettered:  # lettering is read upright, and never in a mirror
            opacity, what, tone = (
                np.rot90(np.fliplr(plane) if flip else plane, turn) for plane in (opacity, what, tone)
            )
        rows, columns = np.nonzero(opacity)
        if not rows.size:
            continue
        strength = opacity[rows, columns].astype(np.float32)[:, None] / 255
        tones = tone[rows, columns]
        colours = np.concatenate([_shades(crop, rng), one.colours.astype(np.float32)])
        over = colours[np.minimum(tones, len(colours) - 1)]
        over = over + rng.normal(0, rng.uniform(0, 8), (rows.size, 1)).astype(np.float32)
        under = shown[rows, columns].astype(np.float32)
        brown = (tones == TONES.index("brown"))[:, None]
        over = np.where(brown, under * over / 255, over)
        after = np.clip(np.rint(under + (over - under) * strength), 0, 255)
        changed = np.abs(after - under).max(axis=1)
        shown = shown.copy() if shown is crop else shown
        shown[rows, columns] = after.astype(np.uint8)
        seen = changed >= VISIBLE_LEVELS
        faint = (changed >= FAINT_LEVELS) & ~seen & (label[rows, columns] == 0)
        label[rows[seen], columns[seen]] = what[rows[seen], columns[seen]]
        label[rows[faint], columns[faint]] = IGNORED
    return shown


def _window(one: Map, size: int, rng: np.random.Generator) -> tuple[slice, slice]:
    """A part of a map in which there is something, if a few tries find one.

    Torn borders and dates lie along the sides of a picture: their maps are mostly cut at a side.
    """
    most = one.opacity.shape[0] - size
    aside = int(one.label.max(initial=0)) >= HOLE and rng.random() < 0.6
    for _ in range(4):
        top, left = (int(n) for n in (rng.choice([0, most], 2) if aside else rng.integers(0, most + 1, 2)))
        where = np.s_[top : top + size, left : left + size]
        if np.count_nonzero(one.opacity[where] > 40) > 8:
            break
    return where


def _shades(crop: Rgb, rng: np.random.Generator) -> NDArray[np.float32]:
    """(tones, 3): a colour for each tone that belongs to this picture, or is the film's own."""
    sample = crop[::8, ::8].reshape(-1, 3).astype(np.float32)
    order = np.argsort(sample.mean(axis=1))
    few = max(1, len(order) // 20)
    high, low = sample[order[-few:]].mean(axis=0), sample[order[:few]].mean(axis=0)
    white = np.array([250, 246, 236], np.float32) if rng.random() < 0.5 else np.full(3, rng.uniform(215, 255))
    mix = float(rng.uniform(0.3, 1.0))
    bright = high * (1 - mix) + white * mix
    dark = low * float(rng.uniform(0.1, 1.0))
    paper = np.array([240, 232, 214]) * rng.uniform(0.7, 1.05) + rng.normal(0, 4, 3)
    if crop[::16, ::16].std(axis=2).max() < 2:  # a grey scan has grey wear
        bright, paper = np.full(3, bright.mean()), np.full(3, paper.mean())
    brown = np.array([222, 190, 140]) * rng.uniform(0.6, 1.0) + rng.normal(0, 6, 3)
    return np.clip(np.stack([bright, dark, paper, brown]), 0, 255).astype(np.float32)


def weathered(crop: Rgb, rng: np.random.Generator, ageing: Ageing) -> Rgb:
    """Tone, blur, noise and compression that came after the damage."""
    if rng.random() < ageing.toned:
        crop = _toned(crop, rng)
    if rng.random() < ageing.blurred:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), float(rng.uniform(0.4, 1.6))), np.uint8)
    if rng.random() < ageing.noisy:
        grain = float(rng.uniform(0.4, 1.2)) if rng.random() < 0.5 else 0.0
        crop = add_noise(
            crop, seed=rng, sigma=float(np.exp(rng.uniform(np.log(1.5), np.log(18)))), grain_px=grain
        )
    if rng.random() < ageing.jpeg:
        quality = int(rng.uniform(45, 96))
        _, data = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        crop = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    return np.ascontiguousarray(crop)


def _toned(crop: Rgb, rng: np.random.Generator) -> Rgb:
    """Grey, brown or with a cast, picture and damage alike."""
    roll = rng.random()
    if roll < 0.25:
        return _grey(crop)
    if roll < 0.75:
        return _brown(crop, rng, lift=float(rng.random() < 0.5))
    cast = rng.uniform(0.75, 1.0, 3)
    return np.asarray(np.clip(crop * (cast / cast.max()), 0, 255), np.uint8)
