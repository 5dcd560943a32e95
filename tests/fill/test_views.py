"""A net asked from both sides: what is averaged, and how it is turned."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from remend.api import repair
from remend.fill.guided import guided_views
from remend.fill.views import Views, thin_views, wide_views
from remend.picture import Filled
from remend.plan.policy import POLICIES


@dataclass
class Fake:
    """Answers its window plus a ramp that rises to the right, and once more half of its prior."""

    takes_prior: bool
    asked: list = field(default_factory=list)

    @property
    def model(self):
        return SimpleNamespace(takes_prior=self.takes_prior)

    def fill(self, window, hole, *, usable, prior=None, guide=None, seed=0):
        assert all(plane.flags.c_contiguous for plane in (window, hole, usable))
        self.asked.append((window.copy(), hole.copy(), usable.copy(), prior, guide))
        ramp = np.linspace(0, 1, window.shape[1], dtype=np.float32)[None, :, None]
        start = window if prior is None else prior / 2
        return Filled(start + ramp)


@pytest.fixture
def seen():
    rng = np.random.default_rng(0)
    window = rng.random((6, 9, 3), np.float32)
    hole = np.zeros((6, 9), bool)
    hole[1:4, 2:5] = True
    return np.where(hole[..., None], np.float32(0), window), hole, ~hole


def test_the_mirrored_answer_is_turned_back_before_it_counts(seen):
    window, hole, usable = seen
    guide = hole.copy()
    net = Fake(takes_prior=False)
    found = Views(net).fill(window, hole, usable=usable, guide=guide).pixels
    np.testing.assert_allclose(found, window + 0.5, atol=1e-6)  # a ramp and its mirror image
    (_, mirrored) = net.asked
    for plane, wanted in zip(mirrored, (window, hole, usable, None, guide), strict=True):
        assert plane is None if wanted is None else np.array_equal(plane, wanted[:, ::-1])


def test_a_net_that_takes_a_prior_is_asked_once_more_from_the_mean(seen):
    window, hole, usable = seen
    net = Fake(takes_prior=True)
    found = Views(net).fill(window, hole, usable=usable).pixels
    mean = window + 0.5
    before = np.where(hole[..., None], mean, window)
    np.testing.assert_allclose(net.asked[2][3], before, atol=1e-6)
    ramp = np.linspace(0, 1, 9, dtype=np.float32)[None, :, None]
    np.testing.assert_allclose(found, (mean + before / 2 + ramp) / 2, atol=1e-6)


def test_the_embedded_nets_answer_a_mirrored_picture_with_the_mirrored_answer(seen):
    """Without a second run from the mean, exactly: which side is which must not matter."""
    window, hole, usable = (np.tile(plane, (8, 6, 1)[: plane.ndim]) for plane in seen)
    filler = thin_views()
    straight = filler.fill(window, hole, usable=usable).pixels
    turned = filler.fill(
        np.ascontiguousarray(window[:, ::-1]),
        np.ascontiguousarray(hole[:, ::-1]),
        usable=usable[:, ::-1].copy(),
    ).pixels
    np.testing.assert_allclose(straight[hole], turned[:, ::-1][hole], atol=1e-5)


def test_quality_best_is_another_answer_than_balanced():
    rng = np.random.default_rng(3)
    image = np.repeat(np.repeat(rng.integers(0, 255, (12, 12, 3), np.uint8), 8, 0), 8, 1)
    image[:48] = np.linspace(90, 200, 96)[None, :, None]  # no one texture
    hole = np.zeros(image.shape[:2], bool)
    hole[36:60, 36:60] = True
    best, again, balanced = (repair(image, hole, quality=q) for q in ("best", "best", "balanced"))
    assert np.array_equal(best, again) and not np.array_equal(best, balanced)
    assert np.array_equal(best[~hole], image[~hole])


def test_every_rung_of_best_that_draws_asks_more_than_once():
    drawn = {rung.filler for rung in POLICIES["best"].rungs} - {"smooth", "quilt"}
    assert drawn == {filler().name for filler in (wide_views, thin_views, guided_views)}
