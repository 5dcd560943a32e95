import numpy as np
import pytest

from remend.picture import Box, Container, Picture
from remend.samples import (
    collapse_palette,
    colour_groups,
    eight_bit,
    expand_palette,
    put_back,
    readable,
    take_out,
    value_range,
)

WHOLE = Box(0, 0, 6, 8)


def noise(channels: int, dtype: type) -> np.ndarray:
    rng = np.random.default_rng(3)
    if dtype is np.float32:
        return rng.normal(10.0, 400.0, (6, 8, channels)).astype(np.float32)
    return rng.integers(0, np.iinfo(dtype).max, (6, 8, channels), dtype=dtype, endpoint=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4), ("CMYK", 4)])
def test_a_window_that_comes_back_unchanged_leaves_native_samples_as_they_were(mode, channels, dtype):
    samples = noise(channels, dtype)
    picture = Picture(samples.copy(), mode)
    everywhere = np.ones((6, 8), bool)
    for group in colour_groups(picture, alpha=True):
        span = value_range(picture, WHOLE, everywhere)
        put_back(picture, WHOLE, everywhere, take_out(picture, WHOLE, group, span), group, span)
    if dtype is np.float32:
        np.testing.assert_allclose(picture.samples, samples, atol=1e-3)
    else:
        np.testing.assert_array_equal(picture.samples, samples)


def test_put_back_writes_under_the_hole_only_and_clips():
    picture = Picture(noise(3, np.uint8), "RGB")
    before = picture.samples.copy()
    hole = np.zeros((6, 8), bool)
    hole[2, 3] = hole[4, 4] = True
    pixels = np.full((6, 8, 3), 7.0, np.float32)
    put_back(picture, WHOLE, hole, pixels, (0, 1, 2), value_range(picture, WHOLE, ~hole))
    assert (picture.samples[hole] == 255).all()
    np.testing.assert_array_equal(picture.samples[~hole], before[~hole])


def test_float_range_ignores_what_is_no_number():
    samples = noise(1, np.float32)
    samples[0, 0] = np.nan
    samples[0, 1] = np.inf
    picture = Picture(samples, "L")
    fine = readable(picture, WHOLE)
    assert not fine[0, :2].any()
    assert fine.sum() == 46
    span = value_range(picture, WHOLE, fine)
    window = take_out(picture, WHOLE, (0,), span)
    assert np.isfinite(window).all()
    assert window[fine].min() == 0
    assert window[fine].max() == pytest.approx(1)


def test_transparent_pixels_cannot_be_read():
    samples = noise(4, np.uint8)
    samples[..., 3] = 255
    samples[1, 2, 3] = 0
    assert np.argwhere(~readable(Picture(samples, "RGBA"), WHOLE)).tolist() == [[1, 2]]


PALETTE = np.array([[0, 0, 0, 255], [255, 0, 0, 255], [0, 0, 255, 255], [9, 9, 9, 0]], np.uint8)


def test_a_palette_with_a_transparent_entry_becomes_rgba():
    picture = Picture(np.array([[[0], [3]]], np.uint8), "P", palette=PALETTE)
    wide = expand_palette(picture)
    assert wide.mode == "RGBA"
    np.testing.assert_array_equal(wide.samples[0], PALETTE[[0, 3]])


def test_collapse_keeps_entries_and_untouched_indices_and_adds_only_what_is_missing():
    picture = Picture(np.zeros((4, 4, 1), np.uint8), "P", palette=PALETTE[:3])
    wide = expand_palette(picture)
    changed = np.zeros((4, 4), bool)
    changed[1, 1] = changed[2, 2] = True
    wide.samples[1, 1] = (254, 1, 0)  # near red
    wide.samples[2, 2] = (0, 200, 0)  # near nothing
    again = collapse_palette(picture, wide, changed)
    np.testing.assert_array_equal(again.palette[:3], PALETTE[:3])
    np.testing.assert_array_equal(again.palette[3:], [[0, 200, 0, 255]])
    assert again.samples[1, 1, 0] == 1
    assert again.samples[2, 2, 0] == 3
    assert (again.samples[~changed] == 0).all()


def test_a_full_palette_gets_no_new_entries():
    full = np.zeros((256, 4), np.uint8)
    full[:, 0] = np.arange(256)
    full[:, 3] = 255
    picture = Picture(np.zeros((3, 3, 1), np.uint8), "P", palette=full)
    wide = expand_palette(picture)
    wide.samples[0, 0] = (200, 90, 90)
    changed = np.zeros((3, 3), bool)
    changed[0, 0] = True
    again = collapse_palette(picture, wide, changed)
    np.testing.assert_array_equal(again.palette, full)
    assert again.samples[0, 0, 0] == 200


def test_more_new_colours_than_free_entries_are_clustered():
    table = np.zeros((250, 4), np.uint8)
    table[:, 3] = 255
    picture = Picture(np.zeros((16, 16, 1), np.uint8), "P", palette=table)
    wide = expand_palette(picture)
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    wide.samples[...] = ramp[..., None]
    again = collapse_palette(picture, wide, np.ones((16, 16), bool))
    assert len(again.palette) == 256
    error = np.abs(again.palette[again.samples[..., 0], 0].astype(int) - ramp)
    assert error.mean() < 16


def test_eight_bit_shows_deep_grey_and_ink():
    deep = Picture(np.array([[[65535], [32768]]], np.uint16), "L")
    np.testing.assert_array_equal(eight_bit(deep)[0], [[255] * 3, [128] * 3])
    ink = Picture(np.array([[[0, 0, 0, 0], [0, 0, 0, 255]]], np.uint8), "CMYK")
    np.testing.assert_array_equal(eight_bit(ink)[0], [[255] * 3, [0] * 3])
    floats = Picture(np.array([[[1.0], [3.0], [np.nan]]], np.float32), "L")
    np.testing.assert_array_equal(eight_bit(floats)[0, :, 0], [0, 255, 0])


@pytest.mark.parametrize(("mark", "value"), [("transparent", (7,)), ("nodata", 7.0), ("nodata", -9999.0)])
def test_values_that_stand_for_nothing_cannot_be_read(mark, value):
    samples = np.full((6, 8, 1), 9, np.uint8)
    samples[2, 3] = 7
    picture = Picture(samples, "L", container=Container("png", details={mark: value}))
    empty = [] if value == -9999.0 else [[2, 3]]
    assert np.argwhere(~readable(picture, WHOLE)).tolist() == empty
