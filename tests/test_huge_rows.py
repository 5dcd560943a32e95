"""Huge PNGs and JPEGs: rows go through the disk, and the result is that of a repair in memory."""

import io
import struct
import zlib
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from remend.budget import Budget
from remend.errors import DecodeError, PictureError
from remend.io import read_picture
from remend.io.lazily import open_lazily
from remend.io.png.lazy import refiltered
from remend.options import Settings
from remend.repairing import repair_file
from test_huge import SIZE, holes, made, save_mask

FAST = Settings(quality="fast")


@pytest.fixture
def huge(monkeypatch):
    """Every picture counts as huge, and none is read as a whole."""
    monkeypatch.setattr("remend.io.lazily.LEAST_PIXELS", 1)
    monkeypatch.setattr("remend.io.bands.LEAST_PIXELS", 1)
    monkeypatch.setattr("remend.repairing.as_picture", None)


def both(tmp_path, monkeypatch, source, **options):
    """Where the repair in memory and the one window by window lie."""
    mask = save_mask(tmp_path / "mask.png", holes())
    targets = [tmp_path / f"{name}{source.suffix}" for name in ("whole", "lazy")]
    repair_file(source, targets[0], mask=mask, settings=FAST, **options)
    monkeypatch.setattr("remend.io.lazily.LEAST_PIXELS", 1)
    monkeypatch.setattr("remend.io.bands.LEAST_PIXELS", 1)
    monkeypatch.setattr("remend.repairing.as_picture", None)
    report = repair_file(source, targets[1], mask=mask, settings=FAST, **options)
    assert report.hole_ratio == pytest.approx(holes().mean())
    return targets


def png_parts(path):
    """{type: [contents]}, and the filtered rows."""
    data, at, parts = path.read_bytes(), 8, {}
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        assert (
            zlib.crc32(data[at + 4 : at + 8 + length]) == struct.unpack(">I", data[at + 8 + length :][:4])[0]
        )
        parts.setdefault(kind, []).append(data[at + 8 : at + 8 + length])
        at += length + 12
    _, height = struct.unpack(">II", parts[b"IHDR"][0][:8])
    return parts, np.frombuffer(zlib.decompress(b"".join(parts[b"IDAT"])), np.uint8).reshape(height, -1)


@pytest.mark.parametrize(
    ("dtype", "channels"), [(np.uint8, 1), (np.uint8, 3), (np.uint8, 4), (np.uint16, 1), (np.uint16, 3)]
)
def test_a_png_of_every_kind(tmp_path, monkeypatch, dtype, channels):
    monkeypatch.setattr("remend.io.png.rows.ROWS", 37)
    array = made(dtype, channels)
    order = [2, 1, 0, 3][:channels] if channels > 1 else [0]
    cv2.imwrite(
        str(tmp_path / "in.png"), array[..., order], [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_ALL_FILTERS]
    )
    whole, lazy = both(tmp_path, monkeypatch, tmp_path / "in.png")
    assert (read_picture(lazy).samples == read_picture(whole).samples).all()
    before, after = (png_parts(path)[1] for path in (tmp_path / "in.png", lazy))
    touched = holes().any(axis=1)
    touched[1:] |= touched[:-1]
    assert (before[~touched] == after[~touched]).all()
    assert (before[:, 0] == after[:, 0]).all()  # each row by the filter that it had
    assert not (before == after).all()


def test_a_png_keeps_what_it_says(tmp_path, monkeypatch):
    image = Image.fromarray(made())
    exif = image.getexif()
    exif[270] = "a wall"
    image.save(tmp_path / "in.png", dpi=(300, 300), exif=exif, icc_profile=b"profile" * 30, compress_level=9)
    whole, lazy = both(tmp_path, monkeypatch, tmp_path / "in.png")
    parts = [png_parts(path)[0] for path in (tmp_path / "in.png", whole, lazy)]
    assert list(parts[0]) == list(parts[1]) == list(parts[2])
    for kind in parts[0]:
        assert kind == b"IDAT" or parts[0][kind] == parts[2][kind]
    assert parts[2][b"IDAT"][0][1] >> 6 == 3  # as hard as it was


