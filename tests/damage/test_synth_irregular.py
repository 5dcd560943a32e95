"""The papers' masks: their published parameters show in what is drawn."""

import cv2
import numpy as np
import pytest

from remend.damage.synth.irregular import LAMA, box, centre, comodgan, free_form, lama


def widest(mask: np.ndarray) -> float:
    """Diameter of the largest disc inside the mask."""
    return 2 * float(cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5).max())


def test_centre_is_half_of_each_side() -> None:
    mask = centre((40, 60))
    assert mask[10:30, 15:45].all()
    assert mask.sum() == 20 * 30


def test_box_keeps_its_share_at_the_border() -> None:
    for seed in range(30):
        assert 0.79 <= box((30, 100), seed=seed, share=(0.8, 0.9)).mean() <= 0.91


@pytest.mark.parametrize("style", ["thin", "medium", "thick"])
def test_lama_stroke_width(style: str) -> None:
    """One stroke of one's own is between 5 px and the published limit wide."""
    limit = 5 + LAMA[style].width_px
    widths = [widest(lama((600, 600), style, seed=seed, count=1)) for seed in range(12)]
    assert all(4 <= width <= 1.6 * limit for width in widths)  # joints of a stroke widen it
    assert max(widths) > 0.5 * limit


def test_lama_orders_by_thickness() -> None:
    thin, medium, thick = (
        np.mean([widest(lama((512, 512), style, seed=seed)) for seed in range(8)])
        for style in ("thin", "medium", "thick")
    )
    assert thin < medium < thick


def test_lama_thin_never_draws_boxes_and_training_masks_do() -> None:
    def is_boxes(mask: np.ndarray) -> bool:
        # Only axis-parallel edges: every 3×3 corner neighbourhood of a border is straight or square.
        outline, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        return all(len(contour) <= 20 for contour in outline)

    drawn = [is_boxes(lama((256, 256), "train256", seed=seed)) for seed in range(40)]
    assert 8 <= sum(drawn) <= 32
    assert not any(is_boxes(lama((256, 256), "thin", seed=seed)) for seed in range(10))


def test_free_form_width_and_box() -> None:
    widths = [widest(free_form((512, 512), seed=seed, count=1)) for seed in range(12)]
    assert min(widths) >= 11
    assert np.median(widths) <= 60  # a stroke that folds over itself is wider
    assert free_form((512, 512), seed=1, count=0, box_px=128).sum() == 128 * 128


def test_comodgan_reaches_from_little_to_nearly_all() -> None:
    shares = [comodgan((128, 128), seed=seed).mean() for seed in range(40)]
    assert min(shares) < 0.3
    assert max(shares) > 0.9
    assert (
        np.mean([comodgan((128, 128), seed=seed, aim=0.2).mean() for seed in range(40)]) < np.mean(shares) / 2
    )
