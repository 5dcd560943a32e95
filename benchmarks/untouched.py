"""Untouched means untouched: JPEG coefficients on 50 pictures, and ten repairs in a row.

Beside it, what a tool that decodes and encodes again does to the same pixels.
"""

from __future__ import annotations

import io
import itertools
import tempfile
from pathlib import Path

import jpeglib
import numpy as np
import PIL.Image
from skimage import data

from benchmarks.line import print_line
from remend.api import repair
from remend.damage.synth import make_mask

REPAIRS = 10
KINDS = list(itertools.product((75, 90, 97), (0, 1, 2), (False, True)))  # quality, subsampling, progressive


def sources() -> list[np.ndarray]:
    """Odd and even sizes, colour and grey."""
    astronaut, coffee, chelsea, rocket, camera = (
        getattr(data, name)() for name in ("astronaut", "coffee", "chelsea", "rocket", "camera")
    )
    return [astronaut, coffee, chelsea[:, :449], rocket, camera[:511, :509]]


def touched_blocks(mask: np.ndarray, down: int, across: int, shape: tuple[int, int]) -> np.ndarray:
    """Blocks of 8 × 8 samples, each ``down`` × ``across`` pixels wide, that the mask touches."""
    high, wide = 8 * down, 8 * across
    padded = np.zeros((shape[0] * high, shape[1] * wide), bool)
    rows, columns = min(mask.shape[0], padded.shape[0]), min(mask.shape[1], padded.shape[1])
    padded[:rows, :columns] = mask[:rows, :columns]
    return padded.reshape(shape[0], high, shape[1], wide).any(axis=(1, 3))


def equal_share(before: Path, after: Path, mask: np.ndarray) -> tuple[int, int]:
    """How many untouched blocks there are, and in how many every coefficient is equal."""
    old, new = jpeglib.read_dct(str(before)), jpeglib.read_dct(str(after))
    most = old.samp_factor.max(axis=0)
    untouched = equal = 0
    for index, name in enumerate(("Y", "Cb", "Cr")[: old.num_components]):
        was, now = getattr(old, name), getattr(new, name)
        down, across = most // old.samp_factor[index]
        free = ~touched_blocks(mask, int(down), int(across), was.shape[:2])
        untouched += int(free.sum())
        equal += int((was == now).all(axis=(2, 3))[free].sum())
    return untouched, equal


def main() -> dict[str, object]:
    """Measure and print."""
    untouched = equal = count = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index in range(50):
            image = sources()[index % 5]
            quality, subsampling, progressive = KINDS[index % len(KINDS)]
            path = folder / f"{index}.jpg"
            options = {"quality": quality, "progressive": progressive}
            if image.ndim == 3:
                options["subsampling"] = subsampling
            PIL.Image.fromarray(image).save(path, **options)
            mask = make_mask("scratches", image.shape[:2], seed=index)
            out = repair(path, mask, method="telea", output=folder / f"{index}.out.jpg")
            some, same = equal_share(path, out, mask)
            untouched, equal, count = untouched + some, equal + same, count + 1
        # Ten strokes, one after the other, each saved: what an afternoon of retouching does.
        first = np.array(PIL.Image.open(folder / "0.jpg"))
        path, everything = folder / "0.jpg", np.zeros(first.shape[:2], bool)
        bare = first
        for stroke in range(REPAIRS):
            mask = np.zeros(first.shape[:2], bool)
            mask[40 * stroke + 5 : 40 * stroke + 9, 50:200] = True
            everything |= mask
            path = repair(path, mask, method="telea", output=folder / f"stroke{stroke}.jpg")
            held = io.BytesIO()
            PIL.Image.fromarray(bare).save(held, "JPEG", quality=90)
            bare = np.array(PIL.Image.open(held))
        some, same = equal_share(folder / "0.jpg", path, everything)
        ten_changed = some - same
        far = ~touched_blocks(everything, 2, 2, (32, 32)).repeat(16, 0).repeat(16, 1)
        error = ((bare.astype(float) - first) ** 2)[far].mean()
        reencoded = 10 * float(np.log10(255**2 / error))
    return print_line(
        "untouched",
        what=f"{count} JPEGs: five pictures × quality × subsampling × progressive",
        untouched_blocks=untouched,
        equal_blocks=equal,
        share=equal / untouched,
        blocks_changed_after_ten_repairs=ten_changed,
        reencoding_ten_times_psnr_db=round(reencoded, 1),
        bar="share 1, 0 blocks",
    )


if __name__ == "__main__":
    main()
