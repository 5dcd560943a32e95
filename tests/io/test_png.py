"""PNG: every layout against Pillow and PngSuite; surgery that leaves all other chunks alone."""

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from remend.budget import Budget
from remend.errors import DecodeError, FormatError, PictureError
from remend.io.codec import Source
from remend.io.png.chunks import SIGNATURE, ImageHeader, chunk_bytes, read_header, split_chunks
from remend.io.png.codec import CODEC
from remend.io.png.raster import encode_raster
from remend.options import Bounds
from remend.picture import Metadata, Picture

LAYOUTS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8)]
LAYOUTS += [(4, 8), (4, 16), (6, 8), (6, 16)]
MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}


def source(data: bytes) -> Source:
    return Source("made.png", data=data)


def made_samples(header: ImageHeader, seed: int = 0) -> np.ndarray:
    """Random samples of the layout, in the units that a decoded picture has."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 1 << header.depth, (header.height, header.width, header.channels))
    if header.colour == 0 and header.depth < 8:
        levels = levels * 255 // ((1 << header.depth) - 1)
    return levels.astype(np.uint16 if header.depth == 16 else np.uint8)


def naive_png(samples: np.ndarray, header: ImageHeader, before: bytes = b"", after: bytes = b"") -> bytes:
    """Written by the letter of the specification, unfiltered, so that nothing of ours is its own judge."""
    raw = b""
    for x, y, dx, dy, _, _ in header.passes:
        for row in samples[y::dy, x::dx]:
            values = row.reshape(-1).astype(int)
            if header.colour == 0 and header.depth < 8:
                values = values * ((1 << header.depth) - 1) // 255
            bits = "".join(f"{value:0{header.depth}b}" for value in values)
            bits += "0" * (-len(bits) % 8)
            raw += b"\0" + bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    compressed = zlib.compress(raw)
    middle = len(compressed) // 2
    plte = b""
    if header.colour == 3:
        colours = np.random.default_rng(1).integers(0, 256, 3 << header.depth, dtype=np.uint8)
        plte = chunk_bytes(b"PLTE", colours.tobytes())
    return b"".join(
        (
            SIGNATURE,
            chunk_bytes(b"IHDR", header.to_bytes()),
            chunk_bytes(b"gAMA", struct.pack(">I", 45455)),
            plte,
            before,
            chunk_bytes(b"IDAT", compressed[:middle]),
            chunk_bytes(b"IDAT", compressed[middle:]),
            after,
            chunk_bytes(b"IEND", b""),
            b"bytes behind the end",
        )
    )


def other_chunks(data: bytes) -> list[bytes]:
    """All but IDAT; whether the data are interlaced does not count."""
    chunks, _ = split_chunks(data, "x")
    ihdr = replace(read_header(data[chunks[0].content], "x"), interlaced=False).to_bytes()
    return [ihdr] + [data[c.whole] for c in chunks[1:] if c.type != b"IDAT"] + [data[chunks[-1].whole.stop :]]


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("colour", "depth"), LAYOUTS)
@pytest.mark.parametrize("size", [(1, 1), (13, 9), (37, 21)])
def test_every_layout_round_trips(colour: int, depth: int, interlaced: bool, size: tuple[int, int]) -> None:
    header = ImageHeader(*size, depth, colour, interlaced)
    samples = made_samples(header)
    extra = chunk_bytes(b"prVt", b"private") + chunk_bytes(b"tEXt", b"Author\0Ada")
    data = naive_png(samples, header, before=extra, after=chunk_bytes(b"tEXt", b"Title\0a"))
    picture = CODEC.decode(source(data))
    assert picture.mode == MODES[colour]
    assert np.array_equal(picture.samples, samples)

    unchanged = CODEC.rewrite(picture, np.zeros(picture.size, bool))
    assert unchanged.notes == (("written without interlacing",) if interlaced else ())
    assert other_chunks(unchanged.data) == other_chunks(data)
    assert np.array_equal(CODEC.decode(source(unchanged.data)).samples, samples)

    changed = np.random.default_rng(2).random(picture.size) < 0.2
    picture.samples[changed] = made_samples(header, seed=3)[changed]
    expected = picture.samples.copy()
    again = CODEC.rewrite(picture, changed)
    assert other_chunks(again.data) == other_chunks(data)
    back = CODEC.decode(source(again.data))
    assert np.array_equal(back.samples, expected)
    assert np.array_equal(back.samples[~changed], samples[~changed])
    with Image.open(io.BytesIO(again.data)) as judged:
        seen = np.array(judged.convert("RGBA") if colour == 3 else judged)
    if colour == 3:
        assert back.palette is not None
        assert np.array_equal(seen, back.palette[expected[..., 0]])
    elif depth <= 8:
        expected_here = expected[..., 0] if colour == 0 else expected
        assert np.array_equal(seen * (255 if seen.dtype == bool else 1), expected_here)
    elif colour in (0, 2, 6):
        frame = cv2.imdecode(np.frombuffer(again.data, np.uint8), cv2.IMREAD_UNCHANGED)
        order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[expected.shape[2]]
        assert np.array_equal(np.atleast_3d(frame)[..., order], expected)


@settings(max_examples=60, deadline=None)
@given(
    layout=st.sampled_from(LAYOUTS),
    width=st.integers(1, 40),
    height=st.integers(1, 24),
    seed=st.integers(0, 99),
)
def test_raster_is_its_own_inverse(layout: tuple[int, int], width: int, height: int, seed: int) -> None:
    header = ImageHeader(width, height, layout[1], layout[0])
    samples = made_samples(header, seed)
    plte = chunk_bytes(b"PLTE", bytes(3 << header.depth)) if header.colour == 3 else b""
    start = SIGNATURE + chunk_bytes(b"IHDR", header.to_bytes()) + plte
    picture = CODEC.decode(source(start + encode_raster(samples, header) + chunk_bytes(b"IEND", b"")))
    assert np.array_equal(picture.samples, samples)


def test_pngsuite(shared_data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    files = sorted((shared_data / "hostile" / "pngsuite").glob("*.png"))
    assert len(files) > 170
    for path in files:
        origin = Source(path.name, path=path)
        if path.name.startswith("x"):
            with pytest.raises((DecodeError, FormatError)) as caught:
                CODEC.decode(origin)
            assert "\n" not in str(caught.value)
            continue
        header, picture = CODEC.header(origin), CODEC.decode(origin)
        assert (header.height, header.width) == picture.size
        with Image.open(path) as judged:
            if picture.mode == "P":
                assert picture.palette is not None
                palette, indices = picture.palette, picture.samples[..., 0]
                assert np.array_equal(np.array(judged.convert("RGBA")), palette[indices]), path.name
            elif picture.samples.dtype == np.uint8:
                expected = np.array(judged.convert(picture.mode))
                assert np.array_equal(expected, np.squeeze(picture.samples)), path.name
            elif picture.mode == "L":
                assert np.array_equal(np.array(judged), picture.samples[..., 0]), path.name
        written = CODEC.rewrite(picture, np.zeros(picture.size, bool)).data
        assert other_chunks(written) == other_chunks(path.read_bytes())
        back = CODEC.decode(source(written))
        assert np.array_equal(back.samples, picture.samples), path.name
    assert CODEC.header(Source("o", path=shared_data / "hostile/pngsuite/exif2c08.png")).orientation == 1
    assert capfd.readouterr() == ("", "")


def saved(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "png", **options)
    return file.getvalue()


def test_metadata_is_read_and_kept() -> None:
    exif = Image.Exif()
    exif[274], exif[305] = 6, "Remend"
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "A picture")
    info.add_text("Long", "x" * 500, zip=True)
    info.add_itxt("Comment", "größer 雨", zip=True)
    info.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta/>")
    data = saved(
        Image.new("RGB", (4, 3)), exif=exif, icc_profile=b"profile" * 20, dpi=(300, 150), pnginfo=info
    )
    picture = CODEC.decode(source(data))
    assert picture.container is not None
    found = picture.container.metadata
    assert found.icc == b"profile" * 20
    assert found.exif == exif.tobytes()[6:]
    assert found.xmp == b"<x:xmpmeta/>"
    assert found.dpi == pytest.approx((300, 150), abs=0.02)
    assert found.text == {"Title": "A picture", "Long": "x" * 500, "Comment": "größer 雨"}
    assert CODEC.header(source(data)).orientation == picture.container.orientation == 6
    again = CODEC.decode(source(CODEC.encode(picture, found).data))
    assert again.container is not None
    assert again.container.metadata == found


def test_a_grown_palette_takes_its_chunks_along() -> None:
    header = ImageHeader(6, 4, 2, 3)
    samples = made_samples(header)
    before = chunk_bytes(b"tRNS", b"\x00\x80") + chunk_bytes(b"hIST", bytes(range(8)))
    picture = CODEC.decode(source(naive_png(samples, header, before=before)))
    assert picture.palette is not None
    assert picture.palette[:, 3].tolist() == [0, 128, 255, 255]
    picture.palette = np.vstack((picture.palette, np.array([[9, 8, 7, 255]], np.uint8)))
    changed = np.zeros(picture.size, bool)
    changed[1, 2] = True
    picture.samples[changed] = 4
    expected = picture.samples.copy()
    data = CODEC.rewrite(picture, changed).data
    back = CODEC.decode(source(data))
    assert back.container is not None
    assert back.container.details["depth"] == 4
    assert np.array_equal(back.samples, expected)
    assert back.palette is not None
    assert np.array_equal(back.palette, picture.palette)
    chunks, _ = split_chunks(data, "x")
    assert [data[c.content] for c in chunks if c.type == b"hIST"] == [bytes(range(8)) + b"\0\0"]
    with Image.open(io.BytesIO(data)) as judged:
        assert judged.convert("RGBA").getpixel((2, 1)) == (9, 8, 7, 255)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_changed_pixels_do_not_take_the_colour_key(depth: int) -> None:
    header = ImageHeader(5, 5, depth, 0)
    samples = np.zeros((5, 5, 1), np.uint16 if depth == 16 else np.uint8)
    picture = CODEC.decode(source(naive_png(samples, header, before=chunk_bytes(b"tRNS", b"\0\0"))))
    assert picture.container is not None
    assert picture.container.details["transparent"] == (0,)
    changed = np.zeros((5, 5), bool)
    changed[2, 2] = True
    back = CODEC.decode(source(CODEC.rewrite(picture, changed).data))
    assert back.samples[2, 2, 0] == (255 // ((1 << depth) - 1) if depth < 8 else 1)
    assert (back.samples[~changed] == 0).all()
    assert (picture.samples == 0).all(), "the caller's samples are not touched"


def test_values_between_the_levels_are_rounded() -> None:
    header = ImageHeader(256, 1, 2, 0)
    picture = CODEC.decode(source(naive_png(np.zeros((1, 256, 1), np.uint8), header)))
    picture.samples[0, :, 0] = np.arange(256)
    back = CODEC.decode(source(CODEC.rewrite(picture, np.ones((1, 256), bool)).data))
    assert np.array_equal(back.samples[0, :, 0], np.round(np.arange(256) / 85) * 85)


def test_unused_palette_entries_are_free_for_new_ones() -> None:
    header = ImageHeader(6, 4, 8, 3)
    samples = made_samples(header) % 100
    samples[0, 0] = 99
    data = naive_png(samples, header, before=chunk_bytes(b"tRNS", b"\x00\x80"))
    picture = CODEC.decode(source(data))
    assert picture.palette is not None
    assert len(picture.palette) == 100
    picture.palette = np.vstack((picture.palette, np.array([[9, 8, 7, 200]], np.uint8)))
    changed = np.zeros(picture.size, bool)
    changed[1, 2] = True
    picture.samples[changed] = 100
    back = CODEC.decode(source(CODEC.rewrite(picture, changed).data))
    assert back.palette is not None
    assert np.array_equal(back.palette, picture.palette)
    assert np.array_equal(back.samples, picture.samples)


def test_text_bombs_are_left_compressed() -> None:
    bomb = chunk_bytes(b"zTXt", b"Bomb\0\0" + zlib.compress(bytes(40 << 20), 9))
    header = ImageHeader(2, 2, 8, 0)
    picture = CODEC.decode(source(naive_png(made_samples(header), header, before=bomb * 3)))
    assert picture.container is not None
    assert len(picture.container.metadata.text["Bomb"]) == 40 << 20
    assert bomb * 3 in CODEC.rewrite(picture, np.zeros((2, 2), bool)).data


def animated() -> bytes:
    frames = [Image.new("P", (8, 8), index) for index in range(3)]
    for frame in frames:
        frame.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    file = io.BytesIO()
    frames[0].save(file, "png", save_all=True, append_images=frames[1:], duration=50)
    return file.getvalue()


def test_animation_is_kept_or_dropped_with_a_word() -> None:
    data = animated()
    assert CODEC.header(source(data)).frames == 3
    picture = CODEC.decode(source(data))
    assert picture.container is not None
    assert "first of 3 frames" in picture.container.notes[0]
    written = CODEC.rewrite(picture, np.zeros(picture.size, bool))
    assert other_chunks(written.data) == other_chunks(data)
    with Image.open(io.BytesIO(written.data)) as judged:
        assert judged.n_frames == 3
        judged.seek(2)
        judged.load()
    assert picture.palette is not None
    picture.palette = np.full((17, 4), 255, np.uint8)
    written = CODEC.rewrite(picture, np.zeros(picture.size, bool))
    assert "dropped" in written.notes[0]
    assert CODEC.header(source(written.data)).frames == 1


def test_what_a_png_cannot_hold() -> None:
    with pytest.raises(FormatError, match="CMYK"):
        CODEC.encode(Picture(np.zeros((2, 2, 4), np.uint8), "CMYK"), Metadata())
    with pytest.raises(FormatError, match="floating point"):
        CODEC.encode(Picture(np.zeros((2, 2, 1), np.float32), "L"), Metadata())


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_encode_from_an_array(mode: str, channels: int, kind: type) -> None:
    samples = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (7, 5, channels)).astype(kind)
    data = CODEC.encode(Picture(samples, mode), Metadata(text={"Ключ": "знач\0ение"})).data  # type: ignore[arg-type]
    assert np.array_equal(CODEC.decode(source(data)).samples, samples)


def test_a_bomb_is_told_by_its_header() -> None:
    header = ImageHeader(65535, 65535, 8, 2)
    data = SIGNATURE + chunk_bytes(b"IHDR", header.to_bytes()) + chunk_bytes(b"IDAT", zlib.compress(b""))
    data += chunk_bytes(b"IEND", b"")
    told = CODEC.header(source(data))
    assert (told.width, told.height) == (65535, 65535)
    with pytest.raises(DecodeError, match="cannot hold 65535×65535"):
        CODEC.decode(replace(source(data), budget=Budget(Bounds(max_ratio=0, max_memory=1 << 40))))


def damaged_payloads() -> dict[str, bytes]:
    raw = b"".join(b"\0" + bytes(range(24)) for _ in range(8))
    good = zlib.compress(raw)
    return {
        "cut": good[:-20],
        "flipped": good[:10] + bytes([good[10] ^ 0xFF]) + good[11:],
        "rows missing": zlib.compress(raw[:-50]),
        "filter 9": zlib.compress(b"\x09" + raw[1:]),
        "no deflate": b"hello world",
    }


@pytest.mark.parametrize("kind", sorted(damaged_payloads()))
def test_damage_under_a_valid_checksum(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    start = SIGNATURE + chunk_bytes(b"IHDR", ImageHeader(8, 8, 8, 2).to_bytes())
    data = start + chunk_bytes(b"IDAT", damaged_payloads()[kind]) + chunk_bytes(b"IEND", b"")
    with pytest.raises(DecodeError):
        CODEC.decode(source(data))
    assert capfd.readouterr() == ("", "")


def test_surplus_data_are_passed_over_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    raw = b"".join(b"\0" + bytes(range(24)) for _ in range(20))
    start = SIGNATURE + chunk_bytes(b"IHDR", ImageHeader(8, 8, 8, 2).to_bytes())
    data = start + chunk_bytes(b"IDAT", zlib.compress(raw) + b"more") + chunk_bytes(b"IEND", b"")
    assert CODEC.decode(source(data)).samples[7, 7].tolist() == [21, 22, 23]
    assert capfd.readouterr() == ("", "")


def test_every_truncation_and_every_flipped_byte_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    header = ImageHeader(9, 7, 4, 3)
    data = naive_png(made_samples(header), header)
    whole = len(data) - len(b"bytes behind the end")
    for length in range(0, whole, 3):
        with pytest.raises(PictureError):
            CODEC.decode(source(data[:length]))
    for at in range(0, whole, 2):
        broken = bytearray(data)
        broken[at] ^= 0x55
        try:
            CODEC.decode(source(bytes(broken)))
        except PictureError as error:
            assert "\n" not in str(error)
    assert capfd.readouterr() == ("", "")
