import numpy as np
import pytest

from remend.errors import UsageError
from remend.train.data.sources.segmentation import Outlined, decode_runs, fill_polygons, unpack_runs

# Written by pycocotools 2.0.11: a polygon, and what frPyObjects makes of it.
REFERENCE = {
    "polygon": [
        45.73,
        93.36,
        27.97,
        112.55,
        26.8,
        84.47,
        31.1,
        4.86,
        35.74,
        18.96,
        37.47,
        27.53,
        52.55,
        52.3,
    ],
    "size": [113, 55],
    "counts": "cQ3m0R2m0ROb0_Oa0F:4L4L4K5L6J6J2N3M3M2N3M2N3M3M2J7H8H7I8H8H7Id5",
    "area": 1549,
}


def test_compressed_runs_as_pycocotools_writes_them():
    mask = decode_runs({"counts": REFERENCE["counts"], "size": REFERENCE["size"]})
    assert mask.shape == tuple(REFERENCE["size"])
    assert mask.sum() == REFERENCE["area"]


def test_polygons_agree_with_pycocotools_but_for_the_line():
    theirs = decode_runs({"counts": REFERENCE["counts"], "size": REFERENCE["size"]})
    ours = fill_polygons([REFERENCE["polygon"]], tuple(REFERENCE["size"]))
    assert (ours != theirs).mean() < 0.01


def test_a_polygon_covers_the_pixels_whose_middle_it_covers():
    mask = fill_polygons([[1, 1, 4, 1, 4, 3, 1, 3], [6, 0, 8, 0, 8, 1, 6, 1]], (5, 8))
    wanted = np.zeros((5, 8), bool)
    wanted[1:3, 1:4] = True
    wanted[0, 6:8] = True
    assert np.array_equal(mask, wanted)


def test_a_thing_without_an_outline_is_its_box():
    mask = Outlined("cat", (-2, 1, 4, 2), []).mask((4, 6))
    assert np.argwhere(mask).tolist() == [[1, 0], [1, 1], [2, 0], [2, 1]]


def test_negative_differences():
    # 40, 3, 20 as they are; then 2 − 3 = −1 → "O", which is the fifth bit's sign.
    assert unpack_runs("X13d0O") == [40, 3, 20, 2]


@pytest.mark.parametrize(
    "runs",
    [
        {"counts": [1, 2], "size": [2, 2]},
        {"counts": [5, -1], "size": [2, 2]},
        {"counts": "~~", "size": [2, 2]},
        {"counts": "X", "size": [2, 2]},
        {"counts": [4], "size": [10**9, 10**9]},
        {"size": [2, 2]},
    ],
)
def test_broken_runs_are_refused(runs):
    with pytest.raises(UsageError, match="run lengths"):
        decode_runs(runs)


def test_broken_polygons_are_refused():
    with pytest.raises(UsageError, match="a polygon"):
        fill_polygons([[1, 2, 3]], (4, 4))
    with pytest.raises(UsageError, match="at least three points"):
        fill_polygons([[1, 2, 3, 4]], (4, 4))
