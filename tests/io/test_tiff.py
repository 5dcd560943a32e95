"""TIFF: every layout written by tifffile, Pillow or OpenCV, read and rewritten by us, judged by tifffile."""

import io
import struct
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from remend.errors import DecodeError, FormatError, PictureError
from remend.io.codec import Source
from remend.io.tiff.chunk import _segments
from remend.io.tiff.codec import CODEC
from remend.io.tiff.directory import pages, read_structure
from remend.io.tiff.layout import read_layout
from remend.io.tiff.placement import Patches, merged
from remend.picture import Metadata, Picture

H, W = 37, 53


def source(data: bytes) -> Source:
    return Source("made.tif", data=data)


def made(shape: tuple[int, ...], kind: type, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if kind is np.float32:
        return rng.normal(size=shape).astype(np.float32)
    return rng.integers(0, np.iinfo(kind).max, shape, endpoint=True).astype(kind)


def written(array: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    with tifffile.TiffWriter(
        file, byteorder=options.pop("byteorder", "<"), bigtiff=options.pop("bigtiff", False)
    ) as writer:
        writer.write(array, metadata=None, **options)
    return file.getvalue()


def judged(data: bytes, page: int = 0) -> np.ndarray:
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return file.pages[page].asarray()


def other_tags(data: bytes) -> list[dict[int, bytes]]:
    """Every tag of every page but those that say where the pixels are."""
    file = io.BytesIO(data)
    found = []
    for page in pages(file, read_structure(file, "x"), "x"):
        skipped = (273, 279, 324, 325)
        found.append({tag: page.raw(tag) or b"" for tag in page.entries if tag not in skipped})
    return found


def repaired(data: bytes, judge: Callable[[bytes], np.ndarray] = judged) -> Picture:
    """Decode, change some pixels, rewrite, and hold the result against an outside reader."""
    before = judge(data)
    picture = CODEC.decode(source(data))
    original = picture.samples.copy()
    assert CODEC.rewrite(picture, np.zeros(picture.size, bool)).data == data

    changed = np.zeros(picture.size, bool)
    changed[H // 2 : H // 2 + 4, W // 3 : W // 3 + 6] = True
    picture.samples[changed] = picture.samples[::-1, ::-1][changed]
    result = CODEC.rewrite(picture, changed).data
    assert other_tags(result) == other_tags(data)
    back = CODEC.decode(source(result))
    assert np.array_equal(back.samples, picture.samples, equal_nan=picture.samples.dtype == np.float32)
    assert np.array_equal(back.samples[~changed], original[~changed], equal_nan=original.dtype == np.float32)
    after = judge(result)
    place = np.moveaxis(after, 0, -1) if after.shape[:2] != (H, W) else after
    was = np.moveaxis(before, 0, -1) if before.shape[:2] != (H, W) else before
    assert place.dtype == was.dtype
    assert np.array_equal(place[~changed], was[~changed], equal_nan=was.dtype == np.float32)
    assert not np.array_equal(place, was)
    return picture


SHAPES = {"L": (H, W), "LA": (H, W, 2), "RGB": (H, W, 3), "RGBA": (H, W, 4), "CMYK": (H, W, 4)}


@pytest.mark.parametrize("geometry", ["strips", "one strip", "tiles", "planes", "tiled planes"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(
    ("kind", "byteorder"), [(np.uint8, "<"), (np.uint16, "<"), (np.uint16, ">"), (np.float32, ">")]
)
@pytest.mark.parametrize("mode", list(SHAPES))
def test_layouts(mode: str, kind: type, compression: str | None, geometry: str, byteorder: str) -> None:
    if mode == "CMYK" and kind is np.float32:
        pytest.skip("not a picture that exists")
    array = made(SHAPES[mode], kind)
    options: dict[str, object] = {"byteorder": byteorder, "bigtiff": byteorder == ">"}
    options["photometric"] = {"L": "minisblack", "LA": "minisblack", "CMYK": "separated"}.get(mode, "rgb")
    if mode in ("LA", "RGBA"):
        options["extrasamples"] = ["unassalpha"]
    if "planes" in geometry and mode != "L":
        array = np.ascontiguousarray(np.moveaxis(array, -1, 0))
        options["planarconfig"] = "separate"
    elif mode != "L":
        options["planarconfig"] = "contig"
    if geometry in ("strips", "planes"):
        options["rowsperstrip"] = 8
    elif "tile" in geometry:
        options["tile"] = (16, 32)
    if compression:
        options["compression"] = "zlib"
        options["predictor"] = 1 if kind is np.float32 else 2
    data = written(array, **options)
    picture = repaired(data)
    assert picture.mode == mode
    assert picture.samples.dtype == kind


@pytest.mark.parametrize("name", ["tiff_lzw", "packbits", "tiff_adobe_deflate", "zstd", "lzma", "raw"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK", "LA"])
def test_pillow_compressions(name: str, mode: str) -> None:
    image = Image.fromarray(made((H, W, 4), np.uint8)).convert(mode)
    file = io.BytesIO()
    image.save(file, "TIFF", compression=name, tiffinfo={278: 8})
    repaired(file.getvalue(), lambda data: np.array(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("compression", [1, 5, 8, 32773, 32946])
@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("shape", [(H, W), (H, W, 3), (H, W, 4)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_opencv_files(compression: int, predictor: int, shape: tuple[int, ...], kind: type) -> None:
    array = made(shape, kind)
    flags = [cv2.IMWRITE_TIFF_COMPRESSION, compression, cv2.IMWRITE_TIFF_PREDICTOR, predictor]
    _, data = cv2.imencode(".tif", array, flags)
    picture = repaired(
        data.tobytes(), lambda data: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    )
    assert picture.samples.dtype == kind


@pytest.mark.parametrize("compression", ["raw", "group3", "group4", "tiff_ccitt", "tiff_lzw"])
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_bilevel(compression: str, white_is_zero: bool) -> None:
    image = Image.fromarray((made((H, W), np.uint8) > 127).astype(np.uint8) * 255).convert("1")
    file = io.BytesIO()
    info = {278: 8, 262: 0} if white_is_zero else {278: 8}
    image.save(file, "TIFF", compression=compression, tiffinfo=info)
    data = file.getvalue()

    def seen(data: bytes) -> np.ndarray:
        with Image.open(io.BytesIO(data)) as opened:
            return np.array(opened)

    picture = CODEC.decode(source(data))
    assert picture.container is not None
    assert picture.container.details["levels"] == 2
    assert np.array_equal(picture.samples[..., 0], seen(data) * np.uint8(255))
    assert CODEC.rewrite(picture, np.zeros((H, W), bool)).data == data
    changed = np.zeros((H, W), bool)
    changed[10:14, 20:30] = True
    picture.samples[changed] = 200
    result = CODEC.rewrite(picture, changed)
    assert bool(result.notes) == (compression in ("group3", "tiff_ccitt"))
    after = seen(result.data)
    assert after[changed].all()
    assert np.array_equal(after[~changed], seen(data)[~changed])


@pytest.mark.parametrize("compression", [5, 8])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_floating_point_predictor(channels: int, compression: int) -> None:
    array = made((H, W, channels), np.float32)
    array[3:6, 7:9] = np.nan
    flags = [cv2.IMWRITE_TIFF_COMPRESSION, compression, cv2.IMWRITE_TIFF_PREDICTOR, 3]
    _, data = cv2.imencode(".tif", array, flags)

    def seen(data: bytes) -> np.ndarray:
        return np.atleast_3d(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED))

    picture = repaired(data.tobytes(), seen)
    assert np.isnan(picture.samples[4, 8]).all()
    again = CODEC.encode(picture, Metadata()).data
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0]}[channels]  # OpenCV leaves the alpha of floats out
    picture.samples = picture.samples[..., : len(order)]
    assert np.array_equal(seen(again)[..., order], picture.samples, equal_nan=True)


def naive_tiff(rows: list[bytes], tags: dict[int, list[int] | bytes], *, strips: bool = True) -> bytes:
    """A TIFF by the letter, of one uncompressed strip unless told; numbers are written as SHORT."""
    payload = b"".join(rows)
    if strips:
        tags = {259: [1], 273: [8], 277: [1], 278: [len(rows)], 279: [len(payload)], **tags}
        tags[257] = [len(rows)]
    at = 8 + len(payload)
    values = at + 2 + 12 * len(tags) + 4
    entries, behind = b"", b""
    for tag, numbers in sorted(tags.items()):
        plain = isinstance(numbers, bytes)
        data = numbers if plain else struct.pack(f"<{len(numbers)}H", *numbers)
        if len(data) > 4:
            behind, data = behind + data, struct.pack("<I", values + len(behind))
        entries += struct.pack("<HHI", tag, 7 if plain else 3, len(numbers)) + data.ljust(4, b"\0")
    head = struct.pack("<2sHI", b"II", 42, at)
    return head + payload + struct.pack("<H", len(tags)) + entries + bytes(4) + behind


def packed_rows(values: np.ndarray, bits: int) -> list[bytes]:
    rows = []
    for row in values:
        text = "".join(f"{value:0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows.append(bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8)))
    return rows


@pytest.mark.parametrize("bits", [2, 4])
@pytest.mark.parametrize("photometric", [0, 1])
def test_grey_of_few_bits(bits: int, photometric: int) -> None:
    levels = (1 << bits) - 1
    values = made((H, W), np.uint8) >> (8 - bits)
    data = naive_tiff(packed_rows(values, bits), {256: [W], 258: [bits], 262: [photometric]})

    def judged(data: bytes) -> np.ndarray:
        with Image.open(io.BytesIO(data)) as image:
            return np.array(image).astype(int) * levels // 255

    picture = CODEC.decode(source(data))
    assert np.array_equal(judged(data), values if photometric else levels - values)
    expected = judged(data) * 255 // levels
    assert np.array_equal(picture.samples[..., 0], expected)
    changed = np.zeros((H, W), bool)
    changed[3, :30] = True
    picture.samples[changed, 0] = np.arange(30) * 8
    after = judged(CODEC.rewrite(picture, changed).data)
    assert np.array_equal(after[3, :30], np.round(np.arange(30) * 8 * levels / 255))
    assert np.array_equal(after[~changed], judged(data)[~changed])


def palette_tiff(entries: int) -> bytes:
    indices = made((H, W), np.uint8) % entries
    image = Image.frombytes("P", (W, H), indices.tobytes())
    image.putpalette([int(value) for value in made((768,), np.uint8, 5)])
    file = io.BytesIO()
    image.save(file, "TIFF", compression="tiff_lzw")
    return file.getvalue()


def test_palette_and_new_entries() -> None:
    data = palette_tiff(200)
    repaired(data, lambda data: np.array(Image.open(io.BytesIO(data))))
    picture = CODEC.decode(source(data))
    assert picture.mode == "P"
    assert picture.palette is not None
    assert len(picture.palette) == 200
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(np.array(image.convert("RGB")), picture.palette[picture.samples[..., 0], :3])
    picture.palette = np.vstack((picture.palette, np.array([[1, 2, 3, 255]], np.uint8)))
    changed = np.zeros((H, W), bool)
    changed[5, 6] = True
    picture.samples[changed] = 200
    result = CODEC.rewrite(picture, changed).data
    with Image.open(io.BytesIO(result)) as image:
        assert image.convert("RGB").getpixel((6, 5)) == (1, 2, 3)
        assert np.array_equal(np.array(image), picture.samples[..., 0])


def test_a_palette_outgrows_its_bits() -> None:
    indices = made((H, W), np.uint8) % 16
    colours = list(range(0, 48 * 1300, 1300))
    data = naive_tiff(packed_rows(indices, 4), {256: [W], 258: [4], 262: [3], 320: colours})
    picture = CODEC.decode(source(data))
    assert picture.palette is not None
    picture.palette = np.vstack((picture.palette, np.array([[250, 2, 3, 255]], np.uint8)))
    changed = np.zeros((H, W), bool)
    changed[1, 1] = True
    picture.samples[changed] = 16
    result = CODEC.rewrite(picture, changed).data
    with Image.open(io.BytesIO(result)) as image:
        assert image.convert("RGB").getpixel((1, 1)) == (250, 2, 3)
        assert np.array_equal(np.array(image)[~changed], indices[~changed])
    with tifffile.TiffFile(io.BytesIO(result)) as file:
        assert np.array_equal(file.pages[0].colormap[:, :16], np.reshape(colours, (3, 16)))


def jpeg_tiff(array: np.ndarray, photometric: str, *, tile: int, tables: str) -> bytes:
    """A TIFF of JPEG data: by Pillow in strips, or of JPEG files of our own as tiles (no common tables)."""
    image = Image.fromarray(array)
    file = io.BytesIO()
    if not tile:
        image = image.convert("YCbCr" if photometric == "YCbCr" else None)
        image.save(file, "TIFF", compression="jpeg", quality=90, tiffinfo={278: 16})
        return file.getvalue()
    payload, offsets, lengths = b"", [], []
    for top in range(0, array.shape[0], tile):
        for left in range(0, array.shape[1], tile):
            piece = io.BytesIO()
            part = Image.fromarray(np.ascontiguousarray(array[top : top + tile, left : left + tile]))
            part.save(piece, "JPEG", quality=90, keep_rgb=photometric == "RGB", optimize=tables == "optimal")
            offsets.append(8 + len(payload))
            lengths.append(len(piece.getvalue()))
            payload += piece.getvalue()
    kind = {"L": 1, "RGB": 2, "YCbCr": 6}[photometric]
    count = 1 if photometric == "L" else 3
    tags: dict[int, list[int] | bytes] = {
        257: [array.shape[0]],
        256: [array.shape[1]],
        258: [8] * count,
        259: [7],
        262: [kind],
        277: [count],
    }
    tags |= {322: [tile], 323: [tile], 324: offsets, 325: lengths}
    if photometric == "YCbCr":
        tags[530] = [2, 2]
    return naive_tiff([payload], tags, strips=False)


@pytest.mark.parametrize("photometric", ["YCbCr", "RGB", "L"])
@pytest.mark.parametrize(("tile", "tables"), [(0, ""), (32, "standard"), (32, "optimal")])
def test_jpeg_inside(photometric: str, tile: int, tables: str) -> None:
    yy, xx = np.mgrid[:96, :128]
    smooth = np.stack((xx * 2, yy * 2, 255 - xx), axis=-1).astype(np.uint8)
    array = np.ascontiguousarray(smooth[..., 0]) if photometric == "L" else smooth
    data = jpeg_tiff(array, photometric, tile=tile, tables=tables)
    with Image.open(io.BytesIO(data)) as opened:
        before = np.array(opened)
    picture = CODEC.decode(source(data))
    assert np.array_equal(np.squeeze(picture.samples), before)
    changed = np.zeros((96, 128), bool)
    changed[40:44, 40:44] = True
    picture.samples[changed] = 255
    result = CODEC.rewrite(picture, changed)
    assert "compressed again" in result.notes[0]
    with Image.open(io.BytesIO(result.data)) as opened:
        after = np.array(opened)
    assert after[41:43, 41:43].mean() > 225
    assert np.array_equal(after[:32], before[:32]), "strips and tiles that the mask does not touch"
    assert np.array_equal(after[64:], before[64:])


def test_pages_subdirectories_and_metadata_survive() -> None:
    exif = Image.Exif()
    exif[271], exif[274], exif[700], exif[65000] = "Maker", 8, b"<x:xmpmeta/>", "private"
    exif.get_ifd(34665).update({36867: "2001:02:03 04:05:06", 37500: b"maker note"})
    exif.get_ifd(34853)[1] = "N"
    exif[34665] = exif[34853] = 1  # Pillow writes the directories only where it finds their pointers
    frames = [Image.fromarray(made((H, W, 3), np.uint8, seed)) for seed in range(3)]
    file = io.BytesIO()
    frames[0].save(
        file,
        "TIFF",
        save_all=True,
        append_images=frames[1:],
        exif=exif,
        icc_profile=b"profile",
        dpi=(300, 200),
    )
    data = file.getvalue()
    header = CODEC.header(source(data))
    assert (header.frames, header.orientation) == (3, 8)
    picture = repaired(data)
    assert picture.container is not None
    assert "first of 3 pages" in picture.container.notes[0]
    found = picture.container.metadata
    assert (found.icc, found.xmp) == (b"profile", b"<x:xmpmeta/>")
    assert found.dpi == pytest.approx((300, 200))
    inner = Image.Exif()
    inner.load(b"Exif\0\0" + (found.exif or b""))
    assert inner[271] == "Maker"
    assert inner.get_ifd(34665)[36867] == "2001:02:03 04:05:06"
    assert inner.get_ifd(34853)[1] == "N"

    changed = np.ones((H, W), bool)
    result = CODEC.rewrite(picture, changed).data
    with Image.open(io.BytesIO(result)) as image:
        assert image.getexif().get_ifd(34665)[37500] == b"maker note"
        assert image.getexif().get_ifd(34853)[1] == "N"
        assert image.tag_v2[65000] == "private"
    for number in (1, 2):
        assert np.array_equal(judged(result, number), np.array(frames[number]))

    again = CODEC.encode(picture, found).data
    assert np.array_equal(judged(again), picture.samples)
    assert CODEC.header(source(again)).orientation == 8
    with Image.open(io.BytesIO(again)) as image:
        assert image.info["icc_profile"] == b"profile"
        assert image.info["dpi"] == pytest.approx((300, 200))
        assert image.getexif().get_ifd(34665)[36867] == "2001:02:03 04:05:06"


def test_shared_and_sparse_tiles() -> None:
    array = np.zeros((64, 64), np.uint8)
    data = bytearray(written(array, tile=(16, 16), compression="zlib", photometric="minisblack"))
    file = io.BytesIO(bytes(data))
    page = next(pages(file, read_structure(file, "x"), "x"))
    offsets = page.integers(324)
    assert offsets is not None
    at = page.position(page.entries[324])
    code = "<16I" if page.entries[324].kind == 4 else "<16Q"
    data[at : at + struct.calcsize(code)] = struct.pack(code, *[offsets[0]] * 16)
    for sparse in (False, True):
        if sparse:
            lengths = page.entries[325]
            kind = {3: "H", 4: "I", 16: "Q"}[lengths.kind]
            count = page.integers(325)
            assert count is not None
            struct.pack_into(f"<16{kind}", data, page.position(lengths), count[0], *[0] * 15)
            struct.pack_into(code, data, at, offsets[0], *[0] * 15)
        picture = CODEC.decode(source(bytes(data)))
        changed = np.zeros((64, 64), bool)
        changed[20, 20] = changed[50, 10] = True
        picture.samples[changed] = 9
        result = judged(CODEC.rewrite(picture, changed).data)
        assert np.array_equal(result, picture.samples[..., 0])


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("options", [{"rowsperstrip": 8}, {"tile": (16, 16)}, {}])
def test_what_was_removed_is_gone(compression: str | None, options: dict[str, object]) -> None:
    secret = made((8, 24), np.uint8, 7)
    array = np.full((64, 64), 128, np.uint8)
    array[16:24, 16:40] = secret
    data = written(array, compression=compression, photometric="minisblack", **options)
    picture = CODEC.decode(source(data))
    changed = np.zeros((64, 64), bool)
    changed[16:24, 16:40] = True
    picture.samples[changed] = 128
    result = CODEC.rewrite(picture, changed).data
    found = [data[i : i + 24] for i in range(len(data) - 24)]
    noise = [piece for piece in found if len(set(piece)) > 20]
    assert noise or compression is None
    assert not [piece for piece in noise if piece in result]
    assert not [row for row in secret if row.tobytes() in result]
    assert np.array_equal(judged(result), picture.samples[..., 0])


def test_extra_channels_and_nan_survive() -> None:
    array = made((H, W, 6), np.uint16)
    data = written(
        array, photometric="rgb", planarconfig="contig", extrasamples=[0, 0, 0], compression="zlib"
    )
    picture = repaired(data)
    assert (picture.mode, picture.channels.bands) == ("RGB", (3, 4, 5))
    result = CODEC.rewrite(picture, np.ones((H, W), bool)).data
    assert np.array_equal(judged(result), picture.samples)

    field = made((H, W), np.float32)
    field[3:6, 7:9] = np.nan
    data = written(field, photometric="minisblack", compression="zlib")
    assert np.isnan(repaired(data).samples[4, 8, 0])


@pytest.mark.parametrize(
    ("array", "options"),
    [
        (np.zeros((4, 4), np.uint64), {}),
        (np.zeros((4, 4), np.int64), {}),
        (np.zeros((4, 4), np.float16), {}),
        (np.zeros((4, 4), np.complex64), {}),
        (np.zeros((4, 4, 3), np.uint8), {"photometric": "cielab"}),
        (np.zeros((4, 4), np.uint16), {"photometric": "cfa", "extratags": [(33421, 3, 2, (2, 2), True)]}),
    ],
)
def test_unsupported_kinds_say_what_came(array: np.ndarray, options: dict[str, object]) -> None:
    options = {"photometric": "minisblack", **options}
    with pytest.raises(FormatError, match=r"made\.tif: a "):
        CODEC.decode(source(written(array, **options)))


@settings(max_examples=40, deadline=None)
@given(
    mode=st.sampled_from([("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4), ("CMYK", 4)]),
    kind=st.sampled_from([np.uint8, np.uint16, np.float32]),
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
)
def test_encode(mode: tuple[str, int], kind: type, size: tuple[int, int]) -> None:
    if mode[0] == "CMYK" and kind is np.float32:
        return
    samples = made((*size, mode[1]), kind)
    data = CODEC.encode(Picture(samples, mode[0]), Metadata(dpi=(72, 72), icc=b"icc")).data  # type: ignore[arg-type]
    assert np.array_equal(CODEC.decode(source(data)).samples, samples)
    if kind is not np.float32:  # tifffile alone cannot undo that predictor; see above
        assert np.array_equal(judged(data).reshape(samples.shape), samples)


def test_encode_a_palette_with_and_without_transparency() -> None:
    indices = made((H, W, 1), np.uint8) % 5
    palette = np.full((5, 4), 255, np.uint8)
    palette[:, 1] = np.arange(5) * 40
    data = CODEC.encode(Picture(indices, "P", palette), Metadata()).data
    back = CODEC.decode(source(data))
    assert back.palette is not None
    assert np.array_equal(back.palette[back.samples[..., 0]], palette[indices[..., 0]])
    palette[2, 3] = 0
    encoded = CODEC.encode(Picture(indices, "P", palette), Metadata())
    assert "transparency" in encoded.notes[0]
    assert np.array_equal(judged(encoded.data), palette[indices[..., 0]])


def damage_of(data: bytes) -> list[bytes]:
    cuts = [data[:length] for length in range(0, len(data), max(1, len(data) // 60))]
    flips = []
    for at in range(0, len(data), max(1, len(data) // 150)):
        broken = bytearray(data)
        broken[at] ^= 0x81
        flips.append(bytes(broken))
    return cuts + flips


@pytest.mark.parametrize(
    "compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits", "group4"]
)
def test_damage_is_told_in_one_line(compression: str, capfd: pytest.CaptureFixture[str]) -> None:
    image = Image.fromarray(made((24, 24, 3), np.uint8)).convert("1" if compression == "group4" else "RGB")
    file = io.BytesIO()
    image.save(file, "TIFF", compression=compression)
    for broken in damage_of(file.getvalue()):
        try:
            header = CODEC.header(source(broken))
            if header.width * header.height > 1 << 20:
                continue
            picture = CODEC.decode(source(broken))
            CODEC.rewrite(picture, np.ones(picture.size, bool))
        except PictureError as error:
            assert "\n" not in str(error)
    written = capfd.readouterr()
    if compression not in ("tiff_lzw", "group4"):  # there libtiff itself writes to standard error
        assert written == ("", "")


def test_a_bomb_is_told_by_its_header() -> None:
    entries = [(256, 65535), (257, 65535), (258, 8), (259, 1), (262, 1), (273, 8), (279, 0)]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    data = struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + body + bytes(4)
    header = CODEC.header(source(data))
    assert (header.width, header.height) == (65535, 65535)


def test_circular_pages_end() -> None:
    data = bytearray(written(made((4, 4), np.uint8), photometric="minisblack"))
    file = io.BytesIO(bytes(data))
    structure = read_structure(file, "x")
    page = next(pages(file, structure, "x"))
    at = structure.first + 2 + 12 * len(page.entries)
    data[at : at + 4] = struct.pack("<I", structure.first)
    assert CODEC.header(source(bytes(data))).frames == 1


def test_reversed_bits() -> None:
    array = made((H, W), np.uint8)
    file = io.BytesIO()
    Image.fromarray(array).save(file, "TIFF", tiffinfo={266: 2})
    data = file.getvalue()

    def seen(data: bytes) -> np.ndarray:
        with Image.open(io.BytesIO(data)) as image:
            return np.array(image)

    stream = io.BytesIO(data)
    assert read_layout(next(pages(stream, read_structure(stream, "x"), "x"))).reversed_bits
    assert np.array_equal(CODEC.decode(source(data)).samples[..., 0], seen(data))
    repaired(data, seen)


def test_placement() -> None:
    assert merged([(4, 4), (0, 2), (1, 3)]) == [(0, 3)]
    data = bytes(range(20))
    patches = Patches(20, [(2, 8), (14, 20)])
    assert patches.place(b"AAAA") == 2
    assert patches.place(b"BBBB") == 14
    patches.write(10, b"x")
    assert patches.apply(data) == b"\x00\x01AAAA\0\0\x08\x09x\x0b\x0c\x0dBBBB"
    with pytest.raises(DecodeError):
        CODEC.decode(source(b"II*\0\x08\0\0\0"))


def test_common_jpeg_tables_that_cannot_be_made_again() -> None:
    """Another writer's Huffman tables: the page goes to deflate, its pixels exact, and the user is told."""
    rng = np.random.default_rng(0)
    array = cv2.GaussianBlur(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8), (0, 0), 3)
    strips = []
    for top in range(0, 64, 32):
        piece = io.BytesIO()
        Image.fromarray(array[top : top + 32]).save(piece, "JPEG", quality=80, optimize=True, subsampling=0)
        strips.append(piece.getvalue())
    common = [segment for marker, segment in _segments(strips[0]) if marker in (0xDB, 0xC4)]
    tags: dict[int, list[int] | bytes] = {256: [64], 257: [64], 258: [8, 8, 8], 259: [7], 262: [6], 277: [3]}
    tags |= {273: [8, 8 + len(strips[0])], 278: [32], 279: [len(strip) for strip in strips], 530: [1, 1]}
    tags[347] = b"\xff\xd8" + b"".join(common) + b"\xff\xd9"
    data = naive_tiff(strips, tags, strips=False)

    def seen(data: bytes) -> np.ndarray:
        with Image.open(io.BytesIO(data)) as image:
            return np.array(image)

    picture = CODEC.decode(source(data))
    assert np.array_equal(picture.samples, seen(data))
    changed = np.zeros((64, 64), bool)
    changed[10:12, 10:12] = True
    picture.samples[changed] = 0
    result = CODEC.rewrite(picture, changed)
    assert "deflate" in result.notes[0]
    assert np.array_equal(seen(result.data), picture.samples)
