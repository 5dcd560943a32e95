"""Prints after a picture, whose tone dots or lines carry: halftones, engravings, sketches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth.graphics.colours import grey_of, paper_and_ink, pick_colour
from remend.damage.synth.graphics.pen import Picture8, Rng, Size
from remend.damage.synth.graphics.tones import photo_grey, photo_like
from remend.damage.synth.noise import smooth_plane
from remend.picture import Float

__all__ = ["engraving", "halftone", "sketch"]


def halftone(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """A screened print: dots (or lines) that grow with the tone, in one ink or in four."""
    period = float(np.exp(rng.uniform(np.log(3.2), np.log(14))))
    lines = rng.random() < 0.12
    gain = period * float(rng.uniform(0.35, 0.9))
    paper = np.asarray(
        pick_colour(rng, (0, 0.2), (0.82, 1.0)) if rng.random() < 0.7 else (255, 255, 255), np.float32
    )
    if rng.random() < 0.5:
        ink = np.asarray(
            grey_of(rng.uniform(0, 70)) if rng.random() < 0.8 else pick_colour(rng, (0.3, 1), (0.1, 0.5)),
            np.float32,
        )
        dark = 1 - photo_grey(size, rng, photo)
        cover = _screen(
            0.04 + 0.92 * dark,
            period,
            float(rng.choice([np.pi / 4, rng.uniform(0, np.pi)])),
            gain,
            lines=lines,
        )
        out = paper + (ink - paper) * cover[:, :, None]
    else:
        rgb = photo_like(size, rng, photo).astype(np.float32) / 255
        black = (1 - rgb.max(axis=2)) * float(rng.uniform(0.4, 0.9))
        inks = np.array([[0, 150, 220], [225, 20, 130], [250, 230, 20], [25, 22, 25]], np.float32) / 255
        angles = np.radians([15, 75, 0, 45]) + rng.uniform(0, np.pi / 2)
        tones = [
            *np.moveaxis(
                np.clip((1 - rgb - black[:, :, None]) / np.maximum(1 - black[:, :, None], 0.1), 0, 1), 2, 0
            ),
            black,
        ]
        out = np.repeat(paper[None, None], size[0], 0).repeat(size[1], 1)
        for tone, ink, angle in zip(tones, inks, angles, strict=True):
            cover = _screen(0.96 * np.asarray(tone), period, float(angle), gain, lines=lines)
            out = out * (1 + (ink - 1) * cover[:, :, None])
    return np.asarray(np.clip(np.rint(out), 0, 255), np.uint8)


@lru_cache(maxsize=2)
def _ranks(lines: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of the screen's wave: its values, and the share of the plane that lies below each."""
    t = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    wave = np.cos(t) if lines else ((np.cos(t)[:, None] + np.cos(t)[None]) / 2).ravel()
    at = np.linspace(0, 1, 65)
    return np.quantile(wave, at), at


def _screen(
    dark: NDArray[np.floating[Any]], period: float, angle: float, gain: float, *, lines: bool = False
) -> Float:
    """(H, W) coverage with ink: ``dark`` through a screen of ``period`` px."""
    y, x = np.mgrid[0 : dark.shape[0], 0 : dark.shape[1]].astype(np.float32) * np.float32(2 * np.pi / period)
    c, s = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    wave = np.cos(x * c + y * s)
    if not lines:
        wave = (wave + np.cos(y * c - x * s)) / 2
    values, at = _ranks(lines)
    limit = np.interp(dark, at, values).astype(np.float32)
    return np.asarray(np.clip(0.5 + (limit - wave) * np.float32(gain), 0, 1), np.float32)


def engraving(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """Engraved or etched: curved lines side by side that swell with the tone, crossed in the shadows."""
    grey = photo_grey(size, rng, photo)
    soft = cv2.GaussianBlur(grey, (0, 0), min(size) / 40)
    period = float(np.exp(rng.uniform(np.log(3.5), np.log(11))))
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    dark = np.clip(1.15 * (1 - grey) ** float(rng.uniform(0.8, 1.3)) - 0.05, 0, 1)
    cover = np.zeros(size, np.float32)
    bend = smooth_plane(size, min(size) / 2, rng, octaves=2)
    first = float(rng.uniform(0, np.pi))
    crossed = bool(rng.random() < 0.6)
    uneven = 0.12 * smooth_plane(size, 3 * period, rng, octaves=2)
    for layer in range(1 + crossed):
        angle = first + layer * float(rng.uniform(0.5, 1.5))
        # Lines follow the form: the tone itself bends them.
        phase = x * math.cos(angle) + y * math.sin(angle)
        phase = phase + period * (float(rng.uniform(0.5, 3)) * bend + float(rng.uniform(0, 6)) * soft)
        wave = np.cos(2 * np.pi * phase / period)
        share = np.clip(dark * 1.05, 0, 0.93) if layer == 0 else np.clip(2 * dark - 0.9, 0, 0.8)
        if crossed and layer == 0:
            share = share * 0.75
        limit = -np.cos(np.pi * np.clip(share * (1 + uneven), 0, 1))
        cover = np.maximum(cover, np.clip(0.5 + (limit - wave - 0.03) * period * 0.5, 0, 1) * (share > 0.04))
    paper, ink = paper_and_ink(rng, dark=0.04)
    share = cover[:, :, None]
    return np.asarray(
        np.rint(np.asarray(paper) + share * (np.asarray(ink, np.float32) - np.asarray(paper))), np.uint8
    )


def sketch(size: Size, rng: Rng, fonts: Sequence[str], photo: Picture8 | None) -> Picture8:
    """Pencil, charcoal or chalk: contours and hatching, grainy, on paper."""
    grey = photo_grey(size, rng, photo)
    short = min(size)
    veil = cv2.GaussianBlur(grey, (0, 0), short / float(rng.uniform(30, 120)))
    contour = np.clip(1 - (grey + 0.03) / (veil + 0.03), 0, 1) * float(rng.uniform(1.2, 2.2))
    cover = contour
    period = float(rng.uniform(2.5, 6))
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    for layer in range(int(rng.integers(0, 3))):
        angle = float(rng.uniform(0.4, 1.2)) + layer * 1.1
        across = x * math.cos(angle) + y * math.sin(angle)
        along = y * math.cos(angle) - x * math.sin(angle)
        wobble = smooth_plane(size, 14, rng, octaves=1) * 0.5 * period
        stroke = np.clip(
            0.9 * np.cos(2 * np.pi * (across + wobble) / period)
            + 0.4 * np.sin(along / 17 + 3 * np.floor(across / period)),
            0,
            1,
        )
        cover = cover + stroke * np.clip(1 - 1.3 * veil - 0.15 * layer, 0, 1) * float(rng.uniform(0.4, 0.9))
    tooth = smooth_plane(size, 2, rng, octaves=1)
    cover = np.clip(cover, 0, 1) * np.clip(0.85 + float(rng.uniform(0.05, 0.35)) * tooth, 0, 1.2)
    paper, ink = paper_and_ink(rng, dark=0.05)
    share = np.clip(cover * 0.9, 0, 1)[:, :, None]
    base = np.asarray(paper, np.float32) + float(rng.uniform(0, 3)) * tooth[:, :, None]
    return np.asarray(np.clip(np.rint(base + share * (np.asarray(ink, np.float32) - base)), 0, 255), np.uint8)
