"""Text over a picture: captions, subtitles, inscriptions, ink stamps, and the dates of cameras."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from remend.damage.synth.dates import camera_date
from remend.damage.synth.glyphs import Fonts, pasted, pick_face, render, scaled, thickened, turned, words
from remend.damage.synth.layers import Layer, new_opacity
from remend.damage.synth.noise import Seed, as_generator, smooth_plane
from remend.damage.synth.watermark import watermark
from remend.picture import Float

__all__ = ["TextStyle", "text"]

TextStyle = Literal["caption", "subtitle", "inscription", "stamp", "date", "watermark"]
_STYLES: tuple[TextStyle, ...] = ("caption", "subtitle", "inscription", "stamp", "date")
_Colour = tuple[int, int, int]


def text(
    size: tuple[int, int],
    *,
    seed: Seed,
    count: int | None = None,
    style: TextStyle | None = None,
    fonts: Fonts = (),
) -> list[Layer]:
    """Text burnt into a picture.

    ``caption``: one to three lines anywhere, in any colour, plain, outlined, with a shadow or on a box.
    ``subtitle``: white or yellow, in the middle below. ``inscription``: a number or a line as a pen wrote it
    on the negative or the print. ``stamp``: an ink stamp, framed or not, turned, unevenly inked. ``date``: in
    a corner, of segments, dots or type, orange, red, yellow, green or white; glowing where film was exposed.
    ``watermark``: what ``watermark`` draws; only where asked for.

    Args:
        size: (height, width) in pixels.
        seed: an int, or a generator to draw from.
        count: pieces of text; None draws one, rarely two.
        style: which; None draws one for each piece.
        fonts: paths of fonts to letter with, beside those that Pillow and OpenCV bring.

    Raises:
        UsageError: one of ``fonts`` cannot be read.

    Cost: one render of the text at its own size a piece; 1–4 ms at 512².
    """
    rng = as_generator(seed, "text")
    layers: list[Layer] = []
    for _ in range(count if count is not None else 1 + int(rng.random() < 0.2)):
        chosen = style or _STYLES[int(rng.choice(len(_STYLES), p=[0.3, 0.15, 0.15, 0.15, 0.25]))]
        if chosen == "watermark":
            layers += watermark(size, seed=rng, count=1, fonts=fonts)
        elif chosen == "date":
            layers += camera_date(size, rng, fonts)
        elif chosen == "stamp":
            layers += _stamp(size, rng, fonts)
        elif chosen == "inscription":
            layers += _inscription(size, rng, fonts)
        else:
            layers += _caption(size, rng, fonts, subtitle=chosen == "subtitle")
    return layers


def _caption(size: tuple[int, int], rng: np.random.Generator, fonts: Fonts, *, subtitle: bool) -> list[Layer]:
    height, width = size
    tall = max(
        7.0, min(size) * float(np.exp(rng.uniform(*np.log((0.03, 0.08) if subtitle else (0.03, 0.16)))))
    )
    lines, face = int(rng.integers(1, 3 if subtitle else 4)), pick_face(rng, fonts)
    longest = max(2, int(width / (0.6 * tall) / 6))
    covers = [render(words(rng, (1, min(6, longest))), tall, face) for _ in range(lines)]
    # Too long a line is set smaller, all of them alike.
    fit = min(1.0, 0.96 * width / max(cover.shape[1] for cover in covers))
    if fit < 1:
        covers = [scaled(cover, fit) for cover in covers]
        tall *= fit
    lead = tall * float(rng.uniform(1.1, 1.5))
    block = int(lead * (lines - 1) + tall)
    place = rng.choice(["below", "above", "anywhere"], p=[1, 0, 0] if subtitle else [0.45, 0.2, 0.35])
    room = max(1, height - block)
    top = {
        "below": int(height - block - tall * rng.uniform(0.3, 1.6)),
        "above": int(tall * rng.uniform(0.2, 1.2)),
        "anywhere": int(rng.uniform(0, room)),
    }[str(place)]
    align = 0.5 if subtitle else float(rng.choice([0.0, 0.5, 1.0], p=[0.3, 0.5, 0.2]))
    margin = int(width * rng.uniform(0.02, 0.06))
    fill = new_opacity(size)
    for index, cover in enumerate(covers):
        left = margin + int(align * (width - 2 * margin - cover.shape[1]))
        pasted(fill, cover, top + int(index * lead), left)
    colour = _text_colour(rng, subtitle)
    layers = _behind(fill, tall, (top, block), colour, rng)
    opaque = float(rng.uniform(0.75, 1.0))
    return [*layers, Layer(np.asarray(fill * np.float32(opaque)), "bright", colour=colour, grain=0)]


def _behind(
    fill: Float, tall: float, at: tuple[int, int], colour: _Colour, rng: np.random.Generator
) -> list[Layer]:
    """What sets lettering off from the picture: an outline, a shadow, a box, or nothing."""
    finish = rng.choice(["outline", "shadow", "box", "plain"], p=[0.4, 0.2, 0.15, 0.25])
    light = sum(colour) > 300
    back: _Colour = (8, 8, 8) if light else (245, 245, 245)
    if finish == "outline":
        by = max(1, round(tall / rng.uniform(10, 22)))
        rim = thickened(fill, by)[by:-by, by:-by]
        return [Layer(np.ascontiguousarray(rim), "dark", colour=back, grain=0)]
    if finish == "shadow":
        by = max(1, round(tall / rng.uniform(8, 16)))
        shade = np.zeros_like(fill)
        shade[by:, by:] = fill[:-by, :-by]
        soft = cv2.GaussianBlur(shade, (0, 0), max(0.4, by * float(rng.uniform(0.2, 0.8))))
        return [Layer(np.asarray(soft * np.float32(0.85), np.float32), "dark", colour=back, grain=0)]
    if finish == "box":
        box = new_opacity(fill.shape)
        columns = np.flatnonzero(fill.any(axis=0))
        if columns.size:
            pad = round(0.35 * tall)
            whole = rng.random() < 0.3
            left, right = (0, fill.shape[1]) if whole else (int(columns[0]) - pad, int(columns[-1]) + pad + 1)
            rows = slice(max(0, at[0] - pad), max(0, at[0] + at[1] + pad))
            box[rows, max(0, left) : max(0, right)] = float(rng.choice([1.0, rng.uniform(0.35, 0.9)]))
        return [Layer(box, "dark", colour=back, grain=0)]
    return []


def _text_colour(rng: np.random.Generator, subtitle: bool) -> _Colour:
    chance = rng.random()
    if chance < (0.65 if subtitle else 0.45):
        return (255, 255, 255)
    if chance < 0.8 if subtitle else chance < 0.55:
        return (250, 235, int(rng.uniform(20, 120)))
    if subtitle or chance < 0.7:
        return (int(rng.uniform(200, 256)),) * 3
    if chance < 0.85:
        return (int(rng.uniform(0, 30)),) * 3
    # Any colour, saturated.
    low, high, middle = int(rng.uniform(0, 60)), int(rng.uniform(170, 256)), int(rng.uniform(0, 256))
    r, g, b = (int(v) for v in rng.permutation([low, high, middle]))
    return (r, g, b)


def _inscription(size: tuple[int, int], rng: np.random.Generator, fonts: Fonts) -> list[Layer]:
    height, width = size
    tall = max(7.0, min(size) * float(rng.uniform(0.025, 0.08)))
    line = str(int(10 ** rng.uniform(1, 4.5))) + "." if rng.random() < 0.3 else words(rng, (1, 4))
    cover = render(line, tall, pick_face(rng, fonts, script=True))
    if cover.shape[1] > 0.9 * width:
        cover = scaled(cover, 0.9 * width / cover.shape[1])
    # The hand goes up and down, and the pen runs dry.
    h, w = cover.shape
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(-3, h + 3, dtype=np.float32))
    sway = [smooth_plane((h + 6, w), max(4.0, 0.8 * tall), rng, octaves=1) * (0.05 * tall) for _ in range(2)]
    drawn = cv2.remap(cover, x + sway[0], y + sway[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    dry = np.clip(0.9 + 0.25 * smooth_plane((h + 6, w), max(3.0, tall), rng), 0.2, 1)
    cover = np.asarray(drawn * dry * np.float32(rng.uniform(0.5, 0.95)), np.float32)
    cover = turned(cover, float(rng.normal(0, 2.5)))
    top = (
        height - cover.shape[0] - tall * rng.uniform(0.1, 1.5)
        if rng.random() < 0.7
        else tall * rng.uniform(0, 1)
    )
    opacity = new_opacity(size)
    pasted(opacity, cover, int(top), int(rng.uniform(0, max(1, width - cover.shape[1]))))
    # White where it was written on the negative, else the ink of a pen.
    inks: tuple[_Colour, ...] = ((248, 244, 234), (25, 25, 30), (30, 35, 110), (90, 60, 35))
    return [Layer(opacity, "bright", colour=inks[int(rng.choice(4, p=[0.5, 0.2, 0.15, 0.15]))], grain=3)]


def _stamp(size: tuple[int, int], rng: np.random.Generator, fonts: Fonts) -> list[Layer]:
    tall = min(size) * float(rng.uniform(0.04, 0.1))
    inner = render(words(rng, (1, 2)).upper(), tall, pick_face(rng, fonts))
    if inner.shape[1] > 0.8 * size[1]:
        inner = scaled(inner, 0.8 * size[1] / inner.shape[1])
    pad = round(0.5 * tall) + 1
    cover = np.pad(inner, pad)
    frame = max(1, round(tall / rng.uniform(7, 14)))
    kind = rng.choice(["box", "ring", "none"], p=[0.5, 0.25, 0.25])
    if kind == "box":
        corner = (cover.shape[1] - 1 - frame, cover.shape[0] - 1 - frame)
        cv2.rectangle(cover, (frame, frame), corner, 1.0, frame)
    elif kind == "ring":
        side = max(cover.shape)
        up, left = (side - cover.shape[0]) // 2, (side - cover.shape[1]) // 2
        cover = np.pad(cover, ((up, side - cover.shape[0] - up), (left, side - cover.shape[1] - left)))
        for radius in (side // 2 - frame, int(side / 2 - 3.5 * frame)):
            cv2.circle(cover, (side // 2, side // 2), max(1, radius), 1.0, frame, cv2.LINE_AA)
    cover = turned(cover, float(rng.uniform(-25, 25)))
    inked = np.clip(0.85 + 0.3 * smooth_plane(cover.shape, max(4.0, tall / 2), rng), 0, 1)
    grain = np.clip(1.1 + 0.35 * smooth_plane(cover.shape, 2, rng, octaves=1), 0, 1)
    cover = np.asarray(cover * inked * grain * np.float32(rng.uniform(0.6, 0.95)), np.float32)
    opacity = new_opacity(size)
    pasted(
        opacity,
        cover,
        int(rng.uniform(0, max(1, size[0] - cover.shape[0]))),
        int(rng.uniform(0, max(1, size[1] - cover.shape[1]))),
    )
    inks: tuple[_Colour, ...] = ((150, 30, 40), (45, 40, 120), (35, 35, 40), (90, 40, 110))
    return [Layer(opacity, "dark", colour=inks[int(rng.integers(len(inks)))])]
