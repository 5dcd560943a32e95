"""Reports of clips: CSV by frame, JSON, and one HTML page with curves drawn as SVG."""

from __future__ import annotations

import csv
import html
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remend.evaluation.over_time import CELL_PX, PIECE, Measured
from remend.evaluation.report import check_free, report_files
from remend.io.atomic import write_whole

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["clip_json", "clip_table", "write_clip_report"]

HEADINGS = {
    "psnr_hole": ("PSNR hole dB", 2),
    "ssim_hole": ("SSIM hole", 4),
    "ws_psnr": ("WS-PSNR dB", 2),
    "psnr": ("PSNR dB", 2),
    "ssim": ("SSIM", 4),
    "e_warp": ("E_warp × 1000", 3),
    "flicker": ("flicker, levels", 2),
}
COLOURS = ("#b3446c", "#3c7d9c", "#7a8b2f", "#c57c1c", "#6c58a8", "#4a8f6d")
WIDTH, HEIGHT, LEFT, FOOT = 720, 200, 56, 22


def clip_table(found: Mapping[str, Measured]) -> Table:
    """A line a clip, the truth last."""
    from rich.table import Table

    drawn = Table(title=f"{_count(found)} frames", title_justify="left")
    names = _names(found)
    drawn.add_column("clip", overflow="fold")
    for name in names:
        drawn.add_column(HEADINGS[name][0], justify="right")
    for label, one in found.items():
        means = one.means()
        drawn.add_row(label, *(_number(name, means.get(name)) for name in names))
    return drawn


def clip_json(found: Mapping[str, Measured]) -> dict[str, Any]:
    """Plain data: means, then every metric frame by frame, and spectra."""
    from remend import __version__

    return {
        "remend": __version__,
        "frames": _count(found),
        "rules": {
            "e_warp": "Lai 2018: mean square of a pixel less the one it moves to, samples in [0, 1]; flow of "
            "the truth (DIS), seen in both frames",
            "flicker": f"rms change of output − truth from frame to frame, cells of {CELL_PX} px, levels of "
            f"255; spectrum of at most {PIECE} differences, mean over pieces",
        },
        "clips": {
            label: {
                "means": {name: _finite(value) for name, value in one.means().items()},
                "frames": {name: [_finite(v) for v in values] for name, values in one.frames.items()},
                "e_warp": [_finite(value) for value in one.warping],
                "spectrum": {"cycles_per_frame": one.frequencies, "mean_square": one.spectrum},
            }
            for label, one in found.items()
        },
    }


def write_clip_report(
    found: Mapping[str, Measured], target: Path, *, title: str, overwrite: bool
) -> tuple[Path, ...]:
    """Write ``report.html``, ``report.json`` and ``scores.csv`` into a folder, or one file of such a kind.

    Returns:
        What was written.

    Raises:
        WriteError: a file exists, or the folder cannot be written.
    """
    check_free(target, overwrite=overwrite)
    contents = {
        "html": lambda: _page(found, title),
        "json": lambda: json.dumps(clip_json(found), ensure_ascii=False, indent=1) + "\n",
        "csv": lambda: _csv(found),
    }
    targets = report_files(target)
    for kind, path in targets.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, contents[kind]().encode(), overwrite=overwrite)
    return tuple(targets.values())


