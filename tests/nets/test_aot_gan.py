import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
F = torch.nn.functional

from remend.errors import UsageError  # noqa: E402
from remend.nets.aot_gan import AotGan, ContextBlock  # noqa: E402
from remend.nets.registry import build  # noqa: E402


def test_a_block_mixes_what_came_with_what_four_distances_saw_by_its_gate():
    torch.manual_seed(0)
    block = ContextBlock(8, (1, 2))
    x = torch.randn(2, 8, 12, 10)

    def conv(layer, x):
        reach = layer.dilation[0]
        padded = F.pad(x, (reach,) * 4, mode="replicate")
        return F.conv2d(padded, layer.weight, layer.bias, dilation=reach)

    seen = conv(block.fuse, torch.cat([conv(look, x).relu() for look in block.look], dim=1))
    gate = conv(block.gate, x)
    mean, spread = gate.mean(dim=(2, 3), keepdim=True), gate.std(dim=(2, 3), keepdim=True)
    share = torch.sigmoid(5 * (2 * (gate - mean) / spread - 1))
    assert torch.allclose(block(x), x * (1 - share) + seen * share, atol=1e-5)


def test_the_default_net_has_the_papers_15_2_million():
    with torch.device("meta"):
        assert sum(p.numel() for p in AotGan().parameters()) == 15_200_835


def test_windows_smaller_than_the_widest_dilation_are_filled():
    net = build("aot_gan", {"width": 4, "blocks": 1}).eval()
    assert torch.isfinite(net(torch.rand(1, 3, 16, 16), torch.ones(1, 1, 16, 16))[0]).all()


def test_channels_that_the_dilations_cannot_share_are_refused():
    with pytest.raises(UsageError, match="cannot be split over 3 dilations"):
        build("aot_gan", {"dilations": (1, 2, 4)})
