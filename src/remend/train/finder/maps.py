"""Maps of damage, drawn before training and laid over pictures on the fly: opacity, tone, class by pixel."""

from __future__ import annotations

import gzip
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.synth import pictures as generators
from remend.damage.synth.layers import Layer
from remend.errors import UsageError
from remend.nets.finder import CLASSES

__all__ = ["TONES", "Map", "Outlines", "draw_map"]

TONES = ("bright", "dark", "paper", "brown")
LINE, SPECK, STAIN, HOLE, TEXT, WATERMARK = range(1, len(CLASSES))

# Generator -> (class, weight). Wide marks are few in any picture and hold most of the squared error. A net's
# chance is what it was shown as often: with scratches rarer than drawn wires, it took strokes for wires.
_KINDS: dict[str, tuple[int, float]] = {
    "film": (0, 7.0),
    "scatter": (0, 5.0),
    "wide": (0, 3.0),
    "scratches": (LINE, 10.0),
    "transport": (LINE, 4.0),
    "cracks": (LINE, 5.0),
    "folds": (LINE, 5.0),
    "dust": (SPECK, 6.0),
    "chips": (SPECK, 1.0),
    "stains": (STAIN, 3.5),
    "foxing": (STAIN, 3.0),
    "mould": (STAIN, 0.8),
    "water_rings": (STAIN, 0.8),
    "silvering": (STAIN, 0.3),
    "fingerprints": (STAIN, 0.5),
    "tape": (STAIN, 0.5),
    "blots": (HOLE, 1.2),
    "tears": (HOLE, 4.0),
    "borders": (HOLE, 1.2),
    "text": (TEXT, 3.5),
    "watermark": (WATERMARK, 1.5),
}
_LABELS = {"dust": SPECK, "dirt": SPECK, "short-hair": LINE, "long-hair": LINE, "scratch": LINE}
_SUPER = 4  # outlines are filled at this many times the size and averaged: anti-aliased fills grow by a pixel


@dataclass(frozen=True, slots=True)
class Map:
    """What lies over a picture.

    Attributes:
        opacity: (S, S) uint8, 255 = nothing of the picture is seen.
        label: (S, S) uint8, index into ``CLASSES``.
        tone: (S, S) uint8, index into ``TONES``; from 4 on a colour of ``colours``.
        colours: (K, 3) uint8.
    """

    opacity: NDArray[np.uint8]
    label: NDArray[np.uint8]
    tone: NDArray[np.uint8]
    colours: NDArray[np.uint8]


class Outlines:
    """Outlines of real marks, read from a list of JSON lines: ``scan``, ``label``, ``points`` [x, y].

    Args:
        path: the list, gzip or plain.

    Raises:
        UsageError: it cannot be read.

    Reference: Ivanova, Williamson, Henderson, "Simulating analogue film damage to analyse and improve
    artefact restoration on high-resolution scans", Computer Graphics Forum (Eurographics), 2023.
    """

    def __init__(self, path: Path) -> None:
        self.shapes: list[tuple[int, NDArray[np.float32]]] = []
        self.scans: dict[int, list[int]] = {}
        try:
            raw = path.read_bytes()
            lines = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode().splitlines()
            for line in lines:
                entry = json.loads(line)
                self.scans.setdefault(entry["scan"], []).append(len(self.shapes))
                self.shapes.append((_LABELS[entry["label"]], np.asarray(entry["points"], np.float32)))
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(f"{path} holds no outlines of damage ({error})") from error
        self.centres = np.array([points.mean(axis=0) for _, points in self.shapes])
        self.extent = {
            scan: self.centres[members].max(axis=0).tolist() for scan, members in self.scans.items()
        }
        self.reach = np.array([np.ptp(points, axis=0).max() for _, points in self.shapes])


def draw_map(
    size: int,
    *,
    rng: np.random.Generator,
    outlines: Outlines | None = None,
    fonts: Sequence[Path] = (),
    only: str | None = None,
    shares: Mapping[str, float] | None = None,
) -> Map:
    """One map of one kind of damage.

    Args:
        size: side in pixels.
        rng: to draw from.
        outlines: of real marks; without them the generators alone are drawn.
        fonts: for lettering.
        only: the kind, for tests and contact sheets.
        shares: how often kinds are drawn, where it is not as often as for the training.

    Cost: 5 to 60 ms at 384².
    """
    kinds = [
        name for name in _KINDS if name in generators._LAYERED or (outlines is not None and name in _REAL)
    ]
    weights = np.array([(shares or {}).get(name, _KINDS[name][1]) for name in kinds])
    kind = only or str(rng.choice(kinds, p=weights / weights.sum()))
    if kind in _REAL:
        assert outlines is not None
        return _REAL[kind](size, outlines, rng)
    return _generated(size, kind, rng, fonts)


