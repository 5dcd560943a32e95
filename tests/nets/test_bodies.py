"""What holds for every net of the registry: shapes, composition, gradients, one clear line."""

import pytest

from tiny_nets import TINY

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import UsageError  # noqa: E402
from remend.nets.push_pull import push_pull  # noqa: E402
from remend.nets.registry import NETS, build, figures  # noqa: E402


def fresh(name):
    torch.manual_seed(0)
    return build(name, TINY[name])


def picture(count=2, height=64, width=96):
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(count, 3, height, width, generator=generator)
    hole = (torch.rand(count, 1, height // 8, width // 8, generator=generator) > 0.6).float()
    return image, hole.repeat_interleave(8, 2).repeat_interleave(8, 3)


def test_every_net_is_tried_here():
    assert set(TINY) <= set(NETS)
    assert all(entry.summary and entry.reference and entry.differs for entry in NETS.values())


@pytest.mark.parametrize("name", NETS)
def test_known_pixels_are_the_pictures_bit_for_bit(name):
    net = fresh(name).eval()
    image, hole = picture()
    filled, raw, *earlier = net(image, hole)
    assert all(stage.shape == image.shape for stage in earlier)
    assert filled.shape == raw.shape == image.shape
    assert torch.isfinite(raw).all()
    known = (hole == 0).expand_as(image)
    assert torch.equal(filled[known], image[known])
    assert torch.equal(filled[~known], raw[~known])


@pytest.mark.parametrize("name", NETS)
def test_what_lies_under_the_hole_is_not_read(name):
    net = fresh(name).eval()
    image, hole = picture()
    other = torch.where(hole > 0.5, torch.full_like(image, float("nan")), image)
    assert torch.equal(net(image, hole)[0], net(other, hole)[0])


@pytest.mark.parametrize("name", NETS)
def test_a_served_window_does_not_depend_on_its_neighbours_in_the_batch(name):
    net = fresh(name).eval()
    image, hole = picture()
    assert torch.allclose(net(image, hole)[0][:1], net(image[:1], hole[:1])[0], atol=1e-4)


@pytest.mark.parametrize("name", NETS)
def test_gradients_reach_every_parameter(name):
    net = fresh(name).train()
    # Branches that start at zero hold what lies behind them back for a step.
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.02 * torch.randn(parameter.shape))
    image, hole = picture(height=128, width=128)
    sum(stage.square().mean() for stage in net(image, hole)[1:]).backward()
    learning = {n: p.grad for n, p in net.named_parameters() if p.requires_grad}
    still = [n for n, gradient in learning.items() if gradient is None or not gradient.abs().max() > 0]
    assert not still


@pytest.mark.parametrize("name", ["transfer_unet", "unet"])
def test_a_fresh_residual_net_answers_its_base_fill(name):
    image, hole = picture()
    base = push_pull(image * (1 - hole), hole)
    assert torch.equal(fresh(name).eval()(image, hole)[1], base)


@pytest.mark.parametrize("name", NETS)
def test_a_prior_is_read_by_those_that_start_from_a_fill(name):
    net = fresh(name).eval()
    image, hole = picture()
    prior = torch.full_like(image, 0.9)
    assert torch.equal(net(image, hole, prior)[0], net(image, hole)[0]) != net.takes_prior
    assert torch.equal(net(image, hole, -torch.ones_like(image))[0], net(image, hole)[0])


@pytest.mark.parametrize("name", NETS)
def test_every_net_that_draws_pictures_can_start_from_the_base_fill(name):
    torch.manual_seed(0)
    net = build(name, TINY[name] | {"from_base": True}).eval()
    image, hole = picture()
    prior = torch.full_like(image, 0.9)
    assert not torch.equal(net(image, hole, prior)[0], net(image, hole)[0])
    assert net.takes_prior


def test_lines_do_not_start_from_a_base_fill():
    with pytest.raises(UsageError, match="draws something else"):
        build("edge_connect", TINY["edge_connect"] | {"stage": "edges", "from_base": True})


@pytest.mark.parametrize("name", NETS)
def test_an_option_that_a_net_does_not_take_is_one_clear_line(name):
    with pytest.raises(UsageError, match=f"the net {name} does not take these options"):
        build(name, {"depth": 3})


@pytest.mark.parametrize("name", NETS)
def test_cost_grows_with_the_area(name):
    cost = figures(fresh(name))
    assert cost.parameters == sum(p.numel() for p in fresh(name).folded().parameters())
    # Convolutions grow with the area, attention faster, dense layers not at all.
    if name in ("remend", "lama", "deepfill_v1", "deepfill_v2"):
        assert cost.gmac_512 > 4 * cost.gmac_256
    else:
        assert cost.gmac_512 == pytest.approx(4 * cost.gmac_256, rel=1e-2)
