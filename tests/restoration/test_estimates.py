"""What is measured, against what was made."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from made_wear import compressed, faded, noised, photograph
from remend.picture import Picture
from remend.restoration.blur import estimate_blur
from remend.restoration.compression import STANDARD, estimate_compression, quality_of_file, quality_of_tables
from remend.restoration.noise import estimate_noise
from remend.restoration.tones import apply_curves, curves_of, estimate_tones


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
@pytest.mark.parametrize("sigma", [10, 25, 45])
def test_noise_within_a_tenth(name, sigma):
    own = estimate_noise(photograph(name, 256)).mean
    found = estimate_noise(noised(photograph(name, 256), sigma)).mean
    assert found == pytest.approx(np.hypot(sigma, own), rel=0.1)


def test_noise_of_each_channel_and_of_nothing():
    grey = np.full((200, 200, 3), 128, np.uint8)
    assert estimate_noise(grey).sigma == (0, 0, 0)
    rng = np.random.default_rng(1)
    uneven = np.clip(np.rint(grey + rng.normal(0, 1, grey.shape) * (4, 8, 16)), 0, 255)
    assert estimate_noise(uneven.astype(np.uint8)).sigma == pytest.approx((4, 8, 16), rel=0.05)


def test_noise_that_grows_with_the_light():
    ramp = np.tile(np.linspace(40, 210, 320)[None, :, None], (320, 1, 3))
    rng = np.random.default_rng(2)
    grown = np.rint(ramp + rng.normal(0, 1, ramp.shape) * np.sqrt(ramp)).astype(np.uint8)
    found = estimate_noise(grown)
    # Of the mean of three channels: a third of the variance.
    assert found.dark == pytest.approx(np.sqrt(57 / 3), rel=0.15)
    assert found.light == pytest.approx(np.sqrt(193 / 3), rel=0.15)
    even = estimate_noise(np.clip(np.rint(ramp + rng.normal(0, 8, ramp.shape)), 0, 255).astype(np.uint8))
    assert even.dark == even.light


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (13, 14)])
def test_what_is_too_small_says_nothing(shape):
    small = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    assert estimate_noise(small).mean == 0
    assert estimate_compression(small) is None
    assert estimate_blur(small) is None
    assert curves_of(estimate_tones(small)) is None or shape != (1, 1)


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
@pytest.mark.parametrize("quality", [10, 30, 50, 75, 88])
def test_quality_from_pixels_within_five(name, quality):
    found = estimate_compression(compressed(photograph(name), quality))
    assert found is not None
    assert abs(found.quality - quality) <= 5
    assert found.offset == (0, 0) and found.earlier is None


def test_where_blocks_begin_and_what_was_never_compressed():
    cut = compressed(photograph("astronaut"), 50)[3:, 6:]
    found = estimate_compression(cut)
    assert found is not None
    assert found.offset == (5, 2) and abs(found.quality - 50) <= 5
    assert estimate_compression(photograph("astronaut")) is None
    assert estimate_compression(noised(photograph("coffee"), 10)) is None


def test_an_earlier_compression_on_another_grid():
    first = compressed(photograph("astronaut"), 30)
    found = estimate_compression(compressed(np.roll(first, (4, 4), (0, 1)), 80))
    assert found is not None
    assert abs(found.quality - 80) <= 5
    assert found.earlier is not None and abs(found.earlier - 30) <= 5


@pytest.mark.parametrize("quality", [5, 40, 50, 77, 95])
def test_quality_of_tables_and_files(quality, tmp_path):
    from PIL import Image

    from remend.io import read_picture

    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    table = np.clip(np.floor((STANDARD * scale + 50) / 100), 1, 255).astype(int)
    assert quality_of_tables(table.ravel()) == quality
    Image.fromarray(photograph("coffee")).save(tmp_path / "a.jpg", quality=quality)
    assert quality_of_file(read_picture(tmp_path / "a.jpg")) == quality
    assert quality_of_file(Picture(photograph("coffee"), "RGB")) is None


@pytest.mark.parametrize("width", [1, 1.5, 2])
def test_blur_of_edges(width):
    squares = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((40, 40))) * 150 + 50
    soft = cv2.GaussianBlur(squares.astype(np.float32), (0, 0), width)
    image = np.repeat(np.rint(soft).astype(np.uint8)[..., None], 3, axis=2)
    assert estimate_blur(image) == pytest.approx(width, rel=0.12)
    assert estimate_blur(np.full_like(image, 90)) is None


def test_blur_of_photographs_grows():
    widths = [0.0, 1.0, 2.0, 3.0]
    image = photograph("astronaut")
    found = [estimate_blur(cv2.GaussianBlur(image, (0, 0), w) if w else image) for w in widths]
    assert all(a is not None and b is not None and a < b for a, b in pairwise(found))


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_faded_tones_come_back_and_good_ones_stay(name):
    image = photograph(name)
    assert curves_of(estimate_tones(image)) is None
    worn = faded(image, (70, 50, 35), (215, 180, 150))
    curves = curves_of(estimate_tones(worn))
    assert curves is not None
    picture = Picture(worn.copy(), "RGB")
    changed = apply_curves(picture, curves)
    assert (changed == (picture.samples != worn).any(axis=2)).all()
    before, after = (deltaE_ciede2000(rgb2lab(image), rgb2lab(one)).mean() for one in (worn, picture.samples))
    assert after < 0.85 * before
    half = Picture(worn.copy(), "RGB")
    apply_curves(half, curves, strength=0.5)
    between = (worn.astype(float) + picture.samples) / 2
    assert np.abs(half.samples - between).max() <= 1


def test_a_neutral_middle_gets_no_tint():
    """A grey wall with red lettering and reddish joints, as dark as a faded picture: it turned green."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:300, :300]
    wall = np.repeat((138 + 8 * np.sin(columns / 90) + rows / 50)[..., None], 3, axis=2)
    wall[40:90, 40:100] = (185, 70, 80)
    wall[100:103], wall[:, 200:203] = (78, 44, 52), (75, 40, 50)
    wall[250:] = rng.uniform(80, 150, (50, 300, 1))
    picture = Picture(np.rint(wall + rng.normal(0, 1.5, wall.shape)).astype(np.uint8), "RGB")
    curves = curves_of(estimate_tones(picture.samples))
    assert curves is not None
    apply_curves(picture, curves)
    after = np.median(picture.samples[150:240, 10:190], axis=(0, 1))
    assert after.mean() > 160 and np.ptp(after) < 8