def _generated(size: int, kind: str, rng: np.random.Generator, fonts: Sequence[Path]) -> Map:
    """A part of what our generator draws, at some scale: what is thin in one scan is wide in another."""
    drawn_px = int(size * np.exp(rng.uniform(np.log(0.6), np.log(2.0))))
    draw = generators._LAYERED[kind]
    options: dict[str, Any] = {"fonts": fonts} if "fonts" in inspect.signature(draw).parameters else {}
    layers = draw((drawn_px, drawn_px), seed=rng, **options)
    side = int(np.clip(drawn_px * rng.uniform(0.5, 1.0), 48, drawn_px))
    if kind in ("tears", "borders"):  # they live along the sides, which a part from the middle would miss
        corner = rng.choice([0, drawn_px - side], 2)
    else:
        corner = rng.integers(0, drawn_px - side + 1, 2)
    if side < size and rng.random() < 0.5:
        side = min(size, drawn_px)
        corner = np.zeros(2, int)
    opacity = np.zeros((size, size), np.float32)
    tone = np.zeros((size, size), np.uint8)
    colours: list[tuple[int, int, int]] = []
    label = _KINDS[kind][0]
    where = np.zeros((size, size), np.uint8)
    for layer in layers:
        part = layer.opacity[corner[0] : corner[0] + side, corner[1] : corner[1] + side]
        if side != size:
            how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
            part = np.asarray(cv2.resize(part, (size, size), interpolation=how), np.float32)
        over = part >= opacity * 0.7
        over &= part > 0.02
        tone[over] = _tone(layer, colours)
        opacity = np.where(over, np.maximum(part, opacity), opacity)
        where[over] = label
        if kind == "tears" and layer.tone == "paper" and layer.colour is None:
            where[over] = HOLE
    if rng.random() < 0.4:
        soft_px = float(rng.uniform(0.4, 1.2))
        opacity = np.asarray(cv2.GaussianBlur(opacity, (0, 0), soft_px), np.float32)
        where = _spread(where)
        tone = _spread(tone)
    if kind == "cracks" and rng.random() < 0.3:
        opacity *= np.float32(rng.uniform(0.4, 1))
    return Map(_bytes(opacity), where, tone, np.array(colours or [(0, 0, 0)], np.uint8))


def _tone(layer: Layer, colours: list[tuple[int, int, int]]) -> int:
    if layer.colour is not None:
        colours.append(layer.colour)
        return len(TONES) + len(colours) - 1
    return TONES.index(layer.tone)


def _bytes(opacity: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(opacity * 255), 0, 255), np.uint8)


