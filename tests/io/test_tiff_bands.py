"""TIFFs of bands and of measurements: written by tifffile, read and rewritten by us, judged by tifffile."""

import io

import numpy as np
import pytest
import tifffile

from remend.errors import FormatError
from remend.io import encode_picture, read_picture
from remend.io.codec import Source
from remend.io.tiff.codec import CODEC
from remend.picture import Channels, Metadata, Picture

H, W = 37, 53
KINDS = (np.uint8, np.uint16, np.int16, np.float32, np.float64)


def made(shape: tuple[int, ...], kind: type) -> np.ndarray:
    rng = np.random.default_rng(1)
    if np.dtype(kind).kind == "f":
        return (rng.normal(size=shape) * 1e4 + 1e5).astype(kind)
    limits = np.iinfo(kind)
    return rng.integers(limits.min, limits.max, shape, endpoint=True).astype(kind)


def written(array: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    with tifffile.TiffWriter(file, byteorder=options.pop("byteorder", "<")) as writer:
        writer.write(array, **{"metadata": None, "photometric": "minisblack", **options})
    return file.getvalue()


def judged(data: bytes) -> np.ndarray:
    return tifffile.TiffFile(io.BytesIO(data)).pages[0].asarray()


def decoded(data: bytes) -> Picture:
    return CODEC.decode(Source("made.tif", data=data))


@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"compression": "zlib", "predictor": True}])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_band_comes_and_goes(kind: type, byteorder: str, options: dict, planes: bool) -> None:
    array = made((H, W, 5), kind)
    stored = np.ascontiguousarray(np.moveaxis(array, -1, 0)) if planes else array
    if options.get("predictor") and np.dtype(kind).kind == "f":
        pytest.skip("tifffile writes no predictor of floats by itself; the next test reads ours")
    data = written(
        stored,
        byteorder=byteorder,
        planarconfig="separate" if planes else "contig",
        rowsperstrip=8,
        extratags=[(270, 2, 6, "scene", True)],
        **options,
    )
    picture = decoded(data)
    assert (picture.mode, picture.channels) == ("L", Channels(5, 1))
    assert picture.samples.dtype == kind
    assert np.array_equal(picture.samples, array)
    changed = np.zeros(picture.size, bool)
    changed[20:24, 10:16] = True
    assert CODEC.rewrite(picture, ~changed & changed).data == data
    picture.samples[changed] = picture.samples[::-1, ::-1][changed]
    result = CODEC.rewrite(picture, changed).data
    after = np.moveaxis(judged(result), 0, -1) if planes else judged(result)
    assert after.dtype == array.dtype
    assert np.array_equal(after, picture.samples)
    assert np.array_equal(after[~changed], array[~changed])
    assert tifffile.TiffFile(io.BytesIO(result)).pages[0].description == "scene"


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_file_holds_them(kind: type) -> None:
    picture = Picture(made((H, W, 6), kind), "RGB", channels=Channels(6, 3, alpha=4))
    data = CODEC.encode(picture, Metadata()).data
    back = decoded(data)
    assert np.array_equal(back.samples, picture.samples)
    assert (back.mode, back.channels) == ("RGB", picture.channels)
    page = tifffile.TiffFile(io.BytesIO(data)).pages[0]
    assert page.dtype == kind
    assert page.extrasamples == (0, 2, 0)


def test_a_second_transparency_is_kept() -> None:
    array = made((H, W, 6), np.uint8)
    data = written(array, photometric="rgb", planarconfig="contig", extrasamples=[2, 0, 2])
    picture = decoded(data)
    assert picture.channels == Channels(6, 3, alpha=3, kept=(5,))
    assert picture.channels.bands == (4,)
    assert any("1 further channels are kept" in note for note in picture.container.notes)


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "bmp", "gif", "avif"])
@pytest.mark.parametrize(("channels", "kind"), [(5, np.uint8), (1, np.int16), (1, np.float64)])
def test_other_formats_say_that_they_cannot_hold_them(format: str, channels: int, kind: type) -> None:
    picture = Picture(made((H, W, channels), kind), "L", channels=Channels.of("L", channels))
    with pytest.raises(FormatError, match=r"cannot hold .*: write a TIFF"):
        encode_picture(picture, changed=np.ones((H, W), bool), format=format)


def test_signed_nodata_is_no_value() -> None:
    array = np.full((H, W), 300, np.int16)
    array[:9] = -32768
    data = written(array, extratags=[(42113, 2, 7, "-32768", True)])
    assert read_picture(data).container.details["nodata"] == -32768.0
