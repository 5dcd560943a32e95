"""Kinds of holes: limits, the frame, and the centre apart."""

import numpy as np
import pytest

from remend.evaluation.buckets import BUCKETS, buckets_of


def hole_of(share: float) -> np.ndarray:
    """(100, 100) with rows from the top filled, so it touches the frame."""
    hole = np.zeros(10_000, bool)
    hole[: round(share * 10_000)] = True
    return hole.reshape(100, 100)


@pytest.mark.parametrize(
    ("share", "name"),
    [
        (0.01, "≤ .01"),
        (0.0101, ".01–.1"),
        (0.1, ".01–.1"),
        (0.1001, ".1–.2"),
        (0.25, ".2–.3"),
        (0.4, ".3–.4"),
        (0.5, ".4–.5"),
        (0.6, ".5–.6"),
        (0.61, "> .6"),
        (1.0, "> .6"),
    ],
)
def test_the_upper_limit_belongs_to_the_bucket(share, name):
    assert buckets_of(hole_of(share)) == (name, "border")
    assert name in BUCKETS


@pytest.mark.parametrize("at", [(0, 50), (99, 50), (50, 0), (50, 99)])
def test_each_side_of_the_frame_is_a_border(at):
    hole = np.zeros((100, 100), bool)
    hole[45:55, 40:60] = True
    assert buckets_of(hole)[1] == "no border"
    hole[at] = True
    assert buckets_of(hole)[1] == "border"


@pytest.mark.parametrize("size", [(178, 178), (256, 256), (101, 67)])
def test_the_centre_is_apart_at_any_size(size):
    height, width = size
    hole = np.zeros(size, bool)
    hole[height // 4 : height // 4 + height // 2, width // 4 : width // 4 + width // 2] = True
    assert buckets_of(hole) == ("centre",)
    hole[height // 2, width // 2] = False
    assert buckets_of(hole) == (".2–.3", "no border")


def test_the_centre_holes_of_the_development_set(shared_data):
    from remend.evaluation.pairs import find_pairs, read_pair

    for pair in find_pairs(shared_data / "dev" / "celeba_centre").pairs[:3]:
        assert buckets_of(read_pair(pair)[1]) == ("centre",)