def test_a_png_cut_short_is_told_before_anything_is_done(tmp_path, huge):
    Image.fromarray(made()).save(tmp_path / "in.png")
    data = (tmp_path / "in.png").read_bytes()
    (tmp_path / "in.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(DecodeError, match="truncated PNG"):
        repair_file(tmp_path / "in.png", tmp_path / "out.png", mask=holes(), settings=FAST)


def test_a_full_disk_is_told_in_one_line(tmp_path, huge, monkeypatch):
    class Full:
        def write(self, data):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    tempfile = SimpleNamespace(TemporaryFile=lambda **given: Full(), gettempdir=lambda: "/tmp")
    monkeypatch.setattr("remend.io.scratch.tempfile", tempfile)
    Image.fromarray(made()).save(tmp_path / "in.png")
    with pytest.raises(PictureError, match="TMPDIR") as told:
        repair_file(tmp_path / "in.png", tmp_path / "out.png", mask=holes(), settings=FAST)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("kind", ["palette", "interlaced", "turned", "colour key"])
def test_what_png_is_read_as_a_whole(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("remend.io.lazily.LEAST_PIXELS", 1)
    image, more = Image.fromarray(made()), {}
    if kind == "palette":
        image = image.quantize(16)
    if kind == "turned":
        more["exif"] = image.getexif()
        more["exif"][274] = 6
    if kind == "colour key":
        more["transparency"] = (1, 2, 3)
    image.save(tmp_path / "in.png", **more)
    if kind == "interlaced":
        data = bytearray((tmp_path / "in.png").read_bytes())
        data[28] = 1
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
        (tmp_path / "in.png").write_bytes(data)
    assert open_lazily(tmp_path / "in.png", budget=Budget()) is None


@pytest.mark.parametrize("pixel_bytes", [1, 3, 8])
def test_filters_are_those_of_the_standard(pixel_bytes):
    """Against a decoder, byte by byte."""
    rng = np.random.default_rng(5)
    raw = rng.integers(0, 256, (10, 6 * pixel_bytes), dtype=np.uint8)
    above = np.vstack([np.zeros_like(raw[:1]), raw[:-1]])
    kinds = np.arange(10, dtype=np.uint8) % 5
    coded = refiltered(raw, above, kinds, pixel_bytes)
    for kind, row, up, wanted in zip(kinds, coded.astype(int), above.astype(int), raw, strict=True):
        got = np.zeros(len(row), int)
        for i, value in enumerate(row):
            a, c = (got[i - pixel_bytes], up[i - pixel_bytes]) if i >= pixel_bytes else (0, 0)
            p = a + up[i] - c
            paeth = min((abs(p - a), 0, a), (abs(p - up[i]), 1, up[i]), (abs(p - c), 2, c))[2]
            got[i] = (value + (0, a, up[i], (a + up[i]) // 2, paeth)[kind]) % 256
        assert (got == wanted).all()


def test_a_thinned_plane_is_the_thinned_array(tmp_path, monkeypatch):
    monkeypatch.setattr("remend.io.lazily.LEAST_PIXELS", 1)
    Image.fromarray(made()).save(tmp_path / "in.png")
    picture = open_lazily(tmp_path / "in.png", budget=Budget())
    assert (picture.samples[::7, ::5] == made()[::7, ::5]).all()
    assert (picture.samples[3:200:7, 1:90] == made()[3:200:7, 1:90]).all()
    assert picture.samples[0 : SIZE[0], 0 : SIZE[1]].shape == made().shape


JPEGS = {
    "4:2:0": {"subsampling": 2},
    "4:2:2": {"subsampling": 1},
    "4:4:4, its own Huffman tables": {"subsampling": 0, "optimize": True},
    "progressive": {"progressive": True},
    "grey": {"grey": True},
    "restarts": {"restart_marker_rows": 2},
}


@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_is_the_very_same_file(tmp_path, monkeypatch, kind):
    options = dict(JPEGS[kind])
    image = Image.fromarray(made())
    image = image.convert("L") if options.pop("grey", False) else image
    exif = image.getexif()
    exif[270] = "a wall"
    image.save(tmp_path / "in.jpg", quality=88, exif=exif, comment=b"kept", **options)
    whole, lazy = both(tmp_path, monkeypatch, tmp_path / "in.jpg")
    assert lazy.read_bytes() == whole.read_bytes()
    assert lazy.read_bytes() != (tmp_path / "in.jpg").read_bytes()


@pytest.mark.parametrize("kind", ["4:2:0", "4:2:2", "4:4:4, its own Huffman tables", "progressive"])
def test_a_jpegs_rows_are_those_of_opencv(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("remend.io.lazily.LEAST_PIXELS", 1)
    array = made(size=(301, 419))
    array[::7, ::3] = 255 - array[::7, ::3]
    Image.fromarray(array).save(tmp_path / "in.jpg", quality=80, **JPEGS[kind])
    picture = open_lazily(tmp_path / "in.jpg", budget=Budget())
    assert (picture.samples[0:301, 0:419] == read_picture(tmp_path / "in.jpg").samples).all()


def test_what_jpeg_is_read_as_a_whole_or_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("remend.io.lazily.LEAST_PIXELS", 1)
    image = Image.fromarray(made())
    image.convert("CMYK").save(tmp_path / "ink.jpg")
    turned = image.getexif()
    turned[274] = 3
    image.save(tmp_path / "turned.jpg", exif=turned)
    image.save(tmp_path / "in.jpg")
    data = (tmp_path / "in.jpg").read_bytes()
    (tmp_path / "two.jpg").write_bytes(data + data)
    for name in ("ink.jpg", "turned.jpg", "two.jpg"):
        assert open_lazily(tmp_path / name, budget=Budget()) is None
    (tmp_path / "short.jpg").write_bytes(data[: len(data) // 2] + b"\xff\xd9")
    with pytest.raises(DecodeError, match="truncated JPEG"):
        open_lazily(tmp_path / "short.jpg", budget=Budget())


def test_coefficients_that_the_disk_does_not_take(tmp_path, huge, monkeypatch):
    from remend.io.jpeg import disk

    def full(self, array):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk.DiskArrays, "_store", full)
    Image.fromarray(made()).save(tmp_path / "in.jpg", progressive=True)
    with pytest.raises(PictureError, match="TMPDIR"):
        repair_file(tmp_path / "in.jpg", tmp_path / "out.jpg", mask=holes(), settings=FAST)


def exif_with(thumbnail):
    """An EXIF block whose second directory holds that JPEG."""
    second = struct.pack("<HHHIIHHIII", 2, 513, 4, 1, 14 + 30, 514, 4, 1, len(thumbnail), 0)
    return b"Exif\0\0II*\0" + struct.pack("<IHI", 8, 0, 14) + second + thumbnail


def test_a_preview_shows_the_repair(tmp_path, monkeypatch):
    """The thumbnail in EXIF is made of a picture that is not in memory."""
    hurt = np.where(holes()[..., None], np.uint8(255), made())
    image = Image.fromarray(hurt)
    small = io.BytesIO()
    image.resize((160, 114)).save(small, "JPEG")
    image.save(tmp_path / "in.jpg", exif=exif_with(small.getvalue()))
    whole, lazy = both(tmp_path, monkeypatch, tmp_path / "in.jpg")
    assert lazy.read_bytes() == whole.read_bytes()