def test_no_tone_is_clipped():
    worn = faded(photograph("coffee"), (70, 50, 35), (215, 180, 150))
    worn[0, :8] = 0
    worn[-1, :8] = 255
    worn[2, :8] = 8
    picture = Picture(worn.copy(), "RGB")
    curves = curves_of(estimate_tones(worn))
    assert curves is not None
    apply_curves(picture, curves)
    assert (picture.samples[0, :8] == 0).all() and (picture.samples[-1, :8] == 255).all()
    assert (picture.samples[2, :8] <= picture.samples[8:-8].min()).all()


def test_grey_stays_grey_and_sepia_stays_sepia():
    grey = np.repeat(cv2.cvtColor(photograph("astronaut"), cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    for low, high in (((60, 60, 60), (180, 180, 180)), ((80, 62, 45), (200, 170, 130))):
        worn = faded(grey, low, high)
        curves = curves_of(estimate_tones(worn))
        assert curves is not None
        assert len(set(curves)) == 1
        picture = Picture(worn.copy(), "RGB")
        apply_curves(picture, curves)
        gaps = picture.samples.astype(int) @ (1, 0, -1)
        assert (gaps.mean() > 5) == (low[0] != low[2])


@pytest.mark.parametrize(
    ("black", "white", "toned"),
    [
        ((50, 48, 50), (222, 216, 206), False),
        ((29, 29, 29), (214, 214, 214), True),
        ((62, 54, 54), (243, 235, 208), True),
    ],
)
def test_a_lifted_black_is_fading(black, white, toned):
    """White was near enough to white for these old prints to be left flat."""
    image = photograph("astronaut")
    if toned:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    worn = faded(image, black, white)
    curves = curves_of(estimate_tones(worn))
    assert curves is not None
    picture = Picture(worn.copy(), "RGB")
    apply_curves(picture, curves)
    assert picture.samples.std() > 1.1 * worn.std()
    assert curves_of(estimate_tones(picture.samples)) is None


def test_sixteen_bits_and_floats_keep_their_steps():
    fine = np.linspace(20_000, 40_000, 64 * 64).astype(np.uint16).reshape(64, 64, 1)
    curves = ((78.0, 156.0, 6.0, 249.0),) * 3
    picture = Picture(fine.copy(), "L")
    apply_curves(picture, curves)
    between = (fine > 78 * 257) & (fine < 156 * 257)
    assert len(np.unique(picture.samples[between])) == len(np.unique(fine[between]))
    real = fine.astype(np.float32)
    real[0, 0] = np.nan
    floats = Picture(real.copy(), "L")
    changed = apply_curves(floats, curves)
    assert np.isnan(floats.samples[0, 0, 0]) and not changed[0, 0]
    assert np.nanmin(floats.samples) >= np.nanmin(real) - 1e-3
