import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.fill.biharmonic import Biharmonic  # noqa: E402
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


def test_it_is_near_the_plate_that_the_known_pixels_clamp():
    # Outside reference: the repair side's solver, another algorithm in another language of arrays.
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((1, 3, 5, 5), np.float32))
    image = torch.nn.functional.interpolate(coarse, size=(64, 64), mode="bicubic", align_corners=False)
    hole = hole_of(64, 64, 20, 20, 14)
    filled = push_pull(image * (1 - hole), hole)[0].permute(1, 2, 0).numpy()
    inside = hole[0, 0].numpy() > 0
    window = (image * (1 - hole))[0].permute(1, 2, 0).contiguous().numpy()
    plate = Biharmonic(tension_px=2.5).fill(window, inside, usable=~inside).pixels
    off = np.abs(filled - plate)[inside].mean()
    assert off < 0.1 * np.abs(window[~inside].mean(axis=0) - plate)[inside].mean()


def test_sweeps_are_not_in_half_precision_under_autocast():
    hole = hole_of(64, 64, 20, 20, 14)
    image = torch.rand(1, 3, 64, 64) * (1 - hole)
    with torch.autocast("cpu", torch.bfloat16):
        filled = push_pull(image, hole)
    assert torch.equal(filled, push_pull(image, hole))


def test_nothing_known_is_grey_and_the_result_is_finite():
    hole = torch.ones(2, 1, SIZE_MULTIPLE, 3 * SIZE_MULTIPLE)
    filled = push_pull(torch.zeros(2, 3, SIZE_MULTIPLE, 3 * SIZE_MULTIPLE), hole)
    assert float((filled - 0.5).abs().max()) < 1e-4
