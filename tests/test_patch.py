"""Patches: many steps, one encoding."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from remend.adapt import as_picture
from remend.errors import FormatError, MaskError
from remend.patch import lay_patch, patch_of
from remend.picture import Picture
from remend.repairing import repair_file


def noise(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(5).integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


@pytest.mark.parametrize("mode, channels", [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_patch_brings_back_what_was_cut_out_and_nothing_else(mode, channels, dtype):
    repaired = Picture(noise(9, 7, channels, dtype=dtype), mode)
    original = Picture(noise(9, 7, channels, dtype=dtype)[::-1].copy(), mode)
    before = original.samples.copy()
    where = np.zeros((9, 7), bool)
    where[2:5, 1:4] = True
    laid, found = lay_patch(original, patch_of(repaired, where))
    colours = channels - (1 - channels % 2)
    assert (found == where).all()
    assert (laid.samples[where, :colours] == repaired.samples[where, :colours]).all()
    assert (laid.samples[~where] == before[~where]).all()
    assert (laid.samples[..., colours:] == before[..., colours:]).all()  # transparency is never the patch's


def test_palette_pictures_keep_their_palette():
    picture = as_picture(Image.fromarray(noise(8, 8, 3)).quantize(16))
    where = np.zeros((8, 8), bool)
    where[3, 3] = True
    patch = patch_of(picture, where)
    laid, _ = lay_patch(replace(picture, samples=picture.samples.copy()), patch)
    assert laid.mode == "P"
    assert (laid.samples[~where] == picture.samples[~where]).all()


def test_what_no_png_can_hold_has_no_patch():
    where = np.ones((2, 2), bool)
    with pytest.raises(FormatError, match="CMYK"):
        patch_of(Picture(noise(2, 2, 4), "CMYK"), where)
    with pytest.raises(FormatError, match="floating-point"):
        patch_of(Picture(np.zeros((2, 2, 3), np.float32), "RGB"), where)


def test_a_patch_of_another_picture_is_refused():
    picture = Picture(noise(4, 4, 3), "RGB")
    with pytest.raises(MaskError, match="5×4"):
        lay_patch(picture, Picture(noise(4, 5, 4), "RGBA"))
    with pytest.raises(MaskError, match="transparency"):
        lay_patch(picture, Picture(noise(4, 4, 3), "RGB"))
    with pytest.raises(MaskError, match="uint16"):
        lay_patch(picture, Picture(noise(4, 4, 4, dtype=np.uint16), "RGBA"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_repaired_in_steps_is_written_once(kind):
    encoded = io.BytesIO()
    Image.fromarray(noise(64, 64, 3) // 4 + 90).save(encoded, kind)
    source = encoded.getvalue()
    first, second, nothing = np.zeros((3, 64, 64), bool)
    first[10:13, 5:40], second[40:43, 20:60] = True, True

    def run(mask: np.ndarray, **options: object) -> bytes:
        target = io.BytesIO()
        repair_file(source, target, mask=mask, **options)  # type: ignore[arg-type]
        return target.getvalue()

    patch = run(first, as_patch=True)
    assert run(nothing, kept=patch) == run(first)
    both = run(second, kept=patch, as_patch=True)
    one, two = (as_picture(data) for data in (patch, both))
    assert (two.samples[first] == one.samples[first]).all()
    assert ((two.samples[..., 3] == 255) == (first | second)).all()
