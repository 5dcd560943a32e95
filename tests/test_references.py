"""Other dates of a scene: brought onto its grid, to its values, and into its holes."""

import cv2
import numpy as np
import pytest

import remend
from remend.adapt import from_array
from remend.errors import UsageError
from remend.fill.dates import Dates
from remend.fill.filler import Neighbour
from remend.references import read_references

SIDE = 128


def ground(bands: int = 3, seed: int = 5, side: int = SIDE) -> np.ndarray:
    """(side, side, bands) float32, 0.1 to 0.8: fields, a river and fine texture, alike from band to band."""
    rng = np.random.default_rng(seed)
    fields = cv2.resize(rng.random((9, 9)).astype(np.float32), (side, side), interpolation=cv2.INTER_NEAREST)
    fine = cv2.GaussianBlur(rng.standard_normal((side, side)).astype(np.float32), (0, 0), 1.2)
    y, x = np.mgrid[:side, :side]
    river = np.abs(y - side / 2 - 15 * np.sin(x / 20)) < 5
    base = np.where(river, 0.05, fields) + 0.15 * fine
    planes = [base * (0.5 + 0.1 * k) + 0.1 * np.sin(k + x / 40) for k in range(bands)]
    stacked = np.stack(planes, axis=2)
    return (0.1 + 0.7 * (stacked - stacked.min()) / np.ptp(stacked)).astype(np.float32)


def another_date(scene: np.ndarray, seed: int = 1) -> np.ndarray:
    """Under another sun: a gain and an offset a band that drift over the scene, and noise."""
    rng = np.random.default_rng(seed)
    drift = np.linspace(0, 1, scene.shape[1])[:, None]
    gain = 0.6 + 0.3 * rng.random(scene.shape[2]) + 0.1 * drift
    return (scene * gain + 0.1 * drift + 0.003 * rng.standard_normal(scene.shape)).astype(np.float32)


def stripes(side: int = SIDE) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    return (y + 0.15 * x) % 32 < 7


def correlation(found: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    return min(np.corrcoef(f, t)[0, 1] for f, t in zip(found[hole].T, truth[hole].T, strict=True))


def native(values: np.ndarray, kind: type) -> np.ndarray:
    if np.dtype(kind).kind == "f":
        return values.astype(kind)
    return np.rint(values * (255 if kind is np.uint8 else 10_000)).astype(kind)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.float64])
@pytest.mark.parametrize("bands", [1, 5])
def test_stripes_are_filled_from_another_date(kind, bands) -> None:
    truth, hole = native(ground(bands), kind), stripes()
    date, damaged = native(another_date(ground(bands)), kind), truth.copy()
    damaged[hole] = 0
    repaired = remend.repair(damaged, hole, reference=date, grain=0).reshape(truth.shape)
    assert np.array_equal(repaired[~hole], truth[~hole])
    assert correlation(repaired, truth, hole) > 0.98
    alone = remend.repair(damaged, hole, grain=0).reshape(truth.shape)
    assert correlation(alone, truth, hole) < 0.95


def test_a_cloud_is_filled_without_a_seam() -> None:
    truth = native(ground(), np.uint8)
    y, x = np.mgrid[:SIDE, :SIDE]
    hole = (y - 60) ** 2 + (x - 70) ** 2 < 25**2
    damaged = truth.copy()
    damaged[hole] = 255
    repaired = remend.repair(damaged, hole, reference=[native(another_date(ground()), np.uint8)], grain=0)
    assert correlation(repaired, truth, hole) > 0.98
    rim = hole & cv2.dilate((~hole).astype(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
    assert np.abs(repaired[rim].astype(int) - truth[rim]).mean() < 3


def test_several_dates_are_better_than_one_and_the_worse_counts_less() -> None:
    truth, hole = ground(), stripes()
    window, usable = np.where(hole[..., None], 0, truth), ~hole
    rng = np.random.default_rng(0)
    dates = {
        k: Neighbour(
            another_date(truth, k) + rng.normal(0, 0.02 if k < 3 else 0.2, truth.shape).astype("f4"),
            usable | hole,
        )
        for k in (1, 2, 3)
    }
    error = {
        name: np.abs(Dates().fill(window, hole, usable=usable, neighbours=some).pixels - truth)[hole].mean()
        for name, some in (("one", {1: dates[1]}), ("two", {1: dates[1], 2: dates[2]}), ("all", dates))
    }
    assert error["two"] < 0.85 * error["one"]
    assert error["all"] < 1.1 * error["two"]


def test_what_no_date_shows_is_filled_from_the_scene() -> None:
    truth, hole = ground(1)[..., [0, 0, 0]], stripes()
    shown = np.ones_like(hole)
    shown[40:60] = False
    date = Neighbour(np.where(shown[..., None], another_date(truth), 0.9), shown)
    made = Dates().fill(np.where(hole[..., None], np.nan, truth), hole, usable=~hole, neighbours={1: date})
    assert np.isfinite(made.pixels[hole]).all()
    dark = hole & ~shown
    assert 0.05 < np.abs(made.pixels - truth)[dark].max() < 0.7
    assert correlation(made.pixels, truth, hole & shown) > 0.98


def test_a_date_that_lies_a_little_aside_is_moved() -> None:
    scene = native(ground(side=256, bands=3), np.uint16)
    by = np.array([[1, 0, 1.4], [0, 1, -2.7]], np.float32)
    aside = cv2.warpAffine(scene, by, (256, 256), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    hole = np.zeros((256, 256), bool)
    hole[100:140, 90:150] = True
    found, notes = read_references(from_array(scene), hole, [aside])
    (note,) = notes
    x, y = (float(word.strip("(),")) for word in note.split()[-3:-1])
    assert abs(x + 1.4) < 0.15
    assert abs(y - 2.7) < 0.15
    inside = np.s_[8:-8, 8:-8]
    moved = found[1].picture.samples.astype(float)
    assert np.abs(moved - scene)[inside].mean() < 0.35 * np.abs(aside.astype(float) - scene)[inside].mean()
    assert found[1].pending[:, -1].all()  # what was moved in from outside shows nothing


def test_dates_that_agree_are_left_where_they_are() -> None:
    scene = native(ground(), np.uint8)
    found, notes = read_references(from_array(scene), stripes(), [scene.copy()])
    assert notes == ()
    assert np.array_equal(found[1].picture.samples, scene)


def test_what_cannot_be_a_date_of_the_scene_is_refused() -> None:
    scene, hole = native(ground(), np.uint8), stripes()
    for other, said in (
        (scene[..., 0], "must be alike"),
        (scene.astype(np.uint16), "must be alike"),
        (scene[:-1], "one of the picture's size"),
    ):
        with pytest.raises(UsageError, match=said):
            remend.repair(scene, hole, reference=other)
    with pytest.raises(UsageError, match="looks at no other dates"):
        remend.repair(scene, hole, reference=scene, method="telea")
    with pytest.raises(UsageError, match="--reference"):
        remend.repair(scene, hole, method="dates")
    with pytest.raises(UsageError, match="16 at most"):
        remend.repair(scene, hole, reference=[scene] * 17)
