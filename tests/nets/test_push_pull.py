import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.nets.push_pull import SIZE_MULTIPLE, push_pull  # noqa: E402


def hole_of(height, width, top, left, side):
    hole = torch.zeros(1, 1, height, width)
    hole[:, :, top : top + side, left : left + side] = 1
    return hole


def test_known_pixels_stay_and_a_flat_picture_is_filled_flat():
    hole = hole_of(64, 48, 20, 10, 22)
    image = torch.full((1, 3, 64, 48), 0.3) * (1 - hole)
    filled = push_pull(image, hole)
    assert torch.equal(filled * (1 - hole), image)
    assert float((filled - 0.3).abs().max()) < 1e-5


def test_a_ramp_is_continued_better_than_by_a_diffusion_of_the_mean():
    ramp = torch.linspace(0, 1, 96).expand(1, 3, 64, 96)
    hole = hole_of(64, 96, 16, 32, 32)
    filled = push_pull(ramp * (1 - hole), hole)
    error = (filled - ramp)[hole.expand_as(ramp) > 0].abs().mean()
    flat = (ramp.mean() - ramp)[hole.expand_as(ramp) > 0].abs().mean()
    assert error < 0.25 * flat


def test_it_is_near_the_membrane_that_the_known_pixels_span():
    # Outside reference: the discrete Laplace equation, solved by brute force.
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((1, 1, 4, 4), np.float32))
    image = torch.nn.functional.interpolate(coarse, size=(32, 32), mode="bicubic", align_corners=False)
    hole = hole_of(32, 32, 10, 10, 12)
    membrane = (image * (1 - hole))[0, 0].numpy().astype(np.float64)
    inside = hole[0, 0].numpy() > 0
    for _ in range(3000):
        mean = sum(np.roll(membrane, shift, axis) for axis in (0, 1) for shift in (1, -1)) / 4
        membrane[inside] = mean[inside]
    filled = push_pull(image * (1 - hole), hole)[0, 0].numpy()
    off = np.abs(filled - membrane)[inside].mean()
    assert off < 0.2 * np.abs(membrane[~inside].mean() - membrane)[inside].mean()


def test_nothing_known_is_grey_and_the_result_is_finite():
    hole = torch.ones(2, 1, SIZE_MULTIPLE, 3 * SIZE_MULTIPLE)
    filled = push_pull(torch.zeros(2, 3, SIZE_MULTIPLE, 3 * SIZE_MULTIPLE), hole)
    assert torch.equal(filled, torch.full_like(filled, 0.5))
