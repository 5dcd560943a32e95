"""A restored JPEG says what its file says: no coefficient leaves the interval that it was rounded from."""

import io

import numpy as np
import PIL.Image
import pytest

from made_wear import decibels, photograph
from remend.adapt import as_picture
from remend.io.jpeg.coefficients import coefficients_of
from remend.picture import Picture
from remend.restoration.coefficients import blocks_of, places_of, planes_of, within_bounds
from remend.restoration.net import WEIGHTS, clean
from remend.restoring import take_off_blocks

pytestmark = pytest.mark.skipif(not WEIGHTS.exists(), reason="this build carries no weights/restore.onnx")


def file_of(image, quality, **how):
    content = io.BytesIO()
    PIL.Image.fromarray(image.squeeze()).save(content, "JPEG", quality=quality, **how)
    return content.getvalue()


def by_the_net(content):
    picture = as_picture(content)
    clean(picture)
    return picture.samples


def restored(content, **how):
    picture = as_picture(content)
    take_off_blocks(picture, **how)
    return picture.samples


def luma_off(samples, known):
    """How far coefficients lie from their intervals' middles, in steps; clipped blocks are left out."""
    (luma,) = planes_of(samples, known[:1])
    blocks = blocks_of(luma[: luma.shape[0] // 8 * 8, : luma.shape[1] // 8 * 8])
    levels = known[0].levels[: luma.shape[0] // 8, : luma.shape[1] // 8].reshape(-1, 64)
    fine = (blocks.min(axis=1) > -120) & (blocks.max(axis=1) < 120)
    return places_of(blocks[fine], levels[fine], known[0].steps).off


@pytest.mark.parametrize(("quality", "gain"), [(10, 0.05), (40, 0.12)])
def test_what_the_file_says_is_worth_decibels(quality, gain):
    for name in ("astronaut", "coffee"):
        image = photograph(name)
        content = file_of(image, quality)
        assert decibels(restored(content), image) > decibels(by_the_net(content), image) + gain


def test_no_coefficient_leaves_its_interval():
    content = file_of(photograph("coffee"), 20, subsampling="4:4:4")
    known = coefficients_of(as_picture(content))
    by_net = np.abs(luma_off(by_the_net(content), known))
    ours = np.abs(luma_off(restored(content), known))
    assert by_net.max() > 0.8  # so there is something to be led back
    assert np.quantile(ours, 0.999) < 0.53  # rounding to 8 bits, and colours beyond them


@pytest.mark.parametrize("how", [{"subsampling": "4:2:2"}, {"subsampling": "4:2:0"}, {"progressive": True}])
def test_samplings_and_sides_that_are_no_whole_blocks(how):
    image = photograph("astronaut")[:203, :189]
    content = file_of(image, 30, **how)
    assert decibels(restored(content), image) > decibels(by_the_net(content), image) + 0.05
    tiny = file_of(image[:5, :7], 30, **how)
    assert np.array_equal(restored(tiny), by_the_net(tiny))  # no whole block


def test_grey_turned_and_shares():
    grey = photograph("coffee")[..., :1]
    content = file_of(grey, 25)
    assert decibels(restored(content), grey) > decibels(by_the_net(content), grey) + 0.1
    image = photograph("astronaut")
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    upright, turned = file_of(image, 25), file_of(image, 25, exif=exif)
    truth = np.rot90(image, -1)
    assert decibels(restored(turned), truth) > decibels(by_the_net(turned), truth) + 0.1
    whole, half = restored(upright).astype(float), restored(upright, strength=0.5)
    assert np.abs(half - (as_picture(upright).samples + whole) / 2).max() <= 0.51
    assert np.array_equal(restored(upright, strength=0), as_picture(upright).samples)


def test_grey_in_three_channels_stays_grey():
    grey = np.repeat(photograph("coffee")[..., :1], 3, axis=2)
    after = restored(file_of(grey, 15))
    assert (np.ptp(after, axis=2) == 0).all()
    assert decibels(after, grey) > decibels(by_the_net(file_of(grey, 15)), grey) + 0.05


def test_what_was_painted_over_is_not_led_back():
    picture = as_picture(file_of(photograph("astronaut"), 20))
    known = coefficients_of(picture)
    picture.samples[80:112, 80:112] = (200, 30, 30)
    after = picture.samples.copy()
    within_bounds(picture.samples, after, known)
    assert np.array_equal(after[80:112, 80:112], picture.samples[80:112, 80:112])
    assert not np.array_equal(after, picture.samples)


def test_other_files_have_none():
    content = io.BytesIO()
    PIL.Image.fromarray(photograph("coffee")).save(content, "PNG")
    assert coefficients_of(as_picture(content.getvalue())) is None
    assert coefficients_of(Picture(photograph("coffee").copy(), "RGB")) is None
    inks = io.BytesIO()
    PIL.Image.fromarray(photograph("coffee")).convert("CMYK").save(inks, "JPEG")
    assert coefficients_of(as_picture(inks.getvalue())) is None


def test_eight_views_are_better_than_one():
    image = photograph("coffee")
    content = file_of(image, 20)
    assert decibels(restored(content, views=8), image) > decibels(restored(content), image) + 0.02
