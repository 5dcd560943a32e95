"""What is written: words, figures, paragraphs, lines by hand."""

from __future__ import annotations

import numpy as np

from remend.damage.synth.graphics.pen import Colour, Pen, Rng
from remend.damage.synth.noise import smooth_line

__all__ = ["amount", "paragraph", "phrase", "scrawl", "word"]

_SYLLABLES = tuple(
    "an ber co da el fo gri ha in jo ka lu me no or pe qui ra so tu un ve wi xa ya zu the ing ment "  # noqa: SIM905
    "tion er st ch ol ri ble".split()
)


def word(rng: Rng) -> str:
    """A made-up word, at times capitalised, with a mark behind it, or a figure."""
    made = "".join(rng.choice(_SYLLABLES, int(rng.integers(1, 4))))
    chance = rng.random()
    if chance < 0.12:
        return made.capitalize()
    if chance < 0.16:
        return made + ",.;:!?"[int(rng.integers(6))]
    return str(int(rng.integers(1, 3000))) if chance < 0.2 else made


def phrase(rng: Rng, letters: int) -> str:
    """Words of about ``letters`` letters in all."""
    line = word(rng).capitalize() if rng.random() < 0.3 else word(rng)
    while len(line) < letters:
        line += " " + word(rng)
    return line


def amount(rng: Rng) -> str:
    """A figure with two decimals."""
    return f"{rng.uniform(0, 10 ** rng.integers(1, 5)):.2f}"


def paragraph(
    pen: Pen,
    x: float,
    y: float,
    width: float,
    lines: int,
    height: float,
    ink: Colour,
    face: str,
    lead: float,
) -> float:
    """Lines of text from (x, y) down; where the next would begin."""
    letters = max(3, int(width / (0.5 * height)))
    for index in range(lines):
        if y > pen.size[0]:
            break
        last = index == lines - 1
        words = phrase(
            pen.rng, int(letters * (pen.rng.uniform(0.2, 0.9) if last else pen.rng.uniform(0.85, 1.0)))
        )
        pen.text(x, y, words[: letters + 2], height, ink, face, bold=pen.rng.random() < 0.02)
        y += lead * height
    return y


def scrawl(pen: Pen, x: float, y: float, height: float, length: float, ink: Colour, width: float) -> None:
    """A line of joined handwriting on the base line ``y``: loops that slant, with ascenders and gaps."""
    rng = pen.rng
    step = 0.16
    n = max(8, int(length / (0.34 * height) * 2 * np.pi / step))
    t = np.arange(n) * step
    swing = 0.24 * height * (0.75 + 0.45 * smooth_line(n, 14, rng))
    rise = np.where(smooth_line(n, 16, rng) > 0.9, 1.7, 0.75) * 0.42 * height
    wave = -rise * (0.5 - 0.5 * np.cos(t)) + 0.05 * height * smooth_line(n, 60, rng)
    along = x + t / (2 * np.pi) * 0.36 * height + swing * np.sin(t + 0.6) - 0.35 * wave
    path = np.stack([along, y + wave], axis=1).astype(np.float32)
    first = 0
    while first < n:
        last = first + int(rng.integers(60, 260))
        if last - first > 3:
            pen.line(path[first:last], ink, width)
        first = last + int(rng.integers(8, 30))
