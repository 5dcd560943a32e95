"""Draw the validation of several runs into one SVG, written by hand: no plotting library is needed.

python -m benchmarks.curves psnr pretrained=runs/pretrained scratch=runs/scratch -o curves.svg
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from xml.sax.saxutils import escape

Curve = list[tuple[float, float]]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 64, 24, 28, 48
# Told apart by dashes too, for those who do not see colours.
STROKES = (("#1b6ca8", ""), ("#c8553d", "6 4"), ("#3c7a3f", "2 3"), ("#7a4fa3", "10 3 2 3"))


def read(run: Path, column: str) -> Curve:
    """(samples, value) of a run's ``validation.csv``."""
    with (run / "validation.csv").open(encoding="utf-8") as file:
        return [(float(row["samples"]), float(row[column])) for row in csv.DictReader(file)]


def ticks(low: float, high: float) -> list[float]:
    """Four to eight round numbers from ``low`` to ``high``.

    >>> ticks(0, 12000)
    [0, 2000, 4000, 6000, 8000, 10000, 12000]
    """
    span = high - low
    unit = 10.0 ** (len(str(int(1e9 * span / 8))) - 10)
    step = next(unit * factor for factor in (1, 2, 5, 10, 20) if span / (unit * factor) <= 8)
    first = -int(-low // step)
    return [round(n * step, 9) for n in range(first, int(high // step) + 1)]


def draw(curves: dict[str, Curve], title: str) -> str:
    """All curves on common axes."""
    xs = [x for curve in curves.values() for x, _ in curve]
    ys = [y for curve in curves.values() for _, y in curve]
    margin = 0.08 * (max(ys) - min(ys) or 1)
    left, right, low, high = 0.0, max(xs), min(ys) - margin, max(ys) + margin

    def at(x: float, y: float) -> tuple[float, float]:
        across = LEFT + (x - left) / (right - left) * (WIDTH - LEFT - RIGHT)
        return across, HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="13" role="img" aria-label="{escape(title)}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="18" font-weight="bold">{escape(title)}</text>',
    ]
    for y in ticks(low, high):
        _, down = at(left, y)
        parts.append(f'<path d="M{LEFT} {down:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{down + 4:.1f}" text-anchor="end">{y:g}</text>')
    for x in ticks(left, right):
        across, _ = at(x, low)
        label = f"{x:,.0f}"
        parts.append(f'<text x="{across:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{label}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">crops seen</text>')
    for number, (name, curve) in enumerate(curves.items()):
        colour, dashes = STROKES[number % len(STROKES)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in curve))
        line = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
        parts.append(f'<polyline points="{points}" fill="none" {line}/>')
        down = HEIGHT - BOTTOM - 14 - 18 * (len(curves) - 1 - number)
        parts.append(f'<path d="M{WIDTH - 190} {down - 4}h34" {line}/>')
        parts.append(f'<text x="{WIDTH - 148}" y="{down}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>\n"])


def main() -> None:
    """Read the runs, write the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("column", help="of validation.csv: psnr, psnr_thin, sharp_centre …")
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN")
    parser.add_argument("--title", default="")
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    named = dict(run.partition("=")[::2] for run in options.runs)
    curves = {name: read(Path(run), options.column) for name, run in named.items()}
    options.out.write_text(draw(curves, options.title or options.column), encoding="utf-8")


if __name__ == "__main__":
    main()
