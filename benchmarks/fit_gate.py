"""Fit the gate (``src/remend/damage/gate/gate.json``) to photographs in every state and to made graphics.

    python benchmarks/fit_gate.py SHARD.tar… [--every 2] [--graphics 500] [--fonts DIR] [--signs FILE.npz]

Every photograph is measured as it is and as it may be kept: grey, faded, noisy, enlarged, with borders and
captions, damaged, partly blank, compressed. Every kind of graphic is made in many sizes and states. Printed
are the shares called something else than a photograph, by state and by kind, for pictures that the networks
did not see (five folds), and for every kind of graphic when that whole kind was left out.

NumPy only. Measuring takes about 0.1 s a picture, ``--signs`` keeps it; fitting a few minutes.
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
from PIL import Image, ImageDraw, ImageFont

from remend.damage.gate import CLIP, NATURES, PLACE, SIGNS, signs_of
from remend.damage.synth.graphics import FINISHES, GRAPHIC_KINDS, graphic
from remend.damage.synth.noise import smooth_plane
from remend.damage.synth.pictures import DAMAGES, damage_picture
from remend.damage.synth.scenes import scene

Picture8 = NDArray[np.uint8]
Rng = np.random.Generator
HIDDEN = (80, 32)
NETS, EPOCHS, BATCH, RATE, DECAY = 2, 60, 256, 2e-3, 3e-2
FOLDS = 5
LONG_PX = 1000
SPARED = 0.995  # share of photographs, in all their states, that the threshold must let through
PHOTOGRAPHS = 4.0  # weight of all photographs together against all graphics
KINDS = [kind for kind in GRAPHIC_KINDS if kind != "gradient"]  # a ramp with noise is what a sky is, too
NOT_PHOTOGRAPHS = {
    "permissive": (
        "17 299 300 301 302 303 304 305 346 347 348 349 350 351 352 359 564 572 573 574 575 576 "
        "577 578 584 585 586 587 595 632 633 634 635 636 637 838 928 1072 1147 1148 1149 1150 "
        "1151 1152 1153 1184 1253 1254 1255 1256 1257 1274 1319 1355 1437 1497 1554 1558 1559 "
        "1560 1561 1562 1563 1564 1570 1571 1572 1573 1574 1586 1597 1628 1693 1740 1815 1872 "
        "1900 1949 2101 2102 2103 2104 2105 2154 2240 2241 2242 2243 2244 2245 2278 2352 2353 "
        "2354 2446 2447 2448 2449 2450 2451 2452 2460 2562 2656 2712 2713 2714 2715 2716 2717 "
        "2718 2760 2771 2825 2860 2956 2993"
    ),
    "research": ("1245 1419 2841"),
}
"""Charts, logos, drawings and flat wallpapers among the pictures of the shards, by name and number."""
HOLES = [kind for kind in DAMAGES if kind not in ("noise", "blur")]


def photographs(shards: list[Path], every: int, dropped: set[str]) -> Iterator[tuple[str, Picture8]]:
    """Names and pictures of the shards."""
    for shard in shards:
        with tarfile.open(shard) as archive:
            for member in [each for each in archive.getmembers() if each.isfile()][::every]:
                data = archive.extractfile(member)
                if data is not None and member.name not in dropped:
                    yield member.name, np.asarray(Image.open(io.BytesIO(data.read())).convert("RGB"))


def _dropped() -> set[str]:
    return {f"{name}{int(n):06d}.webp" for name, text in NOT_PHOTOGRAPHS.items() for n in text.split()}


def compressed(image: Picture8, quality: int) -> Picture8:
    """Through JPEG."""
    data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1])


def resized(image: Picture8, factor: float, rng: Rng) -> Picture8:
    """Smoothly larger or smaller, in one of the usual ways."""
    ways = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4) if factor > 1 else (cv2.INTER_AREA,)
    way = ways[int(rng.integers(len(ways)))]
    size = [max(40, round(side * factor)) for side in image.shape[:2]]
    return np.asarray(cv2.resize(image, (size[1], size[0]), interpolation=way), np.uint8)


def toned(image: Picture8, rng: Rng) -> Picture8:
    """Grey, sepia, faded, hard, dark as at night, washed out."""
    plane = image.astype(np.float32) / 255
    if rng.random() < 0.6:
        plane = plane.mean(axis=2, keepdims=True).repeat(3, axis=2)
        if rng.random() < 0.5:
            plane = plane ** np.array([0.8, 1.0, rng.uniform(1.0, 1.6)], np.float32)
    chance = rng.random()
    if chance < 0.35:  # faded
        low, high = rng.uniform(0, 0.35), rng.uniform(0.55, 1.0)
        plane = low + (high - low) * plane
    elif chance < 0.5:  # night
        plane = plane ** rng.uniform(1.5, 2.8) * rng.uniform(0.35, 0.9)
    elif chance < 0.62:  # burnt out
        plane = plane * rng.uniform(1.2, 1.8)
    elif chance < 0.74:  # hard
        plane = 0.5 + (plane - 0.5) * rng.uniform(1.2, 1.8)
    return np.asarray(np.clip(np.rint(plane * 255), 0, 255), np.uint8)


def grainy(image: Picture8, rng: Rng) -> Picture8:
    """Noise of a sensor or the grain of film."""
    height, width = image.shape[:2]
    noise = rng.standard_normal((height, width, 1 if rng.random() < 0.6 else 3), dtype=np.float32)
    if rng.random() < 0.5:
        sigma = rng.uniform(0.5, 1.6)
        noise = cv2.GaussianBlur(noise, (0, 0), sigma).reshape(noise.shape)
        noise = noise / noise.std()
    strength = float(np.exp(rng.uniform(np.log(1), np.log(28))))
    return np.clip(np.rint(image + strength * noise), 0, 255).astype(np.uint8)


def bordered(image: Picture8, rng: Rng) -> Picture8:
    """A white, black or paper border, with a caption at times; or a print on the scanner's bed."""
    tone = [(255, 255, 255), (0, 0, 0), (235, 225, 200), (250, 248, 240), (30, 30, 30)][int(rng.integers(5))]
    short = min(image.shape[:2])
    widths = [int(short * rng.uniform(0.01, 0.14)) for _ in range(4)]
    if rng.random() < 0.3:
        widths[1] = int(short * rng.uniform(0.1, 0.3))
    out = cv2.copyMakeBorder(image, *widths, cv2.BORDER_CONSTANT, value=tone)
    if rng.random() < 0.4:
        drawn = Image.fromarray(out)
        size = max(9.0, min(widths[1] * 0.6, short * 0.06))
        ink = (30, 30, 30) if sum(tone) > 300 else (230, 230, 230)
        words = " ".join("".join(rng.choice(list("aeinorstlm"), 5)) for _ in range(int(rng.integers(1, 5))))
        place = (widths[2] + rng.uniform(0, 0.4) * image.shape[1], out.shape[0] - widths[1] * 0.85)
        ImageDraw.Draw(drawn).text(place, words, fill=ink, font=ImageFont.load_default(size))
        out = np.asarray(drawn)
    if rng.random() < 0.3:
        height, width = out.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, 2.5), rng.uniform(0.8, 1.0))
        bed = [(250, 250, 250), (10, 10, 10), (128, 128, 128)][int(rng.integers(3))]
        out = cv2.warpAffine(out, turn, (width, height), flags=cv2.INTER_LINEAR, borderValue=bed)
    return np.ascontiguousarray(out)


