"""Damage on pictures: nothing outside the mask changes, and what changes looks as it should."""

import cv2
import numpy as np
import pytest

from remend.damage.synth import DAMAGES, damage_picture
from remend.damage.synth.layers import mask_of
from remend.damage.synth.strokes import stamp
from remend.damage.synth.wear import dust, scratches
from remend.errors import UsageError

HOLES = [kind for kind in DAMAGES if kind not in ("noise", "blur")]


@pytest.fixture
def image() -> np.ndarray:
    """A grey ramp with texture, far from both extremes."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(90, 160, 120)[None, :, None] + rng.normal(0, 6, (100, 120, 3))
    return ramp.astype(np.uint8)


@pytest.mark.parametrize("kind", DAMAGES)
def test_same_seed_same_bytes_and_the_input_is_left_alone(image: np.ndarray, kind: str) -> None:
    before = image.copy()
    first, again = damage_picture(image, kind, seed=4), damage_picture(image, kind, seed=4)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    np.testing.assert_array_equal(image, before)
    assert first[0].dtype == np.uint8
    assert (damage_picture(image, kind, seed=5)[0] != first[0]).any()


@pytest.mark.parametrize("kind", HOLES)
@pytest.mark.parametrize("seed", range(4))
def test_outside_the_mask_nothing_changes(image: np.ndarray, kind: str, seed: int) -> None:
    damaged, mask = damage_picture(image, kind, seed=seed)
    np.testing.assert_array_equal(damaged[~mask], image[~mask])


@pytest.mark.parametrize("kind", HOLES)
def test_inside_the_mask_it_shows(image: np.ndarray, kind: str) -> None:
    """Most of what is called damage differs from the picture by more than its texture would hide."""
    shown = []
    for seed in range(6):
        damaged, mask = damage_picture(image, kind, seed=seed)
        shown.append(np.abs(damaged[mask].astype(int) - image[mask]).max(axis=1))
    assert np.median(np.concatenate(shown)) >= 12


@pytest.mark.parametrize("polarity", ["bright", "dark"])
@pytest.mark.parametrize("make", [scratches, dust])
def test_polarity(image: np.ndarray, make, polarity: str) -> None:
    kind = "scratches" if make is scratches else "dust"
    damaged, mask = damage_picture(image, kind, seed=1, polarity=polarity)
    change = (damaged[mask].astype(int) - image[mask]).mean(axis=1)
    # A gouge has a dark rim, so bright scratches are not bright everywhere.
    assert ((change > 0) if polarity == "bright" else (change < 0)).mean() > 0.6


def test_scratches_are_thin() -> None:
    """1–4 px wide, with ragged gouges and soft edges up to about twice that, and overlaps."""
    mask = mask_of(scratches((400, 400), seed=2, count=12))
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    assert np.quantile(2 * distance[mask], 0.99) <= 8
    assert 0.002 < mask.mean() < 0.08


def test_stamp_width_and_strength() -> None:
    opacity = np.zeros((21, 60), np.float32)
    path = np.stack([np.arange(5, 55, 0.5), np.full(100, 10.0)], axis=1).astype(np.float32)
    stamp(opacity, path, np.full(100, 2.0, np.float32), np.full(100, 0.8, np.float32))
    np.testing.assert_allclose(opacity[:, 30].sum(), 2 * 2.0 * 0.8, rtol=0.02)
    np.testing.assert_allclose(opacity.max(), 0.8)


def test_stamp_outside_the_frame_draws_nothing_and_does_not_wrap() -> None:
    opacity = np.zeros((20, 20), np.float32)
    path = np.array([[19.6, 5.0], [-3.0, 3.0], [30.0, 9.0]], np.float32)
    stamp(opacity, path, np.full(3, 1.5, np.float32), np.ones(3, np.float32))
    rows, columns = np.nonzero(opacity)
    assert columns.min() >= 17
    assert set(rows) <= {3, 4, 5, 6, 7}


def test_count_scales_the_damage(image: np.ndarray) -> None:
    few, many = (damage_picture(image, "dust", seed=1, count=n)[1].sum() for n in (5, 80))
    assert many > 4 * few


def test_noise_has_the_asked_deviation() -> None:
    grey = np.full((700, 200, 3), 128, np.uint8)
    noisy, mask = damage_picture(grey, "noise", seed=0, sigma=10.0)
    assert mask.all()
    assert abs(float(noisy.std()) - 10) < 0.3
    grainy, _ = damage_picture(grey, "noise", seed=0, sigma=10.0, grain_px=1.5)
    assert abs(float(grainy.std()) - 10) < 0.6
    assert (
        np.abs(np.diff(grainy.astype(int), axis=1)).mean()
        < np.abs(np.diff(noisy.astype(int), axis=1)).mean() / 2
    )


def test_blur_keeps_flat_areas_and_the_mean(image: np.ndarray) -> None:
    flat = np.full((30, 30, 3), 77, np.uint8)
    np.testing.assert_array_equal(damage_picture(flat, "blur", seed=0, radius_px=3.0)[0], flat)
    blurred, _ = damage_picture(image, "blur", seed=0, radius_px=3.0)
    assert abs(float(blurred.mean()) - float(image.mean())) < 1
    assert np.diff(blurred.astype(int), axis=0).std() < np.diff(image.astype(int), axis=0).std() / 2


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UsageError, match="uint8"):
        damage_picture(np.zeros((8, 8), np.uint8), "dust")
    with pytest.raises(UsageError, match="choose one of scratches"):
        damage_picture(np.zeros((8, 8, 3), np.uint8), "age")