def _csv(found: Mapping[str, Measured]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [name for name in _names(found) if name not in ("e_warp", "flicker")]
    writer.writerow(["clip", "frame", *names, "e_warp"])
    for label, one in found.items():
        for number in range(_count(found)):
            row = [one.frames[name][number] if name in one.frames else None for name in names]
            row.append(one.warping[number] if number < len(one.warping) else None)
            writer.writerow([label, number + 1, *("" if _finite(v) is None else v for v in row)])
    return out.getvalue()


def _page(found: Mapping[str, Measured], title: str) -> str:
    """One page that needs nothing else."""
    names = _names(found)
    head = "".join(f"<th>{html.escape(HEADINGS[name][0])}</th>" for name in names)
    rows = ""
    for label, one in found.items():
        means = one.means()
        cells = "".join(f"<td>{_number(name, means.get(name))}</td>" for name in names)
        rows += f"<tr><th>{html.escape(label)}</th>{cells}</tr>"
    numbers = list(range(1, _count(found) + 1))
    curves = [
        _curve(
            HEADINGS[name][0], "frame", {k: (numbers, one.frames.get(name, [])) for k, one in found.items()}
        )
        for name in names
        if name not in ("e_warp", "flicker")
    ]
    warps = {k: (numbers[1:], [1000 * value for value in one.warping]) for k, one in found.items()}
    curves.append(_curve(HEADINGS["e_warp"][0], "to frame", warps))
    spectra = {k: (one.frequencies, [math.sqrt(value) for value in one.spectrum]) for k, one in found.items()}
    curves.append(_curve("change of the error, levels", "cycles a frame", spectra))
    key = "".join(
        f'<span style="color:{COLOURS[n % len(COLOURS)]}">■</span> {html.escape(label)} &nbsp; '
        for n, label in enumerate(found)
    )
    name = html.escape(title)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>' + name + "</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        '<meta name="color-scheme" content="light dark"><style>'
        "body{font:15px/1.5 system-ui,sans-serif;max-width:800px;margin:0 auto;padding:16px}"
        "table{border-collapse:collapse;font-variant-numeric:tabular-nums}.wide{overflow-x:auto}"
        "th,td{padding:4px 12px 4px 0;text-align:right;font-weight:400}th:first-child{text-align:left}"
        "h2{font-size:15px;margin:18px 0 0}svg{width:100%;height:auto}text{font-size:11px;fill:currentColor}"
        f"</style><h1>{name}</h1><p>{_count(found)} frames. {key}</p>"
        f'<div class="wide"><table><tr><th>clip</th>{head}</tr>{rows}</table></div>{"".join(curves)}</html>\n'
    )


def _curve(heading: str, axis: str, lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> str:
    """A heading and a drawing of lines; a line breaks where there is no number."""
    points = [(x, y) for xs, ys in lines.values() for x, y in zip(xs, ys, strict=False) if math.isfinite(y)]
    if not points:
        return ""
    low_x, high_x = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(y for _, y in points), max(y for _, y in points)
    across = (WIDTH - LEFT - 8) / ((high_x - low_x) or 1)
    up = (HEIGHT - FOOT - 12) / ((high - low) or 1)
    drawn = ""
    for number, (label, (xs, ys)) in enumerate(lines.items()):
        path, down = "", False
        for x, y in zip(xs, ys, strict=False):
            if math.isfinite(y):
                place = f"{LEFT + (x - low_x) * across:.1f} {HEIGHT - FOOT - (y - low) * up:.1f}"
                path += f"{'L' if down else 'M'}{place}"
            down = math.isfinite(y)
        colour = COLOURS[number % len(COLOURS)]
        drawn += f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5">'
        drawn += f"<title>{html.escape(label)}</title></path>"
    foot = HEIGHT - 6
    drawn += f'<text x="{LEFT - 6}" y="16" text-anchor="end">{high:.4g}</text>'
    drawn += f'<text x="{LEFT - 6}" y="{HEIGHT - FOOT}" text-anchor="end">{low:.4g}</text>'
    drawn += f'<text x="{LEFT}" y="{foot}">{low_x:.4g}</text>'
    drawn += f'<text x="{WIDTH - 8}" y="{foot}" text-anchor="end">{high_x:.4g} {html.escape(axis)}</text>'
    named = html.escape(heading)
    return (
        f'<h2>{named}</h2><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{named}">{drawn}</svg>'
    )


def _names(found: Mapping[str, Measured]) -> list[str]:
    known = {name for one in found.values() for name in one.means()}
    return [name for name in HEADINGS if name in known]


def _count(found: Mapping[str, Measured]) -> int:
    return len(found["truth"].warping) + 1


def _number(name: str, value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value * (1000 if name == 'e_warp' else 1):.{HEADINGS[name][1]}f}"


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