def cut_out(image: Picture8, rng: Rng) -> Picture8:
    """What is shown in an oval or an outline, before a plain backdrop: studio portraits, goods, vignettes."""
    height, width = image.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    r = np.hypot(
        (x / width - rng.uniform(0.4, 0.6)) / rng.uniform(0.22, 0.45),
        (y / height - 0.5) / rng.uniform(0.25, 0.48),
    )
    wave = smooth_plane((height, width), min(height, width) / 3, rng) * rng.uniform(0, 0.15)
    edge = float(rng.choice([0.01, 0.02, 0.15, 0.4]))
    inside = np.clip((1 - r + wave) / edge, 0, 1)[:, :, None]
    tone = np.asarray(
        [(255,) * 3, (245,) * 3, (0,) * 3, (235, 228, 210), (200,) * 3][int(rng.integers(5))], np.float32
    )
    shading = 1 + float(rng.choice([0, 0, 0.05, 0.15])) * ((y / height - 0.5) + (x / width - 0.5))[:, :, None]
    ground = np.clip(tone * shading, 0, 255)
    return np.asarray(np.rint(ground + (image - ground) * inside), np.uint8)


def blanked(image: Picture8, rng: Rng) -> Picture8:
    """A wide area without a picture: lost, painted over, not received."""
    out = image.copy()
    height, width = image.shape[:2]
    tone = int(rng.choice([0, 255, 128, 240]))
    if rng.random() < 0.5:
        share = float(rng.uniform(0.1, 0.5))
        side = int(rng.integers(4))
        cut = (slice(None), slice(None))
        cut = [
            (slice(0, int(share * height)), slice(None)),
            (slice(int((1 - share) * height), None), slice(None)),
            (slice(None), slice(0, int(share * width))),
            (slice(None), slice(int((1 - share) * width), None)),
        ][side]
        out[cut] = tone
    else:
        for _ in range(int(rng.integers(1, 5))):
            h, w = int(rng.uniform(0.08, 0.4) * height), int(rng.uniform(0.08, 0.4) * width)
            top, left = int(rng.integers(0, height - h)), int(rng.integers(0, width - w))
            out[top : top + h, left : left + w] = tone
    return out


