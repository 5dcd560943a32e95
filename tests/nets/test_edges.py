import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.nets.edges import edges_of, grey_of  # noqa: E402


def near(lines):
    """Grown by one pixel to each side."""
    grown = torch.nn.functional.max_pool2d(torch.from_numpy(lines).float()[None, None], 3, 1, 1)
    return grown[0, 0].numpy() > 0


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_lines_are_where_cannys_are(name):
    data = pytest.importorskip("skimage.data", reason="scikit-image is not installed")
    from skimage.feature import canny

    picture = getattr(data, name)()[:192, :192, :3]
    image = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255
    got = edges_of(image)[0, 0].numpy() > 0.5
    wanted = canny(grey_of(image)[0, 0].double().numpy(), sigma=2)
    assert (got & near(wanted)).sum() / got.sum() > 0.9
    assert (wanted & near(got)).sum() / wanted.sum() > 0.9
    assert got.sum() < 2 * wanted.sum()


def test_a_step_is_a_thin_line_and_a_slope_is_none():
    image = torch.zeros(1, 3, 40, 40)
    image[..., 20:] = 0.6
    lines = edges_of(image)[0, 0]
    assert torch.equal(lines[20].nonzero().flatten(), torch.tensor([19, 20]))
    assert float(lines[:, 19:21].min()) > 0.999
    assert not edges_of(torch.linspace(0, 1, 80).expand(1, 3, 40, 80)).any()


def test_a_faint_line_is_followed_from_a_strong_one_alone():
    image = torch.zeros(1, 3, 48, 64)
    image[:, :, 24:] = 0.09  # Sobel's gradient of the blurred step is 0.14: weak
    alone = edges_of(image)
    image[:, :, 24:] = torch.linspace(0.2, 0.09, 64)
    joined = edges_of(image)[0, 0, 22:26].amax(dim=0)
    assert not alone.any()
    strong = int((image[0, 0, 30] > 0.14).sum())
    assert float(joined[: strong + 8].min()) > 0.9
    assert float(joined[-1]) < 0.1  # too far from it


def test_what_is_unknown_is_not_read_and_its_rim_is_no_edge():
    torch.manual_seed(0)
    slope = torch.linspace(0.2, 0.8, 48).expand(1, 3, 48, 48).clone()
    hole = torch.zeros(1, 1, 48, 48)
    hole[..., 12:36, 16:30] = 1
    damaged = torch.where(hole > 0, torch.rand_like(slope), slope)
    assert not edges_of(damaged, hole).any()
    assert edges_of(damaged).any()


def test_small_differences_make_small_differences():
    """As between torch and another runtime: nothing jumps."""
    rng = np.random.default_rng(0)
    image = torch.from_numpy(rng.random((1, 3, 96, 96), np.float32))
    other = image + 1e-6 * torch.from_numpy(rng.standard_normal(image.shape, np.float32))
    assert float((edges_of(image, sigma=1) - edges_of(other, sigma=1)).abs().max()) < 1e-3
