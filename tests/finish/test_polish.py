import numpy as np
import pytest

from remend.errors import UsageError
from remend.finish.polish import denoise, sharpen


def scene() -> np.ndarray:
    image = np.full((48, 48, 3), 0.3, np.float32)
    image[:, 24:] = 0.7
    return image


def test_denoising_brings_a_noisy_picture_nearer():
    clean = scene()
    noisy = (clean + np.random.default_rng(0).normal(0, 0.03, clean.shape)).astype(np.float32)
    assert np.abs(denoise(noisy, amount=0.5) - clean).mean() < 0.6 * np.abs(noisy - clean).mean()


def test_sharpening_steepens_an_edge_and_keeps_flat_ground_and_hue():
    soft = scene()
    soft[:, 23] = (0.4, 0.4, 0.4)
    soft[:, 24] = (0.6, 0.6, 0.6)
    sharp = sharpen(soft, amount=1.0)
    assert sharp[24, 24, 0] - sharp[24, 23, 0] > soft[24, 24, 0] - soft[24, 23, 0]
    np.testing.assert_allclose(sharp[:, :15], soft[:, :15], atol=1e-5)
    assert np.ptp(sharp, axis=2).max() < 1e-5


def test_amount_zero_is_the_identity():
    image = scene()
    assert denoise(image, amount=0) is image
    assert sharpen(image, amount=0) is image


@pytest.mark.parametrize(("verb", "amount"), [(denoise, 1.5), (denoise, -1), (sharpen, 4)])
def test_amounts_out_of_range_are_refused(verb, amount):
    with pytest.raises(UsageError, match="from 0 to"):
        verb(scene(), amount=amount)
