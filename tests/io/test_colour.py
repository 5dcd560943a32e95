"""What a file says of its colours without a profile is carried, or told where it is lost."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from remend.io import encode_picture, read_picture
from remend.io.colour import nclx_of, with_nclx
from remend.io.png.chunks import chunk_bytes

P3, PQ = (12, 13), (9, 16)


def avif(code) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (24, 16), (200, 30, 60)).save(file, "AVIF", quality=90)
    return with_nclx(file.getvalue(), code)[0]


def png(*extra: bytes) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (24, 16), (200, 30, 60)).save(file, "PNG")
    return file.getvalue()[:33] + b"".join(extra) + file.getvalue()[33:]


def cicp(code) -> bytes:
    return chunk_bytes(b"cICP", bytes((*code, 0, 1)))


def written(data: bytes, format: str | None = None):
    picture = read_picture(data)
    changed = np.zeros(picture.size, bool)
    changed[4:8, 4:8] = True
    picture.samples[changed] = 90
    return encode_picture(picture, changed=changed, format=format)


@pytest.mark.parametrize("code", [P3, PQ])
def test_avif_and_png_carry_it_to_each_other_and_to_themselves(code):
    assert nclx_of(written(avif(code)).data) == code
    assert nclx_of(written(png(cicp(code)), "avif").data) == code
    for data in (written(avif(code), "png").data, written(png(cicp(code))).data):
        assert cicp(code) in data
    assert read_picture(avif((1, 13))).container.metadata.cicp is None


@pytest.mark.parametrize("format", ["jpeg", "webp", "tiff", "bmp"])
@pytest.mark.parametrize("data", [avif(P3), png(cicp(P3))], ids=["avif", "png"])
def test_where_there_is_no_place_it_is_told(data, format):
    assert any("Display P3" in note for note in written(data, format).notes)


def test_light_levels_and_gamma_are_told_when_the_format_changes():
    light = chunk_bytes(b"mDCV", bytes(24)) + chunk_bytes(b"cLLI", bytes(8))
    source = png(cicp(PQ), light)
    assert light in written(source).data
    assert any("mDCV, cLLI" in note for note in written(source, "avif").notes)
    gamma = png(chunk_bytes(b"gAMA", struct.pack(">I", 100_000)))
    assert any("gAMA" in note for note in written(gamma, "jpeg").notes)
    usual = png(chunk_bytes(b"gAMA", struct.pack(">I", 45455)))
    assert not any("gAMA" in note for note in written(usual, "jpeg").notes)
