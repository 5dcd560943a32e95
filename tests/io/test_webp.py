"""WebP: lossless files to the bit, all other chunks to the byte, lossy ones with a word."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from remend.errors import FormatError, PictureError
from remend.io.codec import Source
from remend.io.riff import read_chunks, webp_bytes
from remend.io.webp import CODEC
from remend.picture import Metadata, Picture

EXIF = b"II*\0" + bytes([8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]) + bytes(4)


def source(data: bytes) -> Source:
    return Source("made.webp", data=data)


def made(channels: int, seed: int = 0) -> np.ndarray:
    samples = np.random.default_rng(seed).integers(0, 256, (23, 31, channels), dtype=np.uint8)
    if channels == 4:
        samples[:10, :10, 3] = 0  # colours under transparency have to survive
    return samples


def saved(samples: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(samples).save(file, "WEBP", exact=True, **options)
    return file.getvalue()


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    return read_chunks(io.BytesIO(data), "x")


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("extended", [False, True])
def test_lossless_stays_lossless(channels: int, extended: bool) -> None:
    samples = made(channels)
    options = {"exif": EXIF, "icc_profile": b"profile", "xmp": b"<x/>"} if extended else {}
    data = saved(samples, lossless=True, **options)
    if extended:
        data = webp_bytes([*chunks(data), (b"oddC", b"abc")])
    picture = CODEC.decode(source(data))
    assert picture.container is not None
    assert picture.container.details["lossless"]
    assert np.array_equal(picture.samples, samples)
    assert CODEC.rewrite(picture, np.zeros(picture.size, bool)).data == data
    changed = np.zeros(picture.size, bool)
    changed[5:9, 7:12] = True
    picture.samples[changed] = made(channels, 1)[changed]
    result = CODEC.rewrite(picture, changed)
    assert result.notes == ()
    with Image.open(io.BytesIO(result.data)) as judged:
        assert np.array_equal(np.array(judged), picture.samples)
    pixels = (b"VP8L",)
    kept = [chunk for chunk in chunks(data) if chunk[0] not in pixels]
    assert [chunk for chunk in chunks(result.data) if chunk[0] not in pixels] == kept
    assert [kind for kind, _ in chunks(result.data)] == [kind for kind, _ in chunks(data)]
    back = CODEC.decode(source(result.data))
    assert back.container is not None
    assert back.container.metadata == picture.container.metadata
    if extended:
        assert picture.container.metadata == Metadata(icc=b"profile", exif=EXIF, xmp=b"<x/>")
        assert CODEC.header(source(data)).orientation == picture.container.orientation == 6


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("options", [{}, {"xmp": b"<x/>"}])
def test_lossy_is_said(channels: int, options: dict[str, bytes]) -> None:
    yy, xx = np.mgrid[:48, :64]
    smooth = np.stack((xx * 3, yy * 4, xx + yy, 100 + xx), axis=2).astype(np.uint8)[..., :channels]
    data = saved(np.ascontiguousarray(smooth), quality=80, **options)
    picture = CODEC.decode(source(data))
    assert picture.container is not None
    assert not picture.container.details["lossless"]
    told = CODEC.header(source(data))
    assert (told.height, told.width) == picture.size
    changed = np.zeros(picture.size, bool)
    changed[10:20, 10:20] = True
    before = picture.samples.copy()
    picture.samples[changed, :3] = 128
    result = CODEC.rewrite(picture, changed)
    assert "compressed again" in result.notes[0]
    with Image.open(io.BytesIO(result.data)) as judged:
        after = np.array(judged).astype(int)
    far = ~changed
    far[6:24, 6:24] = False
    assert np.abs(after - before)[far].mean() < 2
    assert [c for c in chunks(result.data) if c[0] == b"XMP "] == [c for c in chunks(data) if c[0] == b"XMP "]
    if channels == 4:
        assert np.array_equal(after[..., 3], picture.samples[..., 3]), "alpha is lossless"


def test_first_frame_of_an_animation() -> None:
    frames = [Image.fromarray(made(3, seed)) for seed in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], lossless=True, exif=EXIF)
    data = file.getvalue()
    assert CODEC.header(source(data)).frames == 3
    picture = CODEC.decode(source(data))
    assert picture.container is not None
    assert "first of 3 frames" in picture.container.notes[0]
    changed = np.zeros(picture.size, bool)
    changed[0, 0] = True
    result = CODEC.rewrite(picture, changed)
    assert "dropped" in result.notes[0]
    with Image.open(io.BytesIO(result.data)) as judged:
        assert judged.n_frames == 1
        assert np.array_equal(np.array(judged.convert("RGB")), picture.samples[..., :3])
        assert judged.getexif()[274] == 6


def test_encode() -> None:
    metadata = Metadata(icc=b"icc", exif=EXIF, xmp=b"<x/>", text={"a": "b"})
    for channels in (3, 4):
        result = CODEC.encode(Picture(made(channels), "RGBA" if channels == 4 else "RGB"), metadata)
        assert "text" in result.notes[0]
        back = CODEC.decode(source(result.data))
        assert np.array_equal(back.samples, made(channels))
        assert back.container is not None
        assert back.container.metadata == Metadata(icc=b"icc", exif=EXIF, xmp=b"<x/>")
        with Image.open(io.BytesIO(result.data)) as judged:
            assert np.array_equal(np.array(judged), made(channels))
            assert judged.info["icc_profile"] == b"icc"
    grey = CODEC.encode(Picture(made(1), "L"), Metadata())
    assert "no L" in grey.notes[0]
    assert np.array_equal(CODEC.decode(source(grey.data)).samples, np.repeat(made(1), 3, axis=2))
    palette = np.array([[1, 2, 3, 255], [4, 5, 6, 0]], np.uint8)
    indices = made(1) % 2
    coloured = CODEC.encode(Picture(indices, "P", palette), Metadata())
    assert np.array_equal(CODEC.decode(source(coloured.data)).samples, palette[indices[..., 0]])
    for samples, mode in (
        (made(4), "CMYK"),
        (made(3).astype(np.uint16), "RGB"),
        (np.zeros((1, 16384, 3), np.uint8), "RGB"),
    ):
        with pytest.raises(FormatError, match="write a"):
            CODEC.encode(Picture(samples, mode), Metadata())  # type: ignore[arg-type]


def test_a_bomb_is_told_by_its_header() -> None:
    bits = 16383 | 16383 << 14
    data = webp_bytes([(b"VP8L", b"\x2f" + struct.pack("<I", bits))])
    header = CODEC.header(source(data))
    assert (header.width, header.height) == (16384, 16384)


@pytest.mark.parametrize("lossless", [False, True])
def test_damage_is_told_in_one_line(lossless: bool, capfd: pytest.CaptureFixture[str]) -> None:
    data = saved(made(4), lossless=lossless, exif=EXIF)
    for length in range(0, len(data) - 1, 7):
        with pytest.raises(PictureError):
            CODEC.decode(source(data[:length]))
    for at in range(0, len(data), 5):
        broken = bytearray(data)
        broken[at] ^= 0x41
        try:
            CODEC.header(source(bytes(broken)))
            picture = CODEC.decode(source(bytes(broken)))
            CODEC.rewrite(picture, np.ones(picture.size, bool))
        except PictureError as error:
            assert "\n" not in str(error)
    assert capfd.readouterr() == ("", "")
