"""Learning from 10 and 50 pictures at equal budget: from weights taught elsewhere, and from scratch.

    python -m benchmarks.few_shot [--taught 8000] [--budget 3000]

A small `remend` is taught on photographs of all kinds; then faces are learned from a few of them, by the
same recipe and for the same number of crops, once from those weights and once from none. Hole PSNR of the
averaged weights on a hundred faces that were set aside, beside the base fill's. Crops of 64², L1 alone: this
shows that transfer works, not what a net of full size gains. Without the shared pictures made ones stand in.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.line import SHARED, print_line
from benchmarks.tiny_training import write_photos

FEW = (10, 50)
RECIPE: dict[str, Any] = {
    "net": "remend",
    "options": {"widths": [16, 24, 48], "dilations": [1, 2, 4]},
    "data": {"crop_px": 64, "validation_px": 64, "validation": 100, "thin": 0.2, "box": 0.3, "large": 0.0},
    "loss": {"perceptual": 0.0},
    "train": {"batch": 8, "warmup": 400, "lr": 1e-3, "save_minutes": 1000.0, "log_every": 800},
}


def learn(photos: Path, out: Path, crops: int, few: int = 0, weights: str = "") -> dict[str, float]:
    """Train once; the scores at the end."""
    from remend.train.config import from_dict
    from remend.train.request import Run
    from remend.train.run.loop import train

    recipe = from_dict(
        RECIPE
        | {
            "data": RECIPE["data"] | {"few": few},
            "train": RECIPE["train"]
            | {"samples": crops, "validate_every": 10**9, "ema_half_life": max(crops // 20, 8)},
            "transfer": {"weights": weights},
        }
    )
    run = Run(recipe, (photos,), out, accelerator="cpu", precision="32-true", say=lambda _: None)
    return train(run).scores


def base(photos: Path) -> dict[str, float]:
    """What the base fill scores on the same faces."""
    from remend.train.data.pictures import read_pictures
    from remend.train.data.samples import validation_samples
    from remend.train.run.validation import base_scores

    data = RECIPE["data"]
    aside = read_pictures([photos], least_px=data["validation_px"]).split(data["validation"])[1]
    return base_scores(validation_samples(aside, data["validation_px"]))


def main() -> dict[str, object]:
    """Teach, learn from few both ways, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--taught", type=int, default=8_000)
    parser.add_argument("--budget", type=int, default=3_000)
    options = parser.parse_args()
    since = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        every, faces = SHARED / "train" / "permissive-000.tar", SHARED / "train" / "celeba-000.tar"
        if not faces.exists():
            every, faces = write_photos(folder / "every", 80), write_photos(folder / "faces", 80)
        learn(every, folder / "taught", options.taught)
        weights = str(folder / "taught" / "best.safetensors")
        scores = {"base fill": base(faces)["psnr"]}
        for few in FEW:
            for how, source in (("from scratch", ""), ("pretrained", weights)):
                out = folder / f"{few} {how}"
                scores[f"{few} pictures, {how}"] = learn(faces, out, options.budget, few, source)["psnr"]
    return print_line(
        "few_shot",
        what=f"hole PSNR after {options.budget:,} crops; taught on {options.taught:,} of other pictures",
        psnr_hole=scores,
        seconds=round(time.monotonic() - since),
    )


if __name__ == "__main__":
    main()
