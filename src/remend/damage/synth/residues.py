"""What touched a print and left its trace: tape, water, fingers."""

from __future__ import annotations

import numpy as np

from remend.damage.synth.layers import Layer, Tone, new_opacity
from remend.damage.synth.noise import Seed, as_generator, smooth_plane
from remend.damage.synth.patches import veil, window, wobbly_radius
from remend.damage.synth.wear import scale_of
from remend.picture import Float

__all__ = ["fingerprints", "tape", "water_rings"]


def tape(size: tuple[int, int], *, seed: Seed, count: int | None = None) -> list[Layer]:
    """Old adhesive tape: yellowed translucent strips, cut straight or by teeth, or what they left behind.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: strips; None draws 1–4.

    Returns:
        Layers for each strip: its body, and its edges, brighter or darker; ready for ``mask_of`` and
        ``compose``.

    Cost: 2–6 ms a strip at 512².
    """
    rng = as_generator(seed, "tape")
    scale, side = scale_of(size), min(size)
    body, haze, dark, bright = (new_opacity(size) for _ in range(4))
    wide = min(scale * float(np.exp(rng.uniform(np.log(22), np.log(90)))), 0.3 * side)
    veiled = rng.random() < 0.45
    for _ in range(count if count is not None else int(rng.choice([1, 2, 3, 4], p=[0.5, 0.3, 0.12, 0.08]))):
        length = side * float(np.exp(rng.uniform(np.log(0.2), np.log(1.5))))
        at = rng.uniform(0, 1, 2) * [size[1], size[0]]
        turn = float(rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.06))
        if rng.random() < 0.3:
            turn = float(rng.uniform(0, np.pi))
        half = wide * float(rng.uniform(0.9, 1.1)) / 2
        reach = float(np.hypot(length / 2, half)) + 3
        _, dx, dy = window(body, float(at[0]), float(at[1]), reach)
        if not dx.size:
            continue
        c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        along, across = dx * c + dy * s, dy * c - dx * s
        end = np.float32(length / 2) - np.abs(along)
        if rng.random() < 0.4:  # torn off over the teeth of a dispenser
            pitch = scale * float(rng.uniform(3, 7))
            teeth = np.abs((across / np.float32(pitch)) % np.float32(2) - np.float32(1))
            end -= teeth * np.float32(0.7 * pitch)
        inside = np.minimum(end, np.float32(half) - np.abs(across))
        cover = np.clip(inside + np.float32(0.5), 0, 1)
        clouds = veil(dx.shape, max(6.0, 0.7 * wide), rng)
        strength = float(rng.uniform(0.28, 0.7))
        residue = rng.random() < 0.25
        target = window(haze if veiled else body, float(at[0]), float(at[1]), reach)[0]
        if residue:  # the carrier is gone, the glue stayed in patches
            glue = cover * np.clip(
                0.6 + 1.2 * clouds + 0.5 * smooth_plane(dx.shape, 5 * scale, rng, octaves=2), 0, 1
            )
            np.maximum(target, np.asarray(strength * glue, np.float32), out=target)
            continue
        np.maximum(
            target,
            np.asarray(cover * strength * np.clip(1 + 0.18 * clouds, 0.4, 1.35), np.float32),
            out=target,
        )
        # Dirt sticks to the glue that creeps out, and the cut edge catches the light.
        for layer, width_px, peak in (
            (dark, rng.uniform(0.8, 3), rng.uniform(0, 0.55)),
            (bright, 1.0, rng.uniform(0, 0.5)),
        ):
            edge = np.exp(-((inside / np.float32(scale * width_px)) ** 2)) * np.clip(1 + 0.3 * clouds, 0, 1.5)
            part = window(layer, float(at[0]), float(at[1]), reach)[0]
            np.maximum(part, np.asarray(np.clip(peak * edge, 0, 0.8), np.float32), out=part)
    level = rng.uniform(0.8, 1.0)
    colour = (int(225 * level), int(rng.uniform(190, 212) * level), int(rng.uniform(115, 165) * level))
    return [
        Layer(haze, "bright", colour=colour, grain=1.5) if veiled else Layer(body, "brown", grain=0),
        Layer(dark, "dark", colour=(70, 55, 35), grain=2),
        Layer(bright, "bright", grain=2),
    ]


