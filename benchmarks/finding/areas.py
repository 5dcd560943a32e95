"""Damage of our own generators, kind by kind: F1 within 2 px for lines and specks, overlap for areas."""

from __future__ import annotations

from benchmarks.finding.bars import Bar, Measured
from benchmarks.finding.counts import count, mean, overlap, summary
from benchmarks.finding.finder import found_in
from benchmarks.finding.outlines import judged
from benchmarks.finding.pictures import clean_photographs
from remend.damage.synth import DAMAGES, damage_picture

LEFT_OUT = ("noise", "blur", "text", "watermark")  # the whole picture; found when asked for: see texts
BARS = {
    "cracks": ("f1", 0.65, 0.8),
    "folds": ("f1", 0.65, 0.8),
    "tears": ("iou", 0.6, 0.75),
    "stains": ("iou", 0.5, 0.65),
    "foxing": ("iou", 0.5, 0.65),
}


def measure(every: int) -> Measured:
    """Damage every n-th picture with every kind that there is."""
    figures, bars = {}, []
    for kind in (kind for kind in DAMAGES if kind not in LEFT_OUT):
        rows, overlaps = [], []
        for photo in clean_photographs(every):
            pixels, _ = damage_picture(photo.pixels, kind, seed=photo.number)
            laid = judged(photo.pixels, pixels)
            if laid.truth.any():
                found = found_in(laid.pixels)
                rows.append(count(found, laid.truth, laid.undecided))
                overlaps.append(overlap(found, laid.truth, laid.undecided))
        of_kind = {"pictures": len(rows), **summary(rows), "iou": round(mean(overlaps), 3)}
        figures[kind] = of_kind
        if kind in BARS:
            measure_, must, aim = BARS[kind]
            name = "F1 within 2 px" if measure_ == "f1" else "IoU"
            bars.append(Bar(f"{kind}: {name}", of_kind[measure_], must, aim))
    missing = [kind for kind in BARS if kind not in DAMAGES]
    return Measured({**figures, "not_made_yet": missing}, bars)
