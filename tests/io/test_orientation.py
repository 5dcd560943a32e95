"""EXIF orientation against Pillow's own."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from remend.io.orientation import exif_orientation, normalised_exif, normalised_xmp, to_display, to_stored


def block(orientation, order="<", kind=3):
    mark = b"II*\0" if order == "<" else b"MM\0*"
    value = struct.pack(order + {1: "B3x", 3: "H2x", 4: "I"}[kind], orientation)
    entries = struct.pack(order + "HHI", 0x010F, 2, 4) + b"abc\0"
    entries += struct.pack(order + "HHI", 0x0112, kind, 1) + value
    return mark + struct.pack(order + "IH", 8, 2) + entries + bytes(4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_display_order_is_pillows(orientation):
    samples = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    image = Image.fromarray(samples)
    exif = image.getexif()
    exif[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image))
    shown = to_display(samples, orientation)
    assert np.array_equal(shown, expected)
    assert np.shares_memory(shown, samples)  # a view: a frame is never copied for its orientation
    back = to_stored(shown, orientation)
    assert np.array_equal(back, samples)
    assert back.strides == samples.strides
    assert np.array_equal(to_stored(to_display(samples[..., 0], orientation), orientation), samples[..., 0])


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", [1, 3, 4])
def test_exif_is_read_and_normalised_in_place(order, kind):
    exif = block(6, order, kind)
    assert exif_orientation(exif) == 6
    upright = normalised_exif(exif)
    assert exif_orientation(upright) == 1
    assert len(upright) == len(exif)
    assert sum(a != b for a, b in zip(exif, upright, strict=True)) == 1


@pytest.mark.parametrize(
    "exif",
    [None, b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"nonsense" * 9, block(0), block(9), block(6)[:20]],
)
def test_what_gives_no_orientation_is_upright(exif):
    assert exif_orientation(exif) == 1
    if exif is not None and exif not in (block(0), block(9)):
        assert normalised_exif(exif) == exif


def test_xmp_is_normalised_in_both_spellings():
    assert normalised_xmp(b'<d tiff:Orientation="6" x="6"/>') == b'<d tiff:Orientation="1" x="6"/>'
    assert (
        normalised_xmp(b"<tiff:Orientation>8</tiff:Orientation>") == b"<tiff:Orientation>1</tiff:Orientation>"
    )