def water_rings(size: tuple[int, int], *, seed: Seed, count: int | None = None) -> list[Layer]:
    """Tide lines: thin irregular contours where water dried, the inside a little darker or paler.

    The line is sharp outwards and soft inwards, darker in places; several tides leave several lines. Half of
    them reach over the side of the picture.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: how many; None draws 1–4.

    Returns:
        The insides, then the lines, ready for ``mask_of`` and ``compose``.

    Cost: 2–8 ms each at 512².
    """
    rng = as_generator(seed, "water rings")
    scale, side = scale_of(size), min(size)
    inner, lines = new_opacity(size), new_opacity(size)
    for _ in range(count if count is not None else int(rng.integers(1, 5))):
        radius = side * float(np.exp(rng.uniform(np.log(0.05), np.log(0.4))))
        at = rng.uniform(0, 1, 2) * [size[1], size[0]]
        if rng.random() < 0.5:
            axis = int(rng.integers(2))
            at[axis] = rng.choice([0, (size[1], size[0])[axis]]) + rng.normal(0, 0.4 * radius)
        x, y = float(at[0]), float(at[1])
        part, dx, dy = window(lines, x, y, 1.8 * radius)
        if not part.size:
            continue
        inside = np.float32(radius) - wobbly_radius(dx, dy, 0.1, rng)
        inside += np.float32(0.07 * radius) * veil(dx.shape, 0.5 * radius, rng)
        inside += np.float32(scale) * veil(dx.shape, 12 * scale, rng, octaves=2)
        uneven = np.clip(0.75 + 0.4 * veil(dx.shape, max(6.0, 0.5 * radius), rng, octaves=2), 0.1, 1.3)
        strength = float(rng.uniform(0.3, 0.85))
        offset = 0.0
        for _ in range(int(rng.choice([1, 2, 3], p=[0.6, 0.28, 0.12]))):
            wide = scale * float(np.exp(rng.uniform(np.log(1.3), np.log(8))))
            u = inside - np.float32(offset)
            line = np.where(
                u < 0,
                np.exp(-((u / np.float32(0.45 * wide)) ** 2)),
                np.exp(np.minimum(-u / np.float32(wide), 0)),
            )
            np.maximum(part, np.asarray(np.clip(strength * line * uneven, 0, 0.9), np.float32), out=part)
            offset += scale * float(rng.uniform(4, 20))
            strength *= float(rng.uniform(0.5, 0.9))
        within = window(inner, x, y, 1.8 * radius)[0]
        tint = np.clip(inside / 2, 0, 1) * float(rng.choice([0.0, rng.uniform(0.1, 0.4)], p=[0.25, 0.75]))
        # Dirt was carried to the rim: the tint fades towards the middle.
        tint = tint * np.exp(-np.maximum(inside, 0) / np.float32(radius * rng.uniform(0.2, 2.0)))
        np.maximum(within, tint.astype(np.float32), out=within)
    tone: Tone = "bright" if rng.random() < 0.3 else "brown"
    if tone == "bright":  # washed out: paler by little
        inner *= np.float32(0.55)
    if rng.random() < 0.15:
        return [Layer(inner, tone, grain=0), Layer(0.5 * lines, "dark", grain=1.5)]
    return [Layer(inner, tone, grain=0), Layer(lines, "brown", grain=1.5)]


def fingerprints(size: tuple[int, int], *, seed: Seed, count: int | None = None) -> list[Layer]:
    """Fingerprints: ridges in whorls, loops or arches, faint, pressed unevenly.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: how many; None draws 1–4.

    Returns:
        One layer, bright or dark, ready for ``mask_of`` and ``compose``.

    Cost: 2–4 ms each.
    """
    rng = as_generator(seed, "fingerprints")
    scale = scale_of(size)
    opacity = new_opacity(size)
    for _ in range(count if count is not None else int(rng.choice([1, 2, 3, 4], p=[0.5, 0.25, 0.15, 0.1]))):
        tall = min(scale * float(rng.uniform(60, 150)), 0.7 * min(size))
        at = rng.uniform(0.05, 0.95, 2) * [size[1], size[0]]
        _print(opacity, (float(at[0]), float(at[1])), tall, float(rng.uniform(0.2, 0.55)), rng)
    tone: Tone = "bright" if rng.random() < 0.6 else "dark"
    return [Layer(opacity, tone, grain=2)]


def _print(
    opacity: Float, at: tuple[float, float], tall: float, strength: float, rng: np.random.Generator
) -> None:
    part, dx, dy = window(opacity, *at, 0.75 * tall)
    if not part.size:
        return
    turn = float(rng.normal(0, 0.7))
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u, v = dx * c + dy * s, dy * c - dx * s
    period = tall / float(rng.uniform(13, 21))
    shape = part.shape
    bent = np.float32(period) * veil(shape, max(8.0, 0.35 * tall), rng, octaves=2)
    kind = rng.choice(["whorl", "loop", "arch"], p=[0.4, 0.4, 0.2])
    if kind == "whorl":
        spiral = np.arctan2(v, u) * np.float32(period / (2 * np.pi) * rng.choice([-1, 0, 1, 2]))
        phase = np.hypot(1.25 * u, v) + spiral
    elif kind == "loop":
        # Ridges run round the end of a ray: parallel below it, half circles above.
        lean = u + 0.35 * v
        phase = np.where(v > 0, np.abs(lean), np.hypot(lean, v))
    else:
        phase = v + np.float32(0.3 * tall) * np.exp(-((u / np.float32(0.2 * tall)) ** 2))
    ridges = np.cos((phase + bent) * np.float32(2 * np.pi / period))
    pores = smooth_plane(shape, max(1.5, 0.4 * period), rng, octaves=1)
    ridges = np.clip(0.45 + 0.9 * ridges + 0.3 * pores, 0, 1)
    rim = 1 - np.hypot(u / np.float32(0.36 * tall), v / np.float32(0.5 * tall))
    rim = rim + 0.12 * veil(shape, max(8.0, 0.4 * tall), rng)
    pressed = np.clip(rim / 0.18, 0, 1) * np.clip(
        0.85 + 0.35 * veil(shape, max(8.0, 0.3 * tall), rng), 0, 1.2
    )
    grease = float(rng.uniform(0, 0.25))
    np.maximum(part, np.asarray(strength * pressed * np.clip(ridges + grease, 0, 1), np.float32), out=part)
