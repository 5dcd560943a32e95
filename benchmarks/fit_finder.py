"""Fit the judges of the finder (``src/remend/damage/judge.json``) to generated damage on photographs.

    python benchmarks/fit_finder.py SHARD.tar… [--every 3] [-o judge.json]

Every picture is scaled, toned, grained, damaged and compressed at random; half of them are shown undamaged
too. A piece is damage when at least 60 % of it lies on pixels that the damage made brighter (darker), and is
not when at most 25 % does; what lies between teaches nothing. Every seventh picture is kept for the figures
that are printed. NumPy only: the networks are small. Three to eight minutes for a thousand pictures.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from remend.damage.find import _scale_of
from remend.damage.judge import CLIP, PLACE
from remend.damage.lines import LINE_SIGNS, line_pieces
from remend.damage.specks import SPECK_SIGNS, speck_pieces
from remend.damage.synth.pictures import damage_picture
from remend.picture import Bool

Picture8 = NDArray[np.uint8]
KINDS = (("scratches",), ("scratches",), ("dust",), ("scratches", "dust"))
HIDDEN = (48, 24)
EPOCHS, BATCH, RATE = 12, 1024, 3e-3
HELD_OUT = 7


def pictures(shards: list[Path], every: int) -> Iterator[Picture8]:
    """Every so-manieth picture of the shards."""
    for shard in shards:
        with tarfile.open(shard) as archive:
            members = [member for member in archive.getmembers() if member.isfile()]
            for member in members[::every]:
                data = archive.extractfile(member)
                if data is not None and member.name.endswith((".webp", ".png", ".jpg")):
                    yield np.asarray(Image.open(io.BytesIO(data.read())).convert("RGB"))


def as_photographed(image: Picture8, rng: np.random.Generator) -> Picture8:
    """Soft enlargements, grey and sepia prints, faded tones, grain."""
    if rng.random() < 0.5:
        factor = float(rng.choice([1.4, 2.0]))
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.4:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)[:, :, None] / 255
        tint = np.array([1, rng.uniform(0.8, 1), rng.uniform(0.6, 1)]) if rng.random() < 0.5 else np.ones(3)
        low, high = (rng.uniform(0, 40), rng.uniform(190, 255)) if rng.random() < 0.5 else (0, 255)
        image = np.clip(low + (high - low) * grey ** (1 / tint**2) * (0.75 + 0.25 * tint), 0, 255)
    if rng.random() < 0.35:
        grain = rng.normal(0, rng.uniform(1, 8), image.shape[:2])
        if rng.random() < 0.5:
            grain = 1.8 * cv2.GaussianBlur(grain, (0, 0), 0.7)
        image = np.clip(image + grain[:, :, None], 0, 255)
    return np.ascontiguousarray(image).astype(np.uint8)


def as_scanned(image: Picture8, rng: np.random.Generator) -> Picture8:
    """A little blur, JPEG."""
    if rng.random() < 0.2:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 0.9))
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 96))]
        image = cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR)
    return image


def collect(
    image: Picture8, brighter: Bool, darker: Bool, rows: dict[str, list[NDArray[np.float32]]]
) -> None:
    """Append (signs…, share that is damage, pixels) of every piece of ``image`` to ``rows``."""
    scale = _scale_of(image)
    for level in (0, 1):
        size = (image.shape[1] >> level, image.shape[0] >> level)
        frame = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if level else image
        truth = []
        for mask in (brighter, darker):
            whole = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 60
            truth.append(cv2.dilate(whole.astype(np.uint8), np.ones((3, 3), np.uint8)))
        for kind, pieces_of in (("lines", line_pieces), ("specks", speck_pieces)):
            for pieces in pieces_of(frame, scale, level=level):
                share = pieces.members.mean(pieces.members.read(truth[pieces.dark]))
                rows[kind].append(np.column_stack([pieces.signs, share, pieces.members.n * 4**level]))


def fit(
    x: NDArray[np.float32], y: NDArray[np.float32], weight: NDArray[np.float32], *, seed: int
) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Weights and biases of a perceptron with logistic output: Adam, cosine decay, weighted cross-entropy."""
    rng = np.random.default_rng(seed)
    sizes = (x.shape[1], *HIDDEN, 1)
    values = [rng.normal(0, np.sqrt(2 / a), (a, b)).astype(np.float32) for a, b in itertools.pairwise(sizes)]
    depth = len(values)
    values += [np.zeros(n, np.float32) for n in sizes[1:]]
    first, second = [np.zeros_like(v) for v in values], [np.zeros_like(v) for v in values]
    steps, step = EPOCHS * (len(x) // BATCH), 0
    weight = weight / weight.mean()
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - BATCH + 1, BATCH):
            batch = order[start : start + BATCH]
            layers = [x[batch]]
            for k in range(depth - 1):
                layers.append(np.maximum(layers[-1] @ values[k] + values[depth + k], 0))
            score = (layers[-1] @ values[depth - 1] + values[2 * depth - 1])[:, 0]
            chance = 1 / (1 + np.exp(-np.clip(score, -30, 30)))
            slope = ((chance - y[batch]) * weight[batch] / BATCH)[:, None].astype(np.float32)
            gradients: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * (2 * depth)
            for k in range(depth - 1, -1, -1):
                gradients[k], gradients[depth + k] = layers[k].T @ slope, slope.sum(axis=0)
                if k:
                    slope = (slope @ values[k].T) * (layers[k] > 0)
            step += 1
            rate = RATE * (0.5 + 0.5 * np.cos(np.pi * step / steps)) + 1e-5
            for v, m, s, g in zip(values, first, second, gradients, strict=True):
                m += 0.1 * (g - m)
                s += 0.01 * (g * g - s)
                v -= (rate * (m / (1 - 0.9**step)) / (np.sqrt(s / (1 - 0.99**step)) + 1e-8)).astype(
                    np.float32
                )
    return [(values[k], values[depth + k]) for k in range(depth)]


