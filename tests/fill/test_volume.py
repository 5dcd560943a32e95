"""Voids and missing slices, through what the slices around show."""

import numpy as np
import pytest

import remend
from remend.document import Document
from remend.errors import MaskError
from remend.fill.filler import Neighbour
from remend.fill.volume import Volume
from remend.finding import Finding
from remend.options import Settings
from remend.picture import Container, Picture
from remend.stack import walk

SHAPE = 16, 40, 44


def volume(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """(slices, rows, columns) int16: soft lumps that go through several slices, in values of a scanner."""
    k, y, x = np.mgrid[tuple(slice(n) for n in shape)].astype(float)
    rng = np.random.default_rng(3)
    total = 200 * np.sin(y / 9) * np.cos(x / 11)
    for _ in range(14):
        c = rng.random(3) * shape
        r = 2 + 4 * rng.random(3)
        total += rng.normal(0, 500) * np.exp(
            -(((k - c[0]) / r[0]) ** 2 + ((y - c[1]) / r[1]) ** 2 + ((x - c[2]) / r[2]) ** 2)
        )
    return np.rint(total).astype(np.int16)


def repaired(values: np.ndarray, hole: np.ndarray, method: str = "auto", **more: object) -> np.ndarray:
    pages = [Picture(np.where(h, 0, v)[..., None], "L") for v, h in zip(values, hole, strict=True)]
    document = Document(Container("tiff"), pages, "slice", **more)
    numbers = [number for number, marked in enumerate(hole) if marked.any()]
    out = values.copy()
    for turn in walk(document, numbers, lambda n, _: Finding(hole[n]), Settings(method=method)):
        out[turn.number] = turn.restored.picture.samples[..., 0]
    return out


def error(found: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    return float(np.sqrt(np.mean((found[hole].astype(float) - truth[hole]) ** 2)))


def test_a_void_is_filled_better_in_space_than_slice_by_slice() -> None:
    truth = volume()
    k, y, x = np.mgrid[tuple(slice(n) for n in SHAPE)]
    hole = ((k - 8) / 3) ** 2 + ((y - 20) / 8) ** 2 + ((x - 22) / 8) ** 2 < 1
    ours, flat = repaired(truth, hole), repaired(truth, hole, "smooth")
    assert np.array_equal(ours[~hole], truth[~hole])
    assert error(ours, truth, hole) < 0.6 * error(flat, truth, hole)


def test_slices_that_are_missing_are_filled_from_those_around() -> None:
    truth = volume()
    hole = np.zeros(SHAPE, bool)
    hole[[4, 9, 10]] = True
    ours = repaired(truth, hole)
    between = truth.astype(float)
    between[4] = (between[3] + between[5]) / 2
    between[9], between[10] = (2 * between[8] + between[11]) / 3, (between[8] + 2 * between[11]) / 3
    assert np.array_equal(ours[~hole], truth[~hole])
    assert error(ours, truth, hole) < 0.7 * error(between, truth, hole)


def test_a_missing_end_takes_what_is_next_to_it_and_missing_all_is_refused() -> None:
    truth = volume()
    hole = np.zeros(SHAPE, bool)
    hole[-1] = True
    assert error(repaired(truth, hole), truth, hole) < 0.5 * truth.std()
    with pytest.raises(MaskError, match="no pixel to repair from"):
        repaired(truth[:2], np.ones((2, *SHAPE[1:]), bool))


def test_slices_of_another_volume_are_no_neighbours() -> None:
    first = volume()[:8]
    second = first[::-1] + np.int16(9000)
    both = np.concatenate([first, second])
    hole = np.zeros(both.shape, bool)
    hole[7] = hole[8] = True  # the last of one and the first of the next
    out = repaired(both, hole, together=8)
    assert out[7].max() < first.max() + 500
    assert out[8].min() > second.min() - 500


def test_thick_slices_count_less() -> None:
    rng = np.random.default_rng(0)
    plane = rng.normal(0, 1, (9, 1, 1)) * np.ones((9, 30, 30))  # each slice flat, none like the next
    window = np.repeat(plane[4][..., None], 3, axis=2).astype(np.float32)
    hole = np.zeros((30, 30), bool)
    hole[12:18, 12:18] = True
    near = {
        far: Neighbour(
            np.repeat(plane[4 + far][..., None], 3, axis=2).astype(np.float32), np.ones((30, 30), bool)
        )
        for far in range(-4, 5)
        if far
    }
    found = Volume().fill(window, hole, usable=~hole, neighbours=near).pixels
    assert np.abs(found[hole] - plane[4, 0, 0]).max() < 0.05


def test_colours_and_a_single_picture() -> None:
    y, x = np.mgrid[:40, :40] / 40
    picture = np.stack([x, y, (x + y) / 2], axis=2)
    hole = np.zeros((40, 40), bool)
    hole[15:22, 10:30] = True
    array = np.rint(255 * picture).astype(np.uint8)
    found = remend.repair(array, hole, method="volume", grain=0)
    assert np.abs(found.astype(int) - array).max() <= 1
