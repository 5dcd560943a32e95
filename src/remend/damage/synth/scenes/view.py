"""A photograph in linear light, and what lays things into it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from remend.picture import Float

__all__ = ["Picture8", "View"]

Rng = np.random.Generator
Picture8 = NDArray[np.uint8]

_SUB = 4  # binary digits of a pixel that OpenCV draws with
_LINEAR = ((np.arange(256) / 255) ** 2).astype(np.float32)  # light adds up here, not in stored values


class View:
    """A photograph in linear light, what its light is like, and what lays things into it."""

    def __init__(self, photo: Picture8, rng: Rng) -> None:
        self.rng = rng
        self.size = (photo.shape[0], photo.shape[1])
        self.short = min(self.size)
        self.light: Float = _LINEAR[photo]
        small = cv2.resize(photo, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(small, (0, 0), max(1.0, min(small.shape[:2]) / 12))
        self.soft: Float = _LINEAR[cv2.resize(soft, self.size[::-1], interpolation=cv2.INTER_LINEAR)]
        self.level = float(self.soft.mean()) + 1e-3
        self.high = np.quantile(self.light[::4, ::4].reshape(-1, 3), 0.97, axis=0).astype(np.float32)
        grey = photo[:, :, 1].astype(np.float32)
        fine = np.abs(
            grey[1:-1, 1:-1] - (grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]) / 4
        )
        # Texture hides the noise of most places: the quiet ones tell it.
        self.noise = float(np.quantile(fine, 0.3)) * 1.9
        # One hue everywhere: a grey or toned print.
        self.tint = np.asarray(small.reshape(-1, 3).mean(axis=0) ** 2 + 1, np.float32)
        self.tint /= self.tint.mean()
        plain = small.astype(np.float32).mean(axis=2, keepdims=True) * np.sqrt(self.tint)
        self.grey = bool(np.abs(small - plain).mean() < 5)
        self.zoom = 4 if self.short <= 700 else 2
        self.sharp = float(rng.uniform(0.35, 0.9))
        self.unit = max(1.0, self.short / 480)

    def sheet(self) -> Picture8:
        """An empty map to draw on, ``zoom`` times as large as the photograph."""
        return np.zeros((self.size[0] * self.zoom, self.size[1] * self.zoom), np.uint8)

    def line(self, sheet: Picture8, path: ArrayLike, width: ArrayLike, value: int = 255) -> None:
        """A line through ``path`` (x, y), ``width`` px wide, or as wide at each point as ``width`` says."""
        one = self.zoom << _SUB
        points = np.rint(np.asarray(path, np.float64) * one).astype(np.int32)[:, None]
        wide = np.asarray(width, np.float64) * self.zoom
        if wide.ndim == 0:
            cv2.polylines(sheet, [points], False, value, max(1, round(float(wide))), cv2.LINE_AA, _SUB)
            return
        thick = np.maximum(1, np.rint(wide)).astype(int)
        first = 0
        for k in range(1, len(points)):
            if k == len(points) - 1 or thick[k] != thick[first]:
                part = points[first : k + 1]
                cv2.polylines(sheet, [part], False, value, int(thick[first]), cv2.LINE_AA, _SUB)
                first = k

    def area(self, sheet: Picture8, corners: ArrayLike, value: int = 255) -> None:
        """A filled polygon."""
        points = np.rint(np.asarray(corners, np.float64) * (self.zoom << _SUB)).astype(np.int32)[:, None]
        cv2.fillPoly(sheet, [points], value, cv2.LINE_AA, _SUB)

    def disc(self, sheet: Picture8, x: float, y: float, radius: float, value: int = 255) -> None:
        """A disc."""
        one = self.zoom << _SUB
        cv2.circle(
            sheet, (round(x * one), round(y * one)), max(1, round(radius * one)), value, -1, cv2.LINE_AA, _SUB
        )

    def cover(self, sheet: Picture8, blur: float = 0.0) -> Float:
        """(H, W) float32 coverage of a sheet, softened by the photograph's own blur and by ``blur``."""
        small = cv2.resize(sheet, self.size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        return np.asarray(cv2.GaussianBlur(small, (0, 0), math.hypot(self.sharp, blur)), np.float32)

    def lay(self, cover: Float, colour: ArrayLike, *, lit: float = 0.5) -> None:
        """Lay a linear ``colour`` ((3,) or (H, W, 3)) over the photograph where ``cover`` says.

        ``lit``: how far the colour follows the light that falls around it, 0–1.
        """
        tone = self.own(colour)
        if lit:
            around = self.soft.mean(axis=2, keepdims=True) / self.level
            tone = tone * np.clip(1 - lit + lit * around, 0.25, 2.5)
        grain = self.rng.standard_normal((*self.size, 1), dtype=np.float32) * np.float32(self.noise / 255)
        # Noise is of the stored values: in linear light it grows with the tone.
        tone = tone + 2 * np.sqrt(np.clip(tone, 0, 1)) * grain
        self.light += (tone - self.light) * cover[:, :, None]

    def add(self, cover: Float, colour: ArrayLike) -> None:
        """Light that adds up: stars, glints."""
        self.light += cover[:, :, None] * self.own(colour)

    def own(self, colour: ArrayLike) -> Float:
        """``colour`` as this photograph shows it: a grey or sepia one has no others."""
        tone = np.asarray(colour, np.float32)
        return np.asarray(tone.mean(axis=-1, keepdims=True) * self.tint if self.grey else tone, np.float32)

    def dark_tone(self) -> Float:
        """Something against the light: dark, a little of the scene's colour."""
        own = self.soft.reshape(-1, 3).mean(axis=0)
        return np.asarray(own * self.rng.uniform(0.02, 0.35), np.float32)

    def bright_tone(self) -> Float:
        """Something that the light falls on: about as bright as the scene's highlights."""
        return np.asarray(self.high * self.rng.uniform(0.5, 1.1), np.float32)

    def tone(self, dark: float = 0.6) -> Float:
        """One of both; dark with this chance."""
        return self.dark_tone() if self.rng.random() < dark else self.bright_tone()

    def picture(self) -> Picture8:
        """(H, W, 3) uint8 again."""
        return np.asarray(np.rint(np.sqrt(np.clip(self.light, 0, 1)) * 255), np.uint8)
