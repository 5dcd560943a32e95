"""Metrics against scikit-image and against what can be said by hand."""

import cv2
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from remend.errors import EvaluationError
from remend.metrics import METRICS, PSNR_LIMIT_DB, _gradient, compose, l1, measure, psnr, sharp, ssim


@pytest.fixture
def couple() -> tuple[np.ndarray, np.ndarray]:
    """A textured picture and a noisy copy; taller than a strip of the SSIM."""
    rng = np.random.default_rng(1)
    smooth = np.cumsum(rng.normal(0, 4, (300, 47, 3)), axis=0) + np.linspace(40, 200, 47)[None, :, None]
    target = np.clip(smooth, 0, 255).astype(np.uint8)
    output = np.clip(target + rng.normal(0, 12, target.shape), 0, 255).astype(np.uint8)
    return output, target


@pytest.fixture
def hole(couple: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    mask = np.zeros(couple[0].shape[:2], bool)
    mask[40:90, 0:20] = mask[240:280, 25:40] = True
    return mask


def test_psnr_is_scikit_images(couple) -> None:
    assert psnr(*couple) == pytest.approx(peak_signal_noise_ratio(couple[1], couple[0]), abs=1e-5)


def test_psnr_in_the_hole(couple, hole) -> None:
    output, target = couple
    reference = peak_signal_noise_ratio(target[hole], output[hole])
    assert psnr(output, target, hole) == pytest.approx(reference, abs=1e-5)
    # What happens outside the hole does not matter to it.
    assert psnr(compose(output, target, hole), target, hole) == pytest.approx(reference, abs=1e-5)


def test_a_perfect_picture_is_clamped(couple) -> None:
    assert psnr(couple[1], couple[1]) == PSNR_LIMIT_DB


def test_ssim_is_scikit_images(couple) -> None:
    reference = structural_similarity(
        couple[1],
        couple[0],
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=2,
    )
    assert ssim(*couple) == pytest.approx(reference, abs=1e-9)


def test_ssim_in_the_hole_is_the_mean_of_the_map(couple, hole) -> None:
    _, full = structural_similarity(
        couple[1],
        couple[0],
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=2,
        full=True,
    )
    inside = hole.copy()
    inside[:5] = inside[-5:] = inside[:, :5] = inside[:, -5:] = False
    assert ssim(*couple, hole) == pytest.approx(full[inside].mean(), abs=1e-9)


def test_ssim_does_not_apply_to_tiny_pictures_and_holes_at_the_border() -> None:
    small = np.zeros((30, 10, 3), np.uint8)
    assert np.isnan(ssim(small, small))
    large = np.zeros((30, 30, 3), np.uint8)
    border = np.zeros((30, 30), bool)
    border[:4] = True
    assert np.isnan(ssim(large, large, border))
    assert ssim(large[:11, :11], large[:11, :11]) == pytest.approx(1.0)


def test_l1_by_hand() -> None:
    target = np.zeros((4, 4, 3), np.uint8)
    output = target.copy()
    output[0, 0] = 255
    output[1, 1] = 51
    hole = np.zeros((4, 4), bool)
    hole[0, 0] = hole[1, 1] = True
    assert l1(output, target) == pytest.approx((1 + 0.2) / 16)
    assert l1(output, target, hole) == pytest.approx(0.6)


def test_sharp_says_fog_and_noise(couple) -> None:
    output, target = couple
    assert sharp(target, target) == pytest.approx(1.0)
    smooth = cv2.GaussianBlur(target, (0, 0), 3)
    assert sharp(smooth, target) < 0.7
    assert sharp(output, smooth) > 1.2


def test_sharp_of_a_ramp_by_hand() -> None:
    ramp = np.repeat(np.arange(0, 60, 2, dtype=np.uint8)[None, :, None], 20, axis=0).repeat(3, axis=2)
    steep = np.repeat(np.arange(0, 120, 4, dtype=np.uint8)[None, :, None], 20, axis=0).repeat(3, axis=2)
    inner = np.zeros((20, 30), bool)
    inner[5:15, 5:25] = True
    assert sharp(steep, ramp, inner) == pytest.approx(2.0)


def test_sharp_does_not_hang_on_where_memory_lies(couple) -> None:
    output, _target = couple
    grey = cv2.cvtColor(output, cv2.COLOR_RGB2GRAY).astype(np.int64)
    padded = np.pad(grey, 1, "reflect")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    columns = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    across, down = rows[:, 2:] - rows[:, :-2], columns[2:] - columns[:-2]
    # Whole numbers, whose root has one rounding: any machine and any place in memory gives this.
    assert np.array_equal(_gradient(output), np.sqrt((across**2 + down**2).astype(np.float32)))


def test_sharp_of_a_flat_truth_does_not_apply() -> None:
    flat = np.full((8, 8, 3), 9, np.uint8)
    assert np.isnan(sharp(flat, flat))


def test_an_empty_hole_is_not_a_number_and_no_warning(couple) -> None:
    values = measure(*couple, np.zeros(couple[0].shape[:2], bool))
    assert tuple(values) == METRICS
    for name, value in values.items():
        assert np.isnan(value) == (name.endswith("_hole") or name == "sharp")


def test_measure_says_what_each_metric_says(couple, hole) -> None:
    assert measure(*couple, hole) == {
        "psnr": psnr(*couple),
        "psnr_hole": psnr(*couple, hole),
        "ssim": ssim(*couple),
        "ssim_hole": ssim(*couple, hole),
        "l1": l1(*couple),
        "l1_hole": l1(*couple, hole),
        "sharp": sharp(*couple, hole),
    }


@pytest.mark.parametrize("metric", [psnr, l1, ssim, sharp])
def test_what_does_not_fit_is_refused(metric) -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    with pytest.raises(EvaluationError, match="20×20 and the target 18×20"):
        metric(image, image[:, :18])
    with pytest.raises(EvaluationError, match="must be uint8"):
        metric(image.astype(np.float32), image)
    with pytest.raises(EvaluationError, match="the hole is 5×5"):
        metric(image, image, np.zeros((5, 5), bool))


def test_ws_psnr_weighs_by_share_of_the_sphere():
    """A level off along the equator costs what its share of the sphere is; at the poles next to nothing."""
    from remend.metrics import ws_psnr

    truth = np.full((180, 360, 3), 100, np.uint8)
    # Integrated by hand: the band within 30° of the equator is half of the sphere, one of 90°-60° 6.7 %.
    for rows, share in ((slice(60, 120), 0.5), (slice(0, 30), (1 - np.cos(np.pi / 6)) / 2)):
        output = truth.copy()
        output[rows] += 10
        assert ws_psnr(output, truth) == pytest.approx(10 * np.log10(255**2 / (100 * share)), abs=0.01)
    hole = np.zeros((180, 360), bool)
    hole[0:30] = True
    assert ws_psnr(output, truth, hole) == pytest.approx(10 * np.log10(255**2 / 100))
    assert ws_psnr(truth, truth) == 100
    assert np.isnan(ws_psnr(truth, truth, np.zeros((180, 360), bool)))
