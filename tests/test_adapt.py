import io

import numpy as np
import PIL.Image
import pytest

from remend.adapt import as_picture, from_array, from_pil, to_pil
from remend.errors import UsageError


def pil(mode: str) -> PIL.Image.Image:
    ramp = np.add.outer(np.arange(16), np.arange(12) * 10).astype(np.uint8)
    grey = PIL.Image.fromarray(ramp)
    if mode == "I;16":
        return PIL.Image.fromarray(ramp.astype(np.uint16) * 257)
    return grey.convert(mode)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "CMYK", "P", "I;16", "F"])
def test_pil_images_come_back_as_they_were(mode):
    image = pil(mode)
    image.info["dpi"] = (300, 300)
    again = to_pil(from_pil(image), like=image)
    assert again.mode == image.mode
    assert again.size == image.size
    assert again.info["dpi"] == (300, 300)
    np.testing.assert_array_equal(np.array(again), np.array(image))


def test_palette_transparency_is_seen():
    image = pil("P")
    image.info["transparency"] = 3
    assert from_pil(image).palette[3, 3] == 0


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 2), (4, 5, 3), (4, 5, 4), (4, 5, 7)])
def test_arrays_are_copied(shape):
    array = np.zeros(shape, np.uint16)
    picture = from_array(array)
    picture.samples[...] = 9
    assert (array == 0).all()


@pytest.mark.parametrize(
    "array", [np.zeros((3, 5, 65), np.uint8), np.zeros(4, np.uint8), np.zeros((4, 5), np.int64)]
)
def test_other_arrays_are_refused_with_what_came(array):
    with pytest.raises(UsageError, match="float32 or float64, got"):
        from_array(array)


def test_bytes_and_open_files_are_read():
    held = io.BytesIO()
    pil("RGB").save(held, "PNG")
    assert as_picture(held.getvalue()).mode == "RGB"
    held.seek(0)
    assert as_picture(held).size == (16, 12)


def test_anything_else_is_named():
    with pytest.raises(UsageError, match="got dict"):
        as_picture({})
    with pytest.raises(UsageError, match="mode HSV"):
        from_pil(pil("RGB").convert("HSV"))