def _spread(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Labels reach as far as soft rims do; where there is a label already it stays."""
    return np.asarray(np.where(values > 0, values, cv2.dilate(values, np.ones((7, 7), np.uint8))), np.uint8)


class _Canvas:
    """Marks laid one by one, drawn finer and averaged."""

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self.size, self.rng = size, rng
        self.opacity = np.zeros((size, size), np.float32)
        self.label = np.zeros((size, size), np.uint8)
        self.tone = np.zeros((size, size), np.uint8)
        self.polarity: Literal["bright", "dark", "both"] = str(  # type: ignore[assignment]
            rng.choice(["bright", "dark", "both"], p=[0.4, 0.25, 0.35])
        )
        self.least = float(rng.uniform(0.3, 0.9))
        self.edge_px = float(rng.uniform(0.3, 1.3))

    def lay(self, points: NDArray[np.float32], label: int) -> None:
        """One outline, (n, 2) x and y in the map's pixels."""
        low = np.floor(points.min(axis=0)).astype(int) - 5
        high = np.ceil(points.max(axis=0)).astype(int) + 6
        low, high = np.maximum(low, 0), np.minimum(high, self.size)
        if (low >= high).any():
            return
        width, height = (high - low).tolist()
        fine = np.zeros((height * _SUPER, width * _SUPER), np.uint8)
        shifted = np.rint((points - low) * _SUPER * 16).astype(np.int32)
        cv2.fillPoly(fine, [shifted], 255, shift=4)
        whole = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        soft = cv2.GaussianBlur(whole, (0, 0), self.edge_px * float(self.rng.uniform(0.8, 1.2)))
        part = np.asarray(soft * self.rng.uniform(self.least, 1.0), np.float32)
        where = (slice(low[1], high[1]), slice(low[0], high[0]))
        over = (part > self.opacity[where]) & (part > 0.01)
        self.opacity[where][over] = part[over]
        self.label[where][over] = label
        dark = self.polarity == "dark" or (self.polarity == "both" and self.rng.random() < 0.5)
        self.tone[where][over] = 1 if dark else (2 if self.rng.random() < 0.25 else 0)

    def done(self) -> Map:
        """The map."""
        return Map(_bytes(self.opacity), self.label, self.tone, np.zeros((1, 3), np.uint8))


def _film(size: int, outlines: Outlines, rng: np.random.Generator) -> Map:
    """A window of a scan, as the marks lie there."""
    canvas = _Canvas(size, rng)
    scale = float(np.exp(rng.uniform(np.log(0.18), np.log(1.2))))
    scan = int(rng.choice(list(outlines.scans)))
    members = np.array(outlines.scans[scan])
    extent = np.array(outlines.extent[scan])
    for _ in range(8):
        corner = rng.uniform(0, np.maximum(extent - size / scale, 1))
        reach = outlines.reach[members]
        centre = outlines.centres[members]
        near = ((centre > corner - reach[:, None]) & (centre < corner + size / scale + reach[:, None])).all(
            axis=1
        )
        if near.sum() >= 3:
            break
    turn = _turn(rng, quarter=True)
    for k in members[near]:
        label, points = outlines.shapes[k]
        canvas.lay(_turned(points, corner, scale, turn, size), label)
    return canvas.done()


def _turned(
    points: NDArray[np.float32], corner: NDArray[Any], scale: float, turn: NDArray[Any], size: int
) -> NDArray[np.float32]:
    middle = size / 2
    return np.asarray(((points - corner) * scale - middle) @ turn + middle, np.float32)


def _turn(rng: np.random.Generator, *, quarter: bool = False) -> NDArray[np.float64]:
    angle = np.pi / 2 * rng.integers(4) if quarter else rng.uniform(0, 2 * np.pi)
    mirrored = rng.choice([-1.0, 1.0])
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * [mirrored, 1]


def _scatter(size: int, outlines: Outlines, rng: np.random.Generator) -> Map:
    """Single marks from any scan, turned, at scales of their own: few or many."""
    canvas = _Canvas(size, rng)
    count = int(np.exp(rng.uniform(0, np.log(70))))
    common = float(np.exp(rng.uniform(np.log(0.25), np.log(1.0))))
    for _ in range(count):
        label, points = outlines.shapes[int(rng.integers(len(outlines.shapes)))]
        scale = common * float(np.exp(rng.normal(0, 0.35)))
        shape = (points - points.mean(axis=0)) * scale @ _turn(rng)
        canvas.lay(np.asarray(shape + rng.uniform(0, size, 2), np.float32), label)
    return canvas.done()


def _wide(size: int, outlines: Outlines, rng: np.random.Generator) -> Map:
    """Marks many times as large: flakes, hairs as thick as fingers, clumps."""
    canvas = _Canvas(size, rng)
    canvas.edge_px = float(rng.uniform(0.4, 2.5))
    hairy = np.array([k for k, (label, _) in enumerate(outlines.shapes) if label == LINE])
    for _ in range(int(rng.integers(1, 8))):
        pick = int(rng.choice(hairy)) if rng.random() < 0.5 else int(rng.integers(len(outlines.shapes)))
        label, points = outlines.shapes[pick]
        wanted = float(np.exp(rng.uniform(np.log(24), np.log(size * 0.9))))
        scale = min(wanted / max(float(np.ptp(points, axis=0).max()), 1.0), 12.0)
        shape = (points - points.mean(axis=0)) * scale @ _turn(rng)
        canvas.lay(np.asarray(shape + rng.uniform(0, size, 2), np.float32), label)
    return canvas.done()


_REAL: dict[str, Callable[[int, Outlines, np.random.Generator], Map]] = {
    "film": _film,
    "scatter": _scatter,
    "wide": _wide,
}