def as_kept(photo: Picture8, rng: Rng) -> tuple[Picture8, str]:
    """A photograph in one of the states it comes in, and what was done to it."""
    done: list[str] = []

    def maybe(chance: float, name: str) -> bool:
        if rng.random() < chance:
            done.append(name)
            return True
        return False

    image = photo
    if maybe(0.2, "scene"):
        image = scene(image, seed=rng)
    if maybe(0.4, "toned"):
        image = toned(image, rng)
    if maybe(0.08, "cut-out"):
        image = cut_out(image, rng)
    if maybe(0.5, "resized"):
        limit = LONG_PX / max(image.shape[:2])
        factor = float(np.exp(rng.uniform(np.log(0.35), np.log(8))))
        image = resized(image, min(factor, limit), rng)
    if maybe(0.25, "blurred"):
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 4)), np.uint8)
    if maybe(0.12, "sharpened"):
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 2.5))
        image = np.asarray(cv2.addWeighted(image, 1 + (a := rng.uniform(0.4, 1.6)), soft, -a, 0), np.uint8)
    if maybe(0.35, "grainy"):
        image = grainy(image, rng)
    if maybe(0.25, "bordered"):
        image = bordered(image, rng)
    if maybe(0.5, "damaged"):
        for kind in rng.choice(HOLES, int(rng.integers(1, 4))).tolist():
            image, _ = damage_picture(image, kind, seed=int(rng.integers(1 << 30)))
    if maybe(0.1, "blanked"):
        image = blanked(image, rng)
    if maybe(0.5, "jpeg"):
        image = compressed(image, int(rng.integers(20, 96)))
    if maybe(0.06, "enlarged after"):
        image = resized(image, min(float(rng.uniform(1.5, 4)), LONG_PX / max(image.shape[:2])), rng)
    if maybe(0.06, "turned negative"):
        image = 255 - image
    return np.ascontiguousarray(image), " ".join(done) or "as it is"


def as_shown(kind: str, photo: Picture8, fonts: list[str], rng: Rng) -> tuple[Picture8, str]:
    """A graphic of ``kind`` in one of the sizes and states it comes in, and its finish."""
    long = float(np.exp(rng.uniform(np.log(180), np.log(LONG_PX))))
    size = (max(64, int(long * rng.uniform(0.5, 1.0))), int(long))
    if rng.random() < 0.5:
        size = size[::-1]
    finish = FINISHES[int(rng.choice(4, p=[0.35, 0.2, 0.3, 0.15]))]
    after = photo if rng.random() < 0.85 else None
    image = graphic(size, seed=rng, kind=kind, fonts=fonts, photo=after, finish=finish)
    if rng.random() < 0.06:
        image = 255 - image
    if rng.random() < 0.15:  # a smaller part on a sheet
        tone = [int(v) for v in np.median(image.reshape(-1, 3), axis=0)] if rng.random() < 0.5 else [255] * 3
        most = 0.3 if rng.random() < 0.6 else 1.5
        widths = [int(min(size) * rng.uniform(0.02, most)) for _ in range(4)]
        image = cv2.copyMakeBorder(image, *widths, cv2.BORDER_CONSTANT, value=tone)
    if rng.random() < 0.08:
        image = np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)[:LONG_PX, :LONG_PX]
    if rng.random() < 0.1:
        image, _ = damage_picture(
            np.ascontiguousarray(image), str(rng.choice(HOLES)), seed=int(rng.integers(1 << 30))
        )
    if rng.random() < 0.1:
        image = np.clip(np.rint(image + rng.uniform(1, 8) * rng.standard_normal(image.shape)), 0, 255).astype(
            np.uint8
        )
    if rng.random() < 0.15:
        image = compressed(image, int(rng.integers(30, 96)))
    return np.ascontiguousarray(image), finish


