"""Pictures of many bands and of measurements, repaired from end to end in all their channels."""

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile

import remend
from remend.picture import Box, Channels, Picture
from remend.samples import colour_groups, eight_bit, put_back, take_out, value_range

KINDS = (np.uint8, np.uint16, np.uint32, np.int8, np.int16, np.int32, np.float32, np.float64)


def scene(kind: type, bands: int = 5, side: int = 96) -> np.ndarray:
    """Smooth bands, each with a slope and a unit of its own; integers over much of their range."""
    y, x = np.mgrid[:side, :side] / side
    planes = [np.sin(3 * x + k) + (k + 1) * y for k in range(bands)]
    if np.dtype(kind).kind == "f":
        return np.stack([plane * 10.0**k + 1e6 * k for k, plane in enumerate(planes)], axis=2).astype(kind)
    limits = np.iinfo(kind)
    stacked = np.stack([(p - p.min()) / np.ptp(p) for p in planes], axis=2)
    return np.rint(limits.min / 2 + stacked * (limits.max * 0.9 - limits.min / 2)).astype(kind)


def hole_in(side: int = 96) -> np.ndarray:
    hole = np.zeros((side, side), bool)
    hole[40:52, 30:60] = True
    return hole


def told(path: str | Path) -> tuple[np.ndarray, dict[int, object]]:
    """What tifffile reads: the samples and the tags."""
    with tifffile.TiffFile(path) as file:
        return file.pages[0].asarray(), {tag.code: tag.value for tag in file.pages[0].tags}


def error_of(repaired: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Of each band, as a share of its own range."""
    spread = np.ptp(truth.reshape(-1, truth.shape[2]).astype(float), axis=0)
    return np.abs(repaired[hole].astype(float) - truth[hole]).mean(axis=0) / spread


@pytest.mark.parametrize("kind", KINDS)
def test_a_five_band_tiff_is_repaired_in_all_its_bands(kind: type, tmp_path: Path) -> None:
    truth, hole = scene(kind), hole_in()
    damaged = truth.copy()
    damaged[hole] = 0
    path = tmp_path / "scene.tif"
    tifffile.imwrite(
        path,
        damaged,
        photometric="minisblack",
        planarconfig="contig",
        rowsperstrip=16,
        compression="zlib",
        metadata=None,
        description="five bands",
        extratags=[(33550, 12, 3, (30.0, 30.0, 0.0), True), (42112, 2, 8, "<GDAL/>", True)],
    )
    out = remend.repair(str(path), hole, grain=0)
    (_, before), (repaired, after) = told(path), told(out)
    assert repaired.dtype == truth.dtype
    assert np.array_equal(repaired[~hole], truth[~hole])
    assert (error_of(repaired, truth, hole) < 0.02).all()
    for tag in (270, 33550, 42112, 258, 277, 338, 339):
        assert after.get(tag) == before.get(tag)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(96, 96), (96, 96, 3), (96, 96, 5)])
def test_arrays_of_every_type_come_back_as_they_came(kind: type, shape: tuple[int, ...]) -> None:
    truth, hole = scene(kind, bands=5)[..., : (*shape, 1)[2]].reshape(shape), hole_in()
    damaged = truth.copy()
    damaged[hole] = 0
    repaired = remend.repair(damaged, hole, grain=0)
    assert (repaired.shape, repaired.dtype) == (truth.shape, truth.dtype)
    assert np.array_equal(repaired[~hole], truth[~hole])
    wide, true = repaired.reshape(96, 96, -1), truth.reshape(96, 96, -1)
    if np.dtype(kind).kind == "f" and shape == (96, 96, 3):  # RGB has one range for all three
        assert np.abs(wide - true).max() < 0.02 * np.ptp(true)
    else:
        assert (error_of(wide, true, hole) < 0.02).all()


def test_bands_copy_the_very_pixels_that_the_first_ones_copied() -> None:
    rng = np.random.default_rng(3)
    key = rng.integers(0, 256, (64, 64), dtype=np.uint8)  # the other bands follow from it, pixel by pixel
    array = np.stack([key, 255 - key, key // 2, key // 3, 255 - key // 5], axis=2)
    hole = np.zeros((64, 64), bool)
    hole[28:36, 28:36] = True

    class Copies:
        """Copies each pixel from 20 columns further left."""

        name = "copies"
        capabilities = remend.Capabilities(context_px=28, makes_texture=False)

        def fill(self, window, hole, *, usable, prior=None, seed=0):
            y, x = np.nonzero(hole)
            pixels, source = window.copy(), np.full((*hole.shape, 2), -1, np.int32)
            pixels[y, x] = window[y, x - 20]
            source[y, x] = np.stack([x - 20, y], axis=1)
            return remend.Filled(pixels, source)

    repaired = remend.repair(array, hole, method=Copies(), grain=0)
    assert np.array_equal(repaired[28:36, 28:36], array[28:36, 8:16])


def test_groups() -> None:
    def of(mode: str, channels: Channels, kind: type = np.uint8) -> list[tuple[int, ...]]:
        samples = np.zeros((2, 2, channels.count), kind)
        return colour_groups(Picture(samples, mode, channels=channels), alpha=True)

    assert of("L", Channels.of("L", 5)) == [(0, 1, 2), (3, 4)]
    assert of("L", Channels.of("L", 2)) == [(0,), (1,)]
    assert of("L", Channels.of("L", 3), np.float64) == [(0,), (1,), (2,)]
    assert of("RGB", Channels(6, 3, alpha=4)) == [(0, 1, 2), (3, 5), (4,)]
    assert of("CMYK", Channels.of("CMYK", 5)) == [(0, 1, 2), (3,), (4,)]
    assert of("RGBA", Channels.of("RGBA")) == [(0, 1, 2), (3,)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [(0,), (1, 2), (0, 1, 2), (1, 3, 4)])
def test_a_group_that_is_taken_out_comes_back_exactly(kind: type, channels: tuple[int, ...]) -> None:
    array = scene(kind)
    if kind is np.float32:
        array = (array / 1e6).astype(np.float32)
    picture = Picture(array.copy(), "L", channels=Channels.of("L", 5))
    box, hole = Box(5, 7, 60, 70), hole_in()[5:60, 7:70]
    span = value_range(picture, box, ~hole, channels)
    window = take_out(picture, box, channels, span)
    picture.samples[box.slices][hole] = 0
    put_back(picture, box, hole, window, channels, span)
    got, true = picture.samples[..., list(channels)], array[..., list(channels)]
    if np.dtype(kind).kind == "f" or np.dtype(kind).itemsize == 4:  # a window is of 32 bits
        assert np.abs(got.astype(float) - true).max() <= 2.0**-22 * span.span
    else:
        assert np.array_equal(got, true)


def test_what_people_see_of_bands() -> None:
    array = scene(np.uint8)
    assert np.array_equal(eight_bit(Picture(array, "L", channels=Channels.of("L", 5))), array[..., :3])
    heights = scene(np.int16, bands=1)
    shown = eight_bit(Picture(heights, "L"))
    assert (shown.min(), shown.max()) == (0, 255)


def test_a_mask_is_read_from_its_colours_alone(tmp_path: Path) -> None:
    truth, hole = scene(np.uint8, bands=3), hole_in()
    mask = np.dstack([hole * 255] * 3 + [np.full(hole.shape, 255)]).astype(np.uint8)
    file = io.BytesIO()
    tifffile.imwrite(file, mask, photometric="rgb", planarconfig="contig", extrasamples=[0])
    repaired = remend.repair(truth, file.getvalue())
    assert np.array_equal(repaired[~hole], truth[~hole])
