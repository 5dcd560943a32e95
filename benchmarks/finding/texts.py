"""Dates and captions: found when asked for, and left alone when not.

Made over Kodak in the fonts that are at hand, and the real pictures with text of the shared data.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.bars import Bar, Measured, MissingError
from benchmarks.finding.counts import Counts, count, mean
from benchmarks.finding.finder import TEXT, effective, found_in
from benchmarks.finding.lettering import Writer, lay_caption, lay_date, writers
from benchmarks.finding.outlines import judged
from benchmarks.finding.pictures import Photograph, photographs, read_rgb, shared

SEED = 14_100


def measure(every: int) -> Measured:
    """Letter every n-th picture of Kodak, once with a date and once with a caption."""
    fonts = writers()
    rows: dict[str, list[Counts]] = {"dates": [], "captions": []}
    by_font: dict[str, list[float]] = {}
    clean, default = [], []
    for photo in photographs(every, sets=("kodak24",)):
        clean.append(float(found_in(photo.pixels, kinds=TEXT).mean()))
        for kind, (font, lettered) in _lettered(photo, fonts).items():
            laid = judged(photo.pixels, lettered)
            row = count(found_in(lettered, kinds=TEXT), laid.truth, laid.undecided)
            rows[kind].append(row)
            by_font.setdefault(font, []).append(row.recall)
            default.append(count(effective(lettered), laid.truth, within_px=0).recall)
    recall = mean(row.recall for of_kind in rows.values() for row in of_kind)
    figures = {
        "pictures": len(clean),
        "fonts": list(by_font),
        "recall": {kind: round(mean(row.recall for row in of_kind), 3) for kind, of_kind in rows.items()},
        "precision": {
            kind: round(mean(row.precision for row in of_kind), 3) for kind, of_kind in rows.items()
        },
        "recall_by_font": {name: round(mean(values), 3) for name, values in by_font.items()},
        "clean_area_percent": round(100 * mean(clean), 4),
        "touched_unasked": sum(share > 0 for share in default),
        "touched_unasked_of": len(default),
        "real": _real(),
    }
    bars = [
        Bar("dates and captions, asked for: recall", recall, 0.95, 0.99),
        Bar("dates and captions, asked for: clean area, %", 100 * mean(clean), 0.3, at_most=True),
        Bar(
            "lettered pictures whose lettering is touched unasked",
            figures["touched_unasked"],
            0,
            at_most=True,
        ),
    ]
    return Measured(figures, bars)


def _lettered(photo: Photograph, fonts: dict[str, Writer]) -> dict[str, tuple[str, NDArray[np.uint8]]]:
    """(font, picture) with a date and with a caption; the fonts take turns."""
    rng = np.random.default_rng([SEED, photo.number])
    names = list(fonts)
    of_date = ("seven segments", *names)[photo.number % (len(names) + 1)]
    of_caption = names[photo.number % len(names)]
    return {
        "dates": (of_date, lay_date(photo.pixels, fonts.get(of_date), rng)),
        "captions": (of_caption, lay_caption(photo.pixels, fonts[of_caption], rng)),
    }


def _real() -> dict[str, object] | str:
    """Recall on real pictures with text, what goes unasked, and the area flagged on the same without."""
    try:
        folder = shared("damaged/text")
    except MissingError as missing:
        return str(missing)
    recalls, unasked, clean = {}, {}, []
    for path in sorted(folder.glob("*_mask.png")):
        name = path.stem.removesuffix("_mask")
        truth = read_rgb(path)[..., 0] >= 128
        lettered = read_rgb(folder / f"{name}.jpg")
        recalls[name] = round(count(found_in(lettered, kinds=TEXT), truth).recall, 3)
        unasked[name] = round(100 * count(effective(lettered), truth, within_px=0).recall, 2)
        clean.append(float(found_in(read_rgb(folder / f"{name}_clean.jpg"), kinds=TEXT).mean()))
    return {
        "recall": recalls,
        "percent_touched_unasked": unasked,
        "clean_area_percent": round(100 * mean(clean), 4),
    }
