"""A picture is looked at twice, from afar and from closer by, within a bound of pixels."""

import cv2
import numpy as np
import pytest

from remend.damage.chances import PLANES, chances_of
from remend.damage.looks import CLOSER, MOST_PIXELS, closer_of, looked_at
from remend.damage.regions import surest
from remend.damage.softness import reduced, softened
from remend.picture import Box, Region


def scratched(side: int = 192) -> np.ndarray:
    rng = np.random.default_rng(3)
    ground = cv2.GaussianBlur(rng.integers(60, 190, (side, side, 3)).astype(np.uint8), (0, 0), 9)
    for x in (40, 90, 150):
        cv2.line(ground, (x, 10), (x + 14, side - 20), (240, 240, 235), 2, cv2.LINE_AA)
    return ground


def test_how_close_follows_from_the_pixels():
    assert closer_of(512 * 512) == CLOSER
    assert closer_of(MOST_PIXELS) == closer_of(3 * MOST_PIXELS) == 1
    for pixels in map(round, np.geomspace(1, 10 * MOST_PIXELS, 60)):
        assert closer_of(pixels) == 1 or pixels * (1 + closer_of(pixels) ** 2) <= MOST_PIXELS * 1.001
    assert 1 < closer_of(round(MOST_PIXELS / 2.7)) < CLOSER


def test_the_second_of_two_is_the_mean_of_both_looks():
    picture = scratched()
    (once,) = looked_at(picture, 1, closer=1)
    assert np.array_equal(once, chances_of(softened(picture, 1)))
    larger = cv2.resize(softened(picture, 1), (288, 288), interpolation=cv2.INTER_CUBIC)
    near = [cv2.resize(plane, (192, 192), interpolation=cv2.INTER_AREA) for plane in chances_of(larger)]
    first, mean = looked_at(picture, 1)
    assert np.array_equal(first, once)
    assert np.abs(mean - (once.astype(float) + np.stack(near)) / 2).max() <= 0.5
    assert not np.array_equal(mean, once)


def test_of_two_views_of_one_thing_the_surer_is_kept():
    def block(top, left, side, confidence, kind="dust"):
        return Region(Box(top, left, top + side, left + side), np.ones((side, side), bool), kind, confidence)

    sure, again, aside = block(10, 10, 8, 0.9), block(11, 11, 8, 0.6), block(30, 30, 4, 0.3)
    wide = block(8, 8, 16, 0.5, "stain")  # a quarter of it is the surer one's
    for seen in ([sure, again, aside, wide], [wide, aside, again, sure]):
        assert surest(seen, (40, 40)) == [sure, wide, aside]
    assert surest([again, aside], (40, 40)) == [again, aside]
    assert surest([], (40, 40)) == []


@pytest.mark.parametrize(
    ("reduction", "size"), [(1, (101, 67)), (1.3, (101, 67)), (3.0, (300, 211)), (2, (1, 5))]
)
def test_the_planes_have_the_size_of_the_reduced_picture(reduction, size):
    picture = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    for planes in looked_at(picture, reduction):
        assert planes.shape == (len(PLANES), *reduced(picture, reduction).shape)
        assert planes.dtype == np.uint8
