"""Masks by name: repeatable, of the right shape, within the ratio that was asked for."""

import numpy as np
import pytest

from remend.damage.synth import MASK_KINDS, make_mask
from remend.errors import UsageError

SIZE = (96, 128)


@pytest.mark.parametrize("kind", MASK_KINDS)
def test_same_arguments_same_mask(kind: str) -> None:
    first, again = make_mask(kind, SIZE, seed=5), make_mask(kind, SIZE, seed=5)
    assert first.shape == SIZE
    assert first.dtype == np.bool_
    assert first.any()
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("kind", [kind for kind in MASK_KINDS if kind != "centre"])
def test_another_seed_another_mask(kind: str) -> None:
    assert (make_mask(kind, SIZE, seed=5) != make_mask(kind, SIZE, seed=6)).any()


@pytest.mark.parametrize("kind", MASK_KINDS)
@pytest.mark.parametrize("ratio", [(0.01, 0.1), (0.2, 0.3), (0.5, 0.6)])
def test_ratio_is_kept(kind: str, ratio: tuple[float, float]) -> None:
    mask = make_mask(kind, SIZE, seed=3, ratio=ratio)
    assert ratio[0] <= mask.mean() <= ratio[1]
    np.testing.assert_array_equal(mask, make_mask(kind, SIZE, seed=3, ratio=ratio))


def test_ratios_spread_over_the_range() -> None:
    """Built masks must not all stop at the lower end."""
    shares = [make_mask("blocks", SIZE, seed=seed, ratio=(0.2, 0.6)).mean() for seed in range(24)]
    assert min(shares) < 0.3
    assert max(shares) > 0.5


def test_a_ratio_that_cannot_be_met_is_told() -> None:
    with pytest.raises(UsageError, match=r"centre masks of 4×4 do not come to a ratio of 0.3–0.31"):
        make_mask("centre", (4, 4), ratio=(0.3, 0.31))


@pytest.mark.parametrize(
    ("kind", "size", "options", "words"),
    [
        ("holes", SIZE, {}, "choose one of lama-thin"),
        ("box", (0, 5), {}, "at least one pixel"),
        ("box", SIZE, {"ratio": (0.5, 0.2)}, "smaller number first"),
        ("box", SIZE, {"ratio": (0.5, 1.2)}, "range within 0–1"),
        ("box", SIZE, {"seed": -1}, "0 or more"),
    ],
)
def test_what_cannot_be_meant_is_refused(kind: str, size: tuple[int, int], options: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_mask(kind, size, **options)


@pytest.mark.parametrize("kind", MASK_KINDS)
@pytest.mark.parametrize("size", [(16, 16), (7, 90)])
def test_tiny_and_slim_frames(kind: str, size: tuple[int, int]) -> None:
    """Either a mask or an error that says so; never another exception."""
    try:
        mask = make_mask(kind, size, seed=1)
    except UsageError as error:
        assert "do not fit" in str(error)
    else:
        assert mask.shape == size