def average_precision(
    y: NDArray[np.float32], score: NDArray[np.float32], weight: NDArray[np.float32]
) -> float:
    """Area under precision over recall."""
    order = np.argsort(-score)
    hits = np.cumsum(weight[order] * y[order])
    precision, recall = hits / np.cumsum(weight[order]), hits / hits[-1]
    return float((np.diff(recall, prepend=0) * precision).sum())


def main() -> None:
    """Read, damage, measure, fit, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shards", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--out", type=Path, default=PLACE)
    options = parser.parse_args()
    tables: dict[str, list[NDArray[np.float32]]] = {"lines": [], "specks": []}
    held: dict[str, list[NDArray[np.bool_]]] = {"lines": [], "specks": []}
    count = 0
    for count, picture in enumerate(pictures(options.shards, options.every), 1):
        rng = np.random.default_rng([options.seed, count])
        clean = as_photographed(picture, rng)
        damaged, mask = clean, np.zeros(clean.shape[:2], np.bool_)
        for kind in KINDS[count % len(KINDS)]:
            damaged, more = damage_picture(damaged, kind, seed=1000 * options.seed + count)
            mask |= more
        change = damaged.astype(np.int16).sum(axis=2) - clean.astype(np.int16).sum(axis=2)
        before = {kind: len(rows) for kind, rows in tables.items()}
        collect(as_scanned(damaged, rng), mask & (change > 6), mask & (change < -6), tables)
        if count % 2:
            nothing = np.zeros_like(mask)
            collect(as_scanned(clean, rng), nothing, nothing, tables)
        for kind, rows in tables.items():
            held[kind] += [np.full(len(row), count % HELD_OUT == 0) for row in rows[before[kind] :]]
    judges = {}
    for kind, names in (("lines", LINE_SIGNS), ("specks", SPECK_SIGNS)):
        table, test = np.concatenate(tables[kind]), np.concatenate(held[kind])
        signs, share, pixels = table[:, :-2], table[:, -2], table[:, -1]
        clear = (share > 0.6) | (share < 0.25)
        y = (share > 0.6).astype(np.float32)
        # All negatives are kept: the fit with a third of them (and fewer pictures) let more false alarms in.
        weight = np.minimum(pixels, 300) ** 0.7
        train = clear & ~test
        mean, deviation = signs[train].mean(axis=0), signs[train].std(axis=0) + 1e-6
        standard = np.clip((signs - mean) / deviation, -CLIP, CLIP).astype(np.float32)
        layers = fit(standard[train], y[train], weight[train].astype(np.float32), seed=options.seed)
        values = standard[test & clear]
        for k, (matrix, bias) in enumerate(layers):
            values = values @ matrix + bias
            values = np.maximum(values, 0) if k < len(layers) - 1 else values
        score = average_precision(y[test & clear], values[:, 0], pixels[test & clear])
        sure = (values[:, 0] > np.log(9)).nonzero()[0]
        right = float(y[test & clear][sure].mean())
        print(f"{kind}: {len(y)} pieces, average precision {score:.3f}, right where sure (> 0.9) {right:.3f}")
        judges[kind] = {
            "signs": list(names),
            "average_precision": round(score, 4),
            "mean": np.round(mean.astype(float), 5).tolist(),
            "deviation": np.round(deviation.astype(float), 5).tolist(),
            "layers": [
                {
                    "weight": np.round(w.astype(float), 4).tolist(),
                    "bias": np.round(b.astype(float), 4).tolist(),
                }
                for w, b in layers
            ],
        }
    card = {
        "made_by": "benchmarks/fit_finder.py",
        "shards": [shard.stem for shard in options.shards],
        "pictures": count,
        "seed": options.seed,
        "judges": judges,
    }
    options.out.write_text(json.dumps(card) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
