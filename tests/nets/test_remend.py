import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import UsageError  # noqa: E402
from remend.nets.push_pull import push_pull  # noqa: E402
from remend.nets.registry import NETS, build, figures  # noqa: E402
from remend.nets.remend import CopyAttention, ResidualBlock  # noqa: E402

TINY = {"widths": (8, 8, 16), "dilations": (1, 2)}


@pytest.fixture(params=[True, False], ids=["contrast", "levels"])
def net(request):
    torch.manual_seed(0)
    return build("remend", TINY | {"contrast": request.param})


def picture(count=2, height=64, width=96):
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(count, 3, height, width, generator=generator)
    hole = (torch.rand(count, 1, height // 8, width // 8, generator=generator) > 0.6).float()
    return image, hole.repeat_interleave(8, 2).repeat_interleave(8, 3)


def test_known_pixels_are_the_pictures_bit_for_bit(net):
    image, hole = picture()
    filled, raw = net(image, hole)
    known = (hole == 0).expand_as(image)
    assert torch.equal(filled[known], image[known])
    assert torch.equal(filled[~known], raw[~known])


def test_what_lies_under_the_hole_is_not_read(net):
    image, hole = picture()
    other = torch.where(hole > 0.5, torch.full_like(image, float("nan")), image)
    assert torch.equal(net(image, hole)[0], net(other, hole)[0])


def test_a_window_does_not_depend_on_its_neighbours_in_the_batch(net):
    image, hole = picture()
    both = net(image, hole)[0]
    alone = net(image[:1], hole[:1])[0]
    assert torch.allclose(both[:1], alone, atol=1e-6)


def test_a_fresh_net_starts_near_the_base_fill(net):
    image, hole = picture()
    base = push_pull(image * (1 - hole), hole)
    assert float((net(image, hole)[1] - base).detach().abs().mean()) < 0.1


def test_a_prior_replaces_the_base_and_a_negative_one_is_none(net):
    image, hole = picture()
    prior = torch.full_like(image, 0.9)
    assert not torch.equal(net(image, hole, prior)[0], net(image, hole)[0])
    assert torch.equal(net(image, hole, -torch.ones_like(image))[0], net(image, hole)[0])


def test_a_residual_block_starts_as_identity():
    x = torch.randn(1, 8, 6, 6)
    assert torch.equal(ResidualBlock(8, dilation=2)(x), x)


def test_attention_copies_from_the_known_place_that_looks_alike():
    torch.manual_seed(0)
    copy = CopyAttention(4, 2, key=4, value=2)
    with torch.no_grad():
        for conv in (copy.query, copy.key):
            conv.weight.copy_(torch.eye(4)[:, :, None, None])
            conv.bias.zero_()
        copy.value.weight.copy_(torch.eye(2)[:, :, None, None])
        copy.value.bias.zero_()
        copy.out.weight.zero_()
        copy.out.weight[:, :, 1, 1] = torch.eye(2)
        copy.sharpness.fill_(60.0)
    kinds = torch.tensor([[0, 1, 2, 1]])  # cells in a row; the last one is missing and looks like the second
    coarse = torch.eye(4)[kinds].permute(0, 2, 1)[:, :, None, :]
    fine = torch.randn(1, 2, 4, 16)
    known = torch.tensor([1.0, 1.0, 1.0, 0.0]).view(1, 1, 1, 4)
    copied = copy(coarse, fine, known).detach()
    assert torch.allclose(copied[..., 12:], fine[..., 4:8], atol=1e-4)
    assert torch.isfinite(copy(coarse, fine, torch.zeros_like(known))).all()


def test_figures_of_the_default_net():
    cost = figures(build("remend"))
    assert 6e6 < cost.parameters < 8e6
    assert 28 < cost.gmac_512 < 36
    # A convolution can be counted by hand: 3 × 3 × 8 → 8 at 32² and so on is exact in the tiny net too.
    without = figures(build("remend", TINY | {"attention": False}))
    assert without.gmac_512 == pytest.approx(4 * without.gmac_256, rel=1e-4)


def test_an_unknown_net_or_option_is_one_clear_line():
    with pytest.raises(UsageError, match=r"no net is called 'unet3000': choose one of remend"):
        build("unet3000")
    with pytest.raises(UsageError, match="does not take these options"):
        build("remend", {"depth": 3})
    assert all(entry.summary and entry.reference for entry in NETS.values())
