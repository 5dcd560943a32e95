import numpy as np
import pytest

from remend.fill.patch_pyramid import Level, levels_of, nearest_true
from remend.fill.patch_search import RADIUS_PX, describe, nearest_exact, patch_offsets, refine, regularise
from remend.fill.voting import vote

SIDE = 24


def _image(channels=4, seed=0):
    return np.random.default_rng(seed).random((SIDE * SIDE, channels)).astype(np.float32)


def _inner():
    rows, columns = np.mgrid[RADIUS_PX : SIDE - RADIUS_PX, RADIUS_PX : SIDE - RADIUS_PX]
    return (rows * SIDE + columns).ravel().astype(np.int32)


@pytest.mark.parametrize("radius", [1, 3])
def test_exact_search_agrees_with_comparing_everything(radius):
    image, trust = _image(), np.random.default_rng(1).random(SIDE * SIDE).astype(np.float32)
    centres, sources = _inner()[::7], _inner()[1::3]
    best, distance = nearest_exact(image, trust, centres, sources, stride=SIDE, radius_px=radius)
    offsets = patch_offsets(SIDE, radius)
    weight = trust[centres[:, None] + offsets]
    here, there = image[centres[:, None] + offsets], image[sources[:, None] + offsets]
    every = (np.square(here[:, None] - there[None]).sum(-1) * weight[:, None]).sum(-1)
    every /= weight.sum(-1, keepdims=True)
    assert np.array_equal(best, sources[every.argmin(axis=1)])
    np.testing.assert_allclose(distance, every.min(axis=1), atol=1e-5)


def test_descriptions_of_smooth_patches_keep_their_distances():
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE
    image = np.dstack([rows * columns, rows**2, columns**2, np.zeros_like(rows)]).astype(np.float32)
    described = describe(image)
    flat, offsets = image.reshape(-1, 4), patch_offsets(SIDE)
    a, b = 5 * SIDE + 6, 15 * SIDE + 17
    true = np.square(flat[a + offsets] - flat[b + offsets]).sum() / len(offsets)
    assert np.square(described[a] - described[b]).sum() == pytest.approx(true, rel=0.01)


def test_refining_only_ever_improves_and_stays_within_valid_sources():
    image = _image()
    centres = _inner()[100:180]
    valid = np.zeros(SIDE * SIDE, bool)
    valid[_inner()] = True
    valid[centres] = False
    allowed = np.flatnonzero(valid).astype(np.int32)
    source = np.arange(SIDE * SIDE, dtype=np.int32)
    source[centres] = np.random.default_rng(2).choice(allowed, len(centres))
    described = describe(image.reshape(SIDE, SIDE, 4))
    before = np.square(described[centres] - described[source[centres]]).sum(axis=1)
    after = refine(described, source, centres, valid, stride=SIDE, steps_px=(1, 3), jitter=True)
    assert (after <= before + 1e-6).all()
    assert after.mean() < before.mean()
    assert valid[source[centres]].all()
    np.testing.assert_allclose(
        after, np.square(described[centres] - described[source[centres]]).sum(axis=1), atol=1e-5
    )


def test_regularising_makes_fewer_pieces():
    centres = _inner()[100:180]
    valid = np.zeros(SIDE * SIDE, bool)
    valid[_inner()] = True
    source = np.arange(SIDE * SIDE, dtype=np.int32)
    source[centres] = np.random.default_rng(2).choice(_inner(), len(centres))
    described = describe(_image().reshape(SIDE, SIDE, 4))

    def pieces():
        return len(np.unique(source[centres] - centres))

    before = pieces()
    regularise(described, source, centres, valid, stride=SIDE, smoothness=10.0, sweeps=3)
    assert pieces() < before / 2
    assert valid[source[centres]].all()


def test_votes_of_one_shift_are_a_copy():
    image = _image()
    pixels = _inner()[150:160]
    source = np.arange(SIDE * SIDE, dtype=np.int32) - 2 * SIDE
    weight = np.ones(SIDE * SIDE, np.float32)
    np.testing.assert_allclose(
        vote(image, source, weight, pixels, stride=SIDE, radius_px=2, falloff_px=0.7),
        image[pixels - 2 * SIDE],
        rtol=1e-5,
    )


def test_votes_are_the_weighted_mean():
    image, pixel = _image(), np.array([12 * SIDE + 12], np.int32)
    source = np.arange(SIDE * SIDE, dtype=np.int32)
    source[pixel] = 100
    source[pixel + 1] = 200
    weight = np.zeros(SIDE * SIDE, np.float32)
    weight[pixel], weight[pixel + 1] = 3, 1
    expected = (3 * image[100] + image[200 - 1]) / 4
    answer = vote(image, source, weight, pixel, stride=SIDE, radius_px=1)
    np.testing.assert_allclose(answer[0], expected, rtol=1e-5)


def test_nearest_true_agrees_with_comparing_everything():
    mask = np.random.default_rng(3).random((15, 20)) < 0.1
    rows, columns = np.nonzero(mask)
    y, x = np.mgrid[0:15, 0:20]
    true = np.hypot(y[..., None] - rows, x[..., None] - columns).min(axis=2)
    found_y, found_x = np.divmod(nearest_true(mask), 20)
    assert mask[found_y, found_x].all()
    # OpenCV's 5² distance is an approximation.
    assert (np.hypot(y - found_y, x - found_x) <= true * 1.05 + 0.1).all()


def test_levels_halve_and_keep_known_means():
    window = np.full((75, 101, 3), 0.25, np.float32)
    hole = np.zeros((75, 101), bool)
    hole[20:60, 20:80] = True
    window[hole] = np.nan
    levels = levels_of(window, hole, ~hole, coarsest_radius_px=4.0, texture_gain=1.0)
    assert [level.hole.shape for level in levels[:3]] == [(75, 101), (38, 51), (19, 26)]
    for level in levels:
        assert not (level.hole & level.usable).any()
        np.testing.assert_allclose(level.image[..., :3], 0.25, atol=1e-5)
        assert level.hole.any()


def test_sources_are_whole_patches_and_the_frame_counts_as_known():
    usable = np.ones((20, 20), bool)
    usable[10, 10] = False
    sources = Level(np.zeros((20, 20, 4), np.float32), usable, ~usable).sources(2)
    expected = np.ones((20, 20), bool)
    expected[8:13, 8:13] = False
    assert np.array_equal(sources, expected)
