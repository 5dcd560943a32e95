"""What a file says of its colours without a profile is carried, or told where it is lost."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from remend.io import encode_picture, read_picture
from remend.io.colour import nclx_of, with_nclx
from remend.io.icc import icc_of
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


@pytest.mark.parametrize("format", ["jpeg", "webp", "tiff"])
@pytest.mark.parametrize("source", [avif, lambda code: png(cicp(code))], ids=["avif", "png"])
def test_a_profile_says_it_where_one_can(source, format):
    encoded = written(source(P3), format)
    assert any("Display P3 with sRGB, are said by an ICC profile" in note for note in encoded.notes)
    icc = Image.open(io.BytesIO(encoded.data)).info["icc_profile"]
    assert icc == icc_of(P3, "Display P3 with sRGB") == read_picture(encoded.data).container.metadata.icc
    assert not any("look different" in note for note in encoded.notes)


@pytest.mark.parametrize(("code", "format"), [(P3, "bmp"), (PQ, "jpeg"), ((1, 1), "webp")])
def test_where_there_is_no_place_it_is_told(code, format):
    encoded = written(png(cicp(code)), format)
    assert any("look different" in note for note in encoded.notes)
    assert "icc_profile" not in Image.open(io.BytesIO(encoded.data)).info


def test_a_grey_picture_gets_no_profile_of_colours():
    file = io.BytesIO()
    Image.new("L", (24, 16), 90).save(file, "PNG")
    data = file.getvalue()[:33] + cicp(P3) + file.getvalue()[33:]
    assert any("look different" in note for note in written(data, "jpeg").notes)


def shown_in_srgb(icc: bytes, colour: tuple[int, ...]) -> np.ndarray:
    """What LittleCMS makes of a colour."""
    profile, srgb = ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB")
    image = Image.new("RGB", (1, 1), colour)
    shown = ImageCms.profileToProfile(image, profile, srgb, renderingIntent=1)
    return np.array(shown)[0, 0].astype(int)


def test_the_profiles_mean_what_the_code_points_say():
    for colour in ((200, 30, 60), (12, 250, 3), (128, 128, 128), (255, 255, 255)):
        assert np.abs(shown_in_srgb(icc_of((1, 13), "sRGB"), colour) - colour).max() <= 1
    # Display P3 to sRGB by the matrix that its definition gives (SMPTE EG 432-1), clipped.
    to_srgb = [[1.2249, -0.2247, 0], [-0.0420, 1.0419, 0], [-0.0197, -0.0786, 1.0979]]
    for colour in ((200, 120, 100), (90, 140, 80), (128, 128, 128)):
        signal = np.array(colour) / 255
        linear = to_srgb @ np.where(signal > 0.04045, ((signal + 0.055) / 1.055) ** 2.4, signal / 12.92)
        wanted = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
        assert np.abs(shown_in_srgb(icc_of(P3, "P3"), colour) - wanted).max() <= 1
    for code in ((9, 8), (5, 4), (7, 5), (11, 13)):
        white = shown_in_srgb(icc_of(code, "x"), (255, 255, 255))
        assert np.abs(white - 255).max() <= 1
    assert icc_of(PQ, "x") is None and icc_of((3, 13), "x") is None


def test_light_levels_and_gamma_are_told_when_the_format_changes():
    light = chunk_bytes(b"mDCV", bytes(24)) + chunk_bytes(b"cLLI", bytes(8))
    source = png(cicp(PQ), light)
    assert light in written(source).data
    assert any("mDCV, cLLI" in note for note in written(source, "avif").notes)
    gamma = png(chunk_bytes(b"gAMA", struct.pack(">I", 100_000)))
    assert any("gAMA" in note for note in written(gamma, "jpeg").notes)
    usual = png(chunk_bytes(b"gAMA", struct.pack(">I", 45455)))
    assert not any("gAMA" in note for note in written(usual, "jpeg").notes)