def measure(options: argparse.Namespace) -> dict[str, NDArray[np.generic]]:
    """Signs, nature, group (kind, or state of a photograph) and name of everything."""
    fonts = sorted(str(path) for path in options.fonts.rglob("*.[to]tf")) if options.fonts else []
    rows: list[tuple[NDArray[np.float32], int, str, str]] = []
    pool: list[Picture8] = []
    for index, (name, photo) in enumerate(photographs(options.shards, options.every, _dropped())):
        rng = np.random.default_rng([options.seed, index])
        rows.append((signs_of(photo), 0, "as it is", name))
        for _ in range(options.states):
            kept, state = as_kept(photo, rng)
            rows.append((signs_of(kept), 0, state, name))
        if index % 5 == 0:
            pool.append(photo)
    for place, kind in enumerate(KINDS):
        for index in range(options.graphics):
            rng = np.random.default_rng([options.seed, place, index, 1])
            shown, _ = as_shown(kind, pool[int(rng.integers(len(pool)))], fonts, rng)
            rows.append((signs_of(shown), NATURES.index(GRAPHIC_KINDS[kind]), kind, f"{kind}{index}"))
    signs, natures, groups, names = zip(*rows, strict=True)
    return {
        "signs": np.stack(signs),
        "natures": np.asarray(natures),
        "groups": np.asarray(groups),
        "names": np.asarray(names),
    }


Layers = list[tuple[NDArray[np.float32], NDArray[np.float32]]]


def fit(x: NDArray[np.float32], y: NDArray[np.intp], weight: NDArray[np.float32], *, seed: int) -> Layers:
    """A perceptron with softmax output: AdamW, cosine decay, weighted cross-entropy, noise on the signs."""
    rng = np.random.default_rng(seed)
    sizes = (x.shape[1], *HIDDEN, len(NATURES))
    values = [rng.normal(0, np.sqrt(2 / a), (a, b)).astype(np.float32) for a, b in itertools.pairwise(sizes)]
    depth = len(values)
    values += [np.zeros(n, np.float32) for n in sizes[1:]]
    first, second = [np.zeros_like(v) for v in values], [np.zeros_like(v) for v in values]
    batch_size = min(BATCH, len(x))
    steps, step = EPOCHS * (len(x) // batch_size), 0
    weight = weight / weight.mean()
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - batch_size + 1, batch_size):
            batch = order[start : start + batch_size]
            noisy = x[batch] + 0.15 * rng.standard_normal((batch_size, x.shape[1]), dtype=np.float32)
            noisy = noisy * (rng.random(noisy.shape) > 0.08)  # no sign is to be relied on alone
            layers = [noisy]
            for k in range(depth - 1):
                layers.append(np.maximum(layers[-1] @ values[k] + values[depth + k], 0))
            score = layers[-1] @ values[depth - 1] + values[2 * depth - 1]
            chance = np.exp(score - score.max(axis=1, keepdims=True))
            chance /= chance.sum(axis=1, keepdims=True)
            chance[np.arange(batch_size), y[batch]] -= 1
            slope = (chance * weight[batch, None] / batch_size).astype(np.float32)
            gradients: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * (2 * depth)
            for k in range(depth - 1, -1, -1):
                gradients[k], gradients[depth + k] = layers[k].T @ slope, slope.sum(axis=0)
                if k:
                    slope = (slope @ values[k].T) * (layers[k] > 0)
            step += 1
            rate = RATE * (0.5 + 0.5 * np.cos(np.pi * step / steps)) + 1e-5
            for index, (v, m, s, g) in enumerate(zip(values, first, second, gradients, strict=True)):
                m += 0.1 * (g - m)
                s += 0.01 * (g * g - s)
                move = (m / (1 - 0.9**step)) / (np.sqrt(s / (1 - 0.99**step)) + 1e-8)
                if index < depth:
                    v *= 1 - rate * DECAY
                v -= (rate * move).astype(np.float32)
    return [(values[k], values[depth + k]) for k in range(depth)]


