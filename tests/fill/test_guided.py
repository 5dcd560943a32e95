import cv2
import numpy as np

from remend.fill.guided import copy_detail, within_lightness
from remend.metrics import sharp


def textured(height=96, width=128):
    """Fine stripes on a ramp, and a hole in their middle."""
    x = np.arange(width, dtype=np.float32)
    stripes = 0.5 + 0.2 * np.sin(x * 2 * np.pi / 5) + 0.1 * x / width
    image = np.broadcast_to(stripes[None, :, None], (height, width, 3)).astype(np.float32).copy()
    hole = np.zeros((height, width), bool)
    hole[36:60, 48:80] = True
    return image, hole


def as_u8(image):
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)


def fog(image):
    return cv2.GaussianBlur(image, (0, 0), 4)


def test_fog_gets_the_grain_of_what_is_around():
    image, hole = textured()
    foggy = np.where(hole[..., None], fog(image), image)
    done = copy_detail(foggy, np.where(hole[..., None], 0, image), hole, usable=~hole)
    result = np.where(hole[..., None], done.pixels, image)
    assert sharp(as_u8(foggy), as_u8(image), hole) < 0.5
    assert sharp(as_u8(result), as_u8(image), hole) > 0.8
    assert np.abs(result - image)[hole].mean() < np.abs(foggy - image)[hole].mean()


def test_what_is_copied_is_said():
    image, hole = textured()
    foggy = np.where(hole[..., None], fog(image), image)
    done = copy_detail(foggy, np.where(hole[..., None], 0, image), hole, usable=~hole)
    copied = hole & (done.source_xy[..., 0] >= 0)
    assert copied.sum() > 0.8 * hole.sum()
    x, y = done.source_xy[copied].T
    assert not hole[y, x].any()


def test_where_nothing_around_looks_like_the_fill_it_stays():
    image, hole = textured()
    filled = np.where(hole[..., None], np.float32([0.9, 0.1, 0.1]), image)
    done = copy_detail(filled, np.where(hole[..., None], 0, image), hole, usable=~hole)
    middle = np.s_[44:52, 56:72]
    assert np.abs(done.pixels - filled)[middle].max() < 0.03
    assert (done.source_xy[middle] == -1).all()


def test_the_tone_of_the_fill_stays():
    image, hole = textured()
    foggy = np.where(hole[..., None], fog(image) + 0.15, image).astype(np.float32)
    done = copy_detail(foggy, np.where(hole[..., None], 0, image), hole, usable=~hole)
    low = np.abs(fog(np.where(hole[..., None], done.pixels, image)) - fog(foggy))[44:52, 58:70]
    assert low.max() < 0.05


def test_thin_holes_are_sharp_as_they_are():
    image, hole = textured()
    thin = np.zeros_like(hole)
    thin[40:42, 10:100] = True
    filled = np.where(thin[..., None], np.float32(0.5), image)
    assert copy_detail(filled, image, thin, usable=~thin).pixels is filled


def test_where_nothing_is_known_the_fill_stays():
    filled, hole = np.full((24, 24, 3), np.float32(0.5)), np.ones((24, 24), bool)
    assert copy_detail(filled, filled, hole, usable=~hole).pixels is filled


def test_what_may_not_be_read_is_not_read():
    image, hole = textured()
    usable = ~hole
    usable[:, :20] = False
    window = np.where(hole[..., None], np.float32(np.nan), image)
    window[:, :20] = np.nan
    filled = np.where(hole[..., None], fog(image), window)
    done = copy_detail(filled, window, hole, usable=usable)
    assert np.isfinite(done.pixels[hole]).all()


def test_a_fill_is_nowhere_lighter_than_all_that_is_around_it():
    """A kerb that the net lit up on its way through a hole; far away there is a sky as bright."""
    image = np.full((200, 200, 3), 0.3, np.float32)
    image[:20] = 0.95  # the sky, out of reach
    image[:, 90:110] = 0.5  # the kerb
    hole = np.zeros((200, 200), bool)
    hole[110:150, 70:130] = True
    drawn = image.copy()
    drawn[hole & (image[..., 0] == 0.5)] = 0.9
    drawn[120:124, 72:76] = 0.0
    held = within_lightness(drawn, np.where(hole[..., None], 0, image), hole, ~hole)
    kerb = np.s_[115:145, 95:105]
    assert drawn[kerb].mean() > 0.85
    assert abs(held[kerb].mean() - 0.5) < 0.1
    assert np.array_equal(held[~hole], drawn[~hole])
    inside = np.s_[112:148, 112:128]  # where nothing is beyond what is known, nothing changes
    assert np.abs(held[inside] - drawn[inside]).max() < 0.03


def test_where_nothing_is_known_a_fill_stays():
    drawn = np.random.default_rng(2).random((20, 24, 3), np.float32)
    everything = np.ones((20, 24), bool)
    held = within_lightness(drawn, np.zeros_like(drawn), everything, ~everything)
    assert np.array_equal(held, drawn)
