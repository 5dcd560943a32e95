import cv2
import numpy as np
import pytest

from remend.errors import UsageError
from remend.fill.filler import Filler
from remend.fill.pde import NavierStokes, Telea

FILLERS = [(Telea(), cv2.INPAINT_TELEA), (NavierStokes(), cv2.INPAINT_NS)]


def _picture(height=60, width=80):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([x / width, y / height, 0.5 + 0.3 * np.sin(x / 9) * np.cos(y / 7)], axis=-1).astype(
        np.float32
    )


def _scratch(height=60, width=80):
    hole = np.zeros((height, width), np.uint8)
    cv2.line(hole, (20, 15), (60, 40), 1, 3)
    return hole.astype(bool)


@pytest.mark.parametrize(("filler", "flags"), FILLERS)
def test_agrees_with_opencv_on_the_whole_eight_bit_picture(filler, flags):
    eight = np.rint(_picture() * 255).astype(np.uint8)
    hole = _scratch()
    expected = cv2.inpaint(eight, hole.astype(np.uint8), 3, flags)
    filled = filler.fill(eight.astype(np.float32) / 255, hole, usable=~hole).pixels
    # OpenCV marches all three channels of 8-bit colour by the same rules; only its rounding differs, and it
    # feeds on itself on the way inwards.
    assert np.abs(filled * 255 - expected)[hole].mean() < 1.5


@pytest.mark.parametrize(("filler", "_"), FILLERS)
def test_keeps_more_than_eight_bits(filler, _):
    hole = _scratch()
    window = 0.5 + _picture() / 255  # one 8-bit level from end to end
    filled = filler.fill(window, hole, usable=~hole).pixels
    assert np.abs(filled - window)[hole].mean() < 0.1 / 255


@pytest.mark.parametrize(("filler", "_"), FILLERS)
def test_never_reads_hole_or_unusable_pixels(filler, _):
    window, hole = _picture(), _scratch()
    usable = ~hole
    usable[20:40, 30:35] = False
    bad, worse = window.copy(), window.copy()
    bad[~usable], worse[~usable] = np.nan, 1e9
    filled = filler.fill(bad, hole, usable=usable).pixels
    assert np.isfinite(filled).all()
    assert np.array_equal(filled, filler.fill(worse, hole, usable=usable).pixels)
    assert np.abs(filled - window)[hole].mean() < 0.05


@pytest.mark.parametrize(("filler", "_"), FILLERS)
def test_a_hole_at_the_corner_and_a_window_of_nothing_but_hole(filler, _):
    window = _picture()
    hole = np.zeros(window.shape[:2], bool)
    hole[:9, :12] = True
    filled = filler.fill(window, hole, usable=~hole).pixels
    assert np.abs(filled - window)[hole].mean() < 0.15
    everything = np.ones((7, 9), bool)
    assert np.isfinite(filler.fill(window[:7, :9], everything, usable=~everything).pixels).all()


@pytest.mark.parametrize(("filler", "_"), FILLERS)
def test_is_a_filler_and_names_itself(filler, _):
    assert isinstance(filler, Filler)
    assert filler.name in ("telea", "navier-stokes")


@pytest.mark.parametrize("kind", [Telea, NavierStokes])
@pytest.mark.parametrize("radius_px", [0, 101])
def test_rejects_a_radius_that_opencv_would_change(kind, radius_px):
    with pytest.raises(UsageError, match="radius_px"):
        kind(radius_px=radius_px)
