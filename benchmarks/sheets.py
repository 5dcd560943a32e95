"""`make sheets`: real damaged prints, repaired without any help; before | mask | after, at full size.

Needs ../shared/data, which is not part of the repository. The sheets go to sheets/, which git ignores.
They are there to be looked at: docs/quality.md says what was seen.
"""

from __future__ import annotations

import numpy as np
import PIL.Image

from benchmarks.line import ROOT, SHARED
from remend.api import repair
from remend.damage.given import Polarity
from remend.explain import draw_regions, draw_sheet
from remend.io import read_picture
from remend.job import MaskOptions, find_mask
from remend.samples import eight_bit

FOLDERS = ("scratched", "old", "archive", "text")
POLARITY: dict[str, Polarity] = {"text": "black"}  # these came with the letters black on white
OUT = ROOT / "sheets"


def main() -> None:
    """Repair them all."""
    damaged = SHARED / "damaged"
    if not damaged.is_dir():
        print("needs the real prints of ../shared/data/damaged: nothing done")
        return
    OUT.mkdir(exist_ok=True)
    for folder in FOLDERS:
        for path in sorted((damaged / folder).iterdir()):
            if path.stem.endswith(("_mask", "_clean")):
                continue
            given = path.with_name(f"{path.stem}_mask.png")
            picture = read_picture(path)
            before = np.ascontiguousarray(eight_bit(picture))
            options = MaskOptions(mask_polarity=POLARITY.get(folder, "white"))
            finding = find_mask(picture, given if given.exists() else None, options=options)
            after = repair(before, finding.mask)
            name = f"{folder}-{path.stem}"
            PIL.Image.fromarray(draw_sheet(before, finding.mask, after)).save(OUT / f"{name}.png")
            PIL.Image.fromarray(draw_regions(before, finding.regions)).save(OUT / f"{name}.found.png")
            print(f"{name}: {100 * finding.mask.mean():.2f} % repaired, {len(finding.regions)} regions")


if __name__ == "__main__":
    main()
