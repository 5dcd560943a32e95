import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.nets.registry import build  # noqa: E402
from remend.train.data import prior  # noqa: E402
from remend.train.data.prior import coarse_prior, half_scale  # noqa: E402

TINY = {"widths": (8, 8, 8), "dilations": (1,)}


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return build("remend", TINY).eval()


@pytest.fixture
def batch():
    torch.manual_seed(1)
    hole = torch.zeros(6, 1, 64, 64)
    hole[:4, :, 10:50, 10:50] = 1
    hole[4:, :, 30:32] = 1
    return torch.rand(6, 3, 64, 64) * (1 - hole), hole


def test_half_scale_averages_known_pixels_and_any_hole_pixel_makes_a_hole():
    image = torch.arange(16.0).reshape(1, 1, 4, 4).expand(1, 3, 4, 4) / 16
    hole = torch.zeros(1, 1, 4, 4)
    hole[..., 0, 0] = 1
    small, small_hole = half_scale(image * (1 - hole), hole)
    assert small_hole.tolist() == [[[[1, 0], [0, 0]]]]
    assert small[0, 0, 0, 1] == pytest.approx((2 + 3 + 6 + 7) / 64)
    assert small[0, 0, 0, 0] == 0


def test_where_nothing_would_be_known_half_known_cells_count():
    hole = torch.zeros(1, 1, 4, 4)
    hole[..., ::2, ::2] = 1
    small, small_hole = half_scale(torch.full((1, 3, 4, 4), 0.5) * (1 - hole), hole)
    assert small_hole.sum() == 0
    assert torch.allclose(small, torch.full_like(small, 0.5))


def test_wide_holes_may_get_one_and_thin_ones_never(net, batch):
    image, hole = batch
    prior = coarse_prior(net, image, hole, share=1.0, seed=0, indices=range(6))
    given = (prior >= 0).flatten(1).all(dim=1)
    assert given.tolist() == [True] * 4 + [False] * 2
    with torch.inference_mode():
        small, small_hole = half_scale(image[:1], hole[:1])
        wanted = torch.nn.functional.interpolate(
            net(small, small_hole)[0].clamp(0, 1), scale_factor=2.0, mode="bilinear"
        )
    assert torch.allclose(prior[:1], wanted, atol=1e-6)


def test_who_gets_one_depends_on_the_samples_number_alone(net, batch):
    image, hole = batch
    image, hole = image[:4], hole[:4]
    drawn = []
    for index in range(40):
        prior = coarse_prior(net, image[:1], hole[:1], share=0.5, seed=3, indices=[index])
        drawn.append(prior is not None)
    together = coarse_prior(net, image, hole, share=0.5, seed=3, indices=range(8, 12))
    assert [bool((p >= 0).all()) for p in together] == drawn[8:12]
    assert 8 < sum(drawn) < 32


def test_no_share_or_an_unfit_size_gives_none(net, batch):
    image, hole = batch
    assert coarse_prior(net, image, hole, share=0.0, seed=0, indices=range(6)) is None
    assert (
        coarse_prior(net, image[..., :48, :48], hole[..., :48, :48], share=1.0, seed=0, indices=range(6))
        is None
    )


def test_gradients_flow_through_a_step_that_starts_from_it(net, batch):
    image, hole = batch
    prior = coarse_prior(net, image, hole, share=1.0, seed=0, indices=range(6))
    learner = build("remend", TINY)
    _, raw = learner(image, hole, prior)
    raw.mean().backward()
    assert np.isfinite(float(learner.body.head.weight.grad.abs().sum()))
    assert float(learner.body.head.weight.grad.abs().sum()) > 0


@pytest.mark.parametrize("count", [1, 7, 8, 9])
def test_numbers_of_samples_are_made_up_to_eights_and_stay_numbers(count):
    even = prior._even(np.arange(count))
    assert len(even) % 8 == 0 and even.dtype == np.arange(1).dtype
    assert even[:count].tolist() == list(range(count)) and set(even) == set(range(count))
