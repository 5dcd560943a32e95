"""`make demo`: repair every picture of this folder, as a user would, and draw before | mask | after.

Pictures with a ``_mask.png`` beside them are repaired where the mask says; for the others the damage
is found. Sheets and repaired files go to demo/. With ``--docs`` the pictures of the README are written too.
"""

import sys
from pathlib import Path

import numpy as np
import PIL.Image

from remend.explain import draw_sheet
from remend.finding import Finding
from remend.io import read_picture
from remend.options import MaskOptions, Settings
from remend.pipeline import Restored
from remend.repairing import repair_file
from remend.samples import eight_bit

HERE = Path(__file__).parent
OUT = HERE.parent / "demo"
DOCS = HERE.parent / "docs" / "images"

# Wide holes with texture around them deserve the slower quality.
QUALITY = {"gravel-hole": "best", "cat-blocks": "best"}
# Masks drawn tightly round what has soft edges, or lies in a JPEG's coarse chroma: --dilate-px 2.
DILATE_PX = {"cup-stamped": 2, "print-cracked": 1}


def repair_example(path: Path) -> np.ndarray:
    """Repair one example; its sheet at full size."""
    mask = path.with_name(f"{path.stem}_mask.png")
    before = np.ascontiguousarray(eight_bit(read_picture(path)))
    found: list[Finding] = []

    def keep(_: Restored, finding: Finding) -> None:
        found.append(finding)

    target = OUT / f"{path.stem}{path.suffix}"
    report = repair_file(
        path,
        target,
        mask=mask if mask.exists() else None,
        options=MaskOptions(dilate_px=DILATE_PX.get(path.stem)),
        settings=Settings(quality=QUALITY.get(path.stem, "balanced")),
        overwrite=True,
        inspect=keep,
    )
    spent = sum(report.seconds.values())
    print(f"{path.name}: {100 * report.hole_ratio:.1f} % repaired in {spent:.2f} s → {target}")
    return draw_sheet(before, found[0].mask, eight_bit(read_picture(target)))


def main() -> None:
    """Repair them all."""
    OUT.mkdir(exist_ok=True)
    for path in sorted(HERE.iterdir()):
        if path.suffix not in {".jpg", ".png"} or path.stem.endswith("_mask"):
            continue
        sheet = PIL.Image.fromarray(repair_example(path))
        sheet.save(OUT / f"{path.stem}.sheet.png")
        if "--docs" in sys.argv:
            sheet.thumbnail((1500, 420))
            sheet.save(DOCS / f"example-{path.stem}.webp", quality=82)


if __name__ == "__main__":
    main()