def answer(nets: list[Layers], x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean chances of the networks."""
    total = np.zeros((len(x), len(NATURES)), np.float32)
    for layers in nets:
        values = x
        for weight, bias in layers[:-1]:
            values = np.maximum(values @ weight + bias, 0)
        score = values @ layers[-1][0] + layers[-1][1]
        score = np.exp(score - score.max(axis=1, keepdims=True))
        total += score / score.sum(axis=1, keepdims=True)
    return total / len(nets)


def standard(signs: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and deviation of the signs."""
    return signs.mean(axis=0), signs.std(axis=0) + 1e-4


def weights(natures: NDArray[np.intp]) -> NDArray[np.float32]:
    """Photographs together weigh ``PHOTOGRAPHS`` times what graphics do."""
    is_photo = natures == 0
    ratio = PHOTOGRAPHS * (~is_photo).sum() / max(is_photo.sum(), 1)
    return np.where(is_photo, ratio, 1.0).astype(np.float32)


def train(x: NDArray[np.float32], y: NDArray[np.intp], seed: int, nets: int = NETS) -> list[Layers]:
    """``nets`` networks."""
    return [fit(x, y, weights(y), seed=seed + k) for k in range(nets)]


def main() -> None:
    """Measure, fit in folds, leave kinds out, fit to all, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shards", nargs="*", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--states", type=int, default=2, help="damaged states of each photograph")
    parser.add_argument("--graphics", type=int, default=500, help="graphics of each kind")
    parser.add_argument("--fonts", type=Path, help="a folder with TrueType fonts to set graphics in")
    parser.add_argument("--signs", type=Path, help="keep what was measured here, or read it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--out", type=Path, default=PLACE)
    options = parser.parse_args()
    if options.signs and options.signs.exists():
        table = dict(np.load(options.signs))
    else:
        table = measure(options)
        if options.signs:
            np.savez_compressed(options.signs, **table)
    keep = ~np.isin(table["names"], list(_dropped())) & (table["groups"] != "gradient")
    signs, natures, groups, names = (table[key][keep] for key in ("signs", "natures", "groups", "names"))
    mean, deviation = standard(signs)
    x = np.clip((signs - mean) / deviation, -CLIP, CLIP).astype(np.float32)
    # A picture and its states belong to one fold.
    _, whose = np.unique(names, return_inverse=True)
    fold = np.random.default_rng(0).integers(0, FOLDS, whose.max() + 1)[whose]
    other = np.zeros(len(x), np.float32)
    for k in range(FOLDS):
        nets = train(x[fold != k], natures[fold != k], options.seed, 2)
        other[fold == k] = 1 - answer(nets, x[fold == k])[:, 0]
    photos = natures == 0
    least = round(float(np.clip(np.quantile(other[photos], SPARED), 0.5, 0.95)), 3)
    print(f"least chance {least}; photographs called something else: {(other[photos] >= least).mean():.2%}")
    for word in sorted({word for group in groups[photos] for word in group.split()}):
        there = photos & np.array([word in group.split() for group in groups])
        print(f"  {word}: {(other[there] >= least).mean():.2%} of {there.sum()}")
    if options.signs:
        np.savez_compressed(options.signs.with_suffix(".folds.npz"), other=other, names=names, groups=groups)
    nets = train(x, natures, options.seed)
    card = {
        "made_by": "benchmarks/fit_gate.py",
        "shards": [shard.stem for shard in options.shards],
        "photographs": int(photos.sum()),
        "graphics": int((~photos).sum()),
        "seed": options.seed,
        "signs": list(SIGNS),
        "least": least,
        "mean": np.round(mean.astype(float), 4).tolist(),
        "deviation": np.round(deviation.astype(float), 4).tolist(),
        "nets": [
            [
                {
                    "weight": np.round(w.astype(float), 3).tolist(),
                    "bias": np.round(b.astype(float), 3).tolist(),
                }
                for w, b in net
            ]
            for net in nets
        ],
    }
    options.out.write_text(json.dumps(card) + "\n", encoding="utf-8")
    print("graphics called a photograph: seen kinds | the kind left out")
    for kind in KINDS:
        there = groups == kind
        unseen = 1 - answer(train(x[~there], natures[~there], options.seed, 1), x[there])[:, 0]
        print(
            f"  {kind}: {(other[there] < least).mean():.1%} | {(unseen < least).mean():.1%} of {there.sum()}"
        )


if __name__ == "__main__":
    main()
