"""BMP: every kind of pixel that Pillow reads, unchanged outside the mask, in its own file where it can be."""

import io
import struct

import numpy as np
import pytest
from PIL import BmpImagePlugin, Image

from remend.errors import DecodeError, FormatError, LimitError, PictureError
from remend.io.bmp import CODEC
from remend.io.codec import Source
from remend.picture import Metadata, Picture

H, W = 17, 23


def source(data: bytes) -> Source:
    return Source("made.bmp", data=data)


def made(high: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, high, (H, W, channels), dtype=np.uint8)


def bmp(
    rows: list[bytes],
    bits: int,
    *,
    table: bytes = b"",
    compression: int = 0,
    masks: tuple[int, ...] = (),
    top_down: bool = False,
    info: int = 40,
    trailer: bytes = b"",
) -> bytes:
    """By the letter; ``rows`` come top row first, not padded; for RLE they are the whole data."""
    if compression in (1, 2):
        payload = b"".join(rows)
    else:
        padded = [row.ljust((len(row) + 3) // 4 * 4, b"\0") for row in rows]
        payload = b"".join(padded if top_down else padded[::-1])
    if info == 12:
        head = struct.pack("<IHHHH", 12, W, H, 1, bits)
    else:
        height = -H if top_down else H
        entries = len(table) // 4
        head = struct.pack(
            "<IiiHHIIiiII", info, W, height, 1, bits, compression, len(payload), 11811, 5906, entries, 0
        )
        head += struct.pack(f"<{len(masks)}I", *masks)
        if info > 40:
            head = head.ljust(info, b"\0")
    at = 14 + len(head) + len(table)
    return struct.pack("<2sIII", b"BM", at + len(payload), 0, at) + head + table + payload + trailer


def packed(indices: np.ndarray, bits: int) -> list[bytes]:
    lines = []
    for row in indices[..., 0]:
        text = "".join(f"{value:0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        lines.append(bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8)))
    return lines


def seen(data: bytes, mode: str) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as judged:
        return np.array(judged.convert(mode)).reshape(H, W, -1)


def repaired(data: bytes, mode: str, new: np.ndarray, *, kept: bool) -> Picture:
    """Decode, change, rewrite: in its own file, of which only changed pixels differ, or in a new one."""
    picture = CODEC.decode(source(data))
    original = seen(data, mode)
    colours = picture.palette[picture.samples[..., 0]] if picture.palette is not None else picture.samples
    assert np.array_equal(colours[..., : original.shape[2]], original)
    assert CODEC.rewrite(picture, np.zeros((H, W), bool)).data == data
    changed = np.zeros((H, W), bool)
    changed[4:7, 5:15] = True
    picture.samples[changed] = new[changed]
    written = CODEC.rewrite(picture, changed)
    result = written.data
    back = CODEC.decode(source(result))
    assert np.array_equal(back.samples, picture.samples)
    assert back.container is not None
    assert picture.container is not None
    assert back.container.metadata == picture.container.metadata
    assert np.array_equal(seen(result, mode)[~changed], original[~changed])
    assert bool(written.notes) != kept
    if kept:
        assert len(result) == len(data)
        assert sum(a != b for a, b in zip(data, result, strict=True)) <= 4 * changed.sum()
    else:
        assert "written as a new BMP" in written.notes[0]
    return picture


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("top_down", [False, True])
@pytest.mark.parametrize("info", [12, 40, 124])
def test_palettes(bits: int, top_down: bool, info: int) -> None:
    if info == 12 and top_down:
        pytest.skip("the old header has no sign")
    entry = 3 if info == 12 else 4
    table = np.random.default_rng(3).integers(0, 256, (1 << bits, entry), dtype=np.uint8)
    table[:, 3:] = 0
    indices = made(1 << bits)
    data = bmp(
        packed(indices, bits), bits, table=table.tobytes(), top_down=top_down, info=info, trailer=b"behind"
    )
    kept = bits == 8 and info > 12 and not top_down
    picture = repaired(data, "RGB", made(1 << bits, seed=1), kept=kept)
    assert picture.mode == "P"


@pytest.mark.parametrize("bits", [1, 8])
def test_an_even_ramp_is_grey(bits: int) -> None:
    ramp = np.linspace(0, 255, 1 << bits).astype(np.uint8)
    table = np.stack((ramp, ramp, ramp, 0 * ramp), axis=1)
    data = bmp(packed(made(1 << bits), bits), bits, table=table.tobytes())
    picture = repaired(data, "L", ramp[made(1 << bits, seed=1)], kept=bits == 8)
    assert picture.mode == "L"
    assert picture.container is not None
    assert picture.container.metadata.dpi == pytest.approx((300, 150), abs=0.02)


@pytest.mark.parametrize("top_down", [False, True])
def test_true_colour(top_down: bool) -> None:
    rgb = made(256, 3)
    rows = [row[:, ::-1].tobytes() for row in rgb]
    assert repaired(bmp(rows, 24, top_down=top_down), "RGB", made(256, 3, 1), kept=not top_down).mode == "RGB"
    four = np.dstack((rgb[..., ::-1], made(256)))
    rows = [row.tobytes() for row in four]
    assert repaired(bmp(rows, 32, top_down=top_down), "RGB", made(256, 3, 1), kept=False).mode == "RGB"
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    data = bmp(rows, 32, compression=3, masks=masks, info=108, top_down=top_down)
    picture = repaired(data, "RGBA", made(256, 4, 1), kept=not top_down)
    assert picture.mode == "RGBA"


@pytest.mark.parametrize(
    ("masks", "compression"), [((0xF800, 0x7E0, 0x1F), 3), ((0x7C00, 0x3E0, 0x1F), 3), ((), 0)]
)
def test_sixteen_bits(masks: tuple[int, ...], compression: int) -> None:
    values = np.random.default_rng(0).integers(0, 1 << 15, (H, W)).astype("<u2")
    data = bmp([row.tobytes() for row in values], 16, compression=compression, masks=masks)
    picture = CODEC.decode(source(data))
    judged = seen(data, "RGB").astype(int)
    assert np.abs(picture.samples.astype(int) - judged).max() <= 1, "rounding of 5 and 6 bits to 8"
    changed = np.zeros((H, W), bool)
    changed[3, 4] = True
    picture.samples[3, 4] = (255, 0, 255)
    result = CODEC.rewrite(picture, changed).data
    assert np.array_equal(CODEC.decode(source(result)).samples, picture.samples)


def rle8(indices: np.ndarray) -> bytes:
    data = b""
    for number, row in enumerate(indices[::-1, :, 0]):
        if number % 2:  # alternate between absolute runs and repeated ones
            data += bytes([0, W]) + row.tobytes() + b"\0" * (W % 2)
        else:
            data += b"".join(bytes([1, value]) for value in row)
        data += b"\0\0"
    return data + b"\0\1"


def rle4(indices: np.ndarray) -> bytes:
    data = b""
    for row in indices[::-1, :, 0]:
        line = packed(row[None, :, None], 4)[0]
        data += bytes([0, W]) + line + b"\0" * (len(line) % 2) + b"\0\0"
    return data + b"\0\1"


@pytest.mark.parametrize("bits", [4, 8])
def test_run_lengths(bits: int) -> None:
    table = np.random.default_rng(3).integers(0, 256, (1 << bits, 4), dtype=np.uint8)
    indices = made(1 << bits)
    coded = rle8(indices) if bits == 8 else rle4(indices)
    data = bmp([coded], bits, table=table.tobytes(), compression=1 if bits == 8 else 2)
    picture = CODEC.decode(source(data))
    assert np.array_equal(picture.samples, indices)
    assert np.array_equal(seen(data, "RGB"), table[indices[..., 0], 2::-1])
    changed = np.zeros((H, W), bool)
    changed[3, 4] = True
    picture.samples[3, 4] ^= 1
    result = CODEC.rewrite(picture, changed)
    assert result.notes == ("written as a new BMP of 8 bits a pixel",)
    assert np.array_equal(seen(result.data, "RGB"), table[picture.samples[..., 0], 2::-1])


def test_runs_that_end_too_soon_are_refused_before_they_are_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    def walked(*_: object) -> tuple[int, int]:
        raise AssertionError("walked")

    monkeypatch.setattr(BmpImagePlugin.BmpRleDecoder, "decode", walked)
    for bits, compression in ((8, 1), (4, 2)):
        for begin in (b"\1\0" * (W * H - 1), b"\0\3abc\0", b"\0\0" * (H - 1), b"\0\2\7\2" * 5):
            data = bmp([begin + b"\0\1"], bits, table=bytes(4 << bits), compression=compression)
            for padding in (b"", b"\xff" * 5000):  # what stands behind the end draws nothing
                with pytest.raises(DecodeError, match="runs end too soon"):
                    CODEC.decode(source(data + padding))


def test_run_lengths_from_an_odd_place_are_refused() -> None:
    """Pillow pads literal pixels to even places of the file, others to even places of the pixel data."""
    data = bytearray(bmp([b"\0" + rle8(made(256))], 8, table=bytes(1024), compression=1))
    data[10:14] = struct.pack("<I", 54 + 1024 + 1)
    with pytest.raises(FormatError, match="odd place"):
        CODEC.decode(source(bytes(data)))


def test_no_runs_are_refused_that_pillow_can_draw() -> None:
    rng = np.random.default_rng(8)
    drawn = 0
    for _ in range(400):
        codes, left = b"", int(W * H * rng.uniform(0.9, 1.3))
        while left > 0:
            count = int(rng.integers(3, 24))
            pixels = rng.integers(0, 256, count, dtype=np.uint8).tobytes() + b"\0" * (count % 2)
            code = int(rng.integers(5))
            codes += (
                b"\0\0",
                bytes([0, 2, count, count % 2]),
                *[bytes([count, 7])] * 2,
                bytes([0, count]) + pixels,
            )[code]
            left -= (0, count + count % 2 * W, count, count, count)[code]
        end = (b"\0\1", b"", b"\0\xff" + bytes(5), b"\0\2")[int(rng.integers(4))]
        data = bmp([codes + end], 8, table=bytes(1024), compression=1)
        try:
            seen(data, "L")
        except (ValueError, OSError):
            continue
        drawn += 1
        CODEC.decode(source(data))
    assert drawn > 50


@pytest.mark.parametrize("greys", [(0, 255), (0, 1), (0, 1, 2), (0,), (0, 3), tuple(range(256))])
def test_a_palette_of_greys_is_read_back_as_one(greys: tuple[int, ...]) -> None:
    """Found by mutant bmp-3122: black and white, written at 8 bits, were refused as no palette."""
    palette = np.array([(grey, grey, grey, 255) for grey in greys], np.uint8)
    indices = made(len(greys))
    written = CODEC.encode(Picture(indices, "P", palette=palette), Metadata()).data
    assert struct.unpack_from("<I", written, 2)[0] == len(written)
    assert np.array_equal(seen(written, "L")[..., 0], palette[indices[..., 0], 0])
    again = CODEC.decode(source(written))
    shown = again.samples if again.palette is None else again.palette[again.samples[..., 0], :1]
    assert np.array_equal(shown[..., 0], palette[indices[..., 0], 0])


def test_a_file_whose_pixels_begin_nowhere_becomes_a_new_one() -> None:
    data = bytearray(bmp([row.tobytes() for row in made(256, 3)], 24))
    data[10:14] = bytes(4)
    picture = CODEC.decode(source(bytes(data)))
    changed = np.zeros((H, W), bool)
    changed[3, 4] = True
    result = CODEC.rewrite(picture, changed).data
    assert CODEC.recognises(result)
    assert np.array_equal(CODEC.decode(source(result)).samples, picture.samples)


@pytest.mark.parametrize(("bits", "entries"), [(8, 100), (4, 16), (1, 2), (8, 40)])
def test_new_palette_entries(bits: int, entries: int) -> None:
    table = np.random.default_rng(3).integers(0, 256, (entries, 4), dtype=np.uint8)
    indices = made(entries)
    data = bmp(packed(indices, bits), bits, table=table.tobytes(), trailer=b"behind")
    picture = CODEC.decode(source(data))
    assert picture.palette is not None
    picture.palette = np.vstack((picture.palette, np.array([[7, 8, 9, 255]], np.uint8)))
    changed = np.zeros((H, W), bool)
    changed[3, 4] = True
    picture.samples[3, 4] = len(picture.palette) - 1
    result = CODEC.rewrite(picture, changed).data
    assert np.array_equal(seen(result, "RGB"), picture.palette[picture.samples[..., 0], :3])


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("RGBA", 4), ("LA", 2)])
def test_encode(mode: str, channels: int) -> None:
    samples = made(256, channels)
    result = CODEC.encode(Picture(samples, mode), Metadata(dpi=(300, 150), icc=b"x"))  # type: ignore[arg-type]
    assert "profile" in result.notes[-1]
    back = CODEC.decode(source(result.data))
    expected = samples[..., [0, 0, 0, 1]] if mode == "LA" else samples
    assert np.array_equal(back.samples, expected)
    assert np.array_equal(seen(result.data, "RGBA" if mode == "LA" else mode), expected)
    assert back.container is not None
    assert back.container.metadata.dpi == pytest.approx((300, 150), abs=0.02)


def test_a_profile_stays_or_is_told_lost() -> None:
    rows = [row.tobytes() for row in made(256, 3)]
    for top_down in (False, True):
        data = bytearray(bmp(rows, 24, info=124, top_down=top_down))
        struct.pack_into("<4s", data, 70, b"DEBM")
        struct.pack_into("<II", data, 126, len(data) - 14, 7)
        picture = CODEC.decode(source(bytes(data + b"profile")))
        assert picture.container is not None and picture.container.metadata.icc == b"profile"
        result = CODEC.rewrite(picture, np.ones((H, W), bool))
        back = CODEC.decode(source(result.data)).container
        assert back is not None and back.metadata.icc == (None if top_down else b"profile")
        assert ("without its profile" in "".join(result.notes)) == top_down


@pytest.mark.parametrize(("bits", "entries"), [(8, 2), (4, 16), (4, 2)])
def test_a_palette_that_pillow_does_not_see_is_refused(bits: int, entries: int) -> None:
    """Of the darkest greys alone, or of black and white at more than a bit: its rows would be misread."""
    levels = (0, 255) if entries == 2 else range(entries)
    table = b"".join(bytes([level] * 3 + [0]) for level in levels)
    with pytest.raises(FormatError, match="save it as a PNG"):
        CODEC.decode(source(bmp(packed(made(entries), bits), bits, table=table)))


def test_encode_a_palette_and_refuse_the_rest() -> None:
    palette = np.random.default_rng(0).integers(0, 256, (9, 4), dtype=np.uint8)
    palette[:, 3] = 255
    data = CODEC.encode(Picture(made(9), "P", palette), Metadata()).data
    assert np.array_equal(seen(data, "RGB"), palette[made(9)[..., 0], :3])
    palette[2, 3] = 0
    data = CODEC.encode(Picture(made(9), "P", palette), Metadata()).data
    assert np.array_equal(seen(data, "RGBA"), palette[made(9)[..., 0]])
    for samples, mode in ((made(9, 4), "CMYK"), (made(9, 3).astype(np.float32), "RGB")):
        with pytest.raises(FormatError, match="cannot hold"):
            CODEC.encode(Picture(samples, mode), Metadata())  # type: ignore[arg-type]


def test_a_bomb_is_told_by_its_header() -> None:
    data = bytearray(bmp([b"\0" * 3 * W] * H, 24))
    struct.pack_into("<ii", data, 18, 65535, -65535)
    header = CODEC.header(source(bytes(data)))
    assert (header.width, header.height) == (65535, 65535)
    with pytest.raises(LimitError):
        CODEC.decode(source(bytes(data)))


@pytest.mark.parametrize("kind", ["rgb", "rle"])
def test_damage_is_told_in_one_line(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    if kind == "rgb":
        data = bmp([row.tobytes() for row in made(256, 3)], 24)
    else:
        data = bmp([rle8(made(256))], 8, table=bytes(1024), compression=1)
    for length in range(0, len(data) - 8, 7):
        with pytest.raises(PictureError):
            CODEC.decode(source(data[:length]))
    for at in range(0, len(data), 3):
        broken = bytearray(data)
        broken[at] ^= 0x41
        try:
            header = CODEC.header(source(bytes(broken)))
            if header.width * header.height > 1 << 20:
                continue
            picture = CODEC.decode(source(bytes(broken)))
            CODEC.rewrite(picture, np.ones(picture.size, bool))
        except PictureError as error:
            assert "\n" not in str(error)
    assert capfd.readouterr() == ("", "")
