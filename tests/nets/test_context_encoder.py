import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import UsageError  # noqa: E402
from remend.nets.context_encoder import ContextEncoder, Spread  # noqa: E402
from remend.nets.registry import build  # noqa: E402


def test_the_bottleneck_is_a_channel_wise_fully_connected_layer_with_one_weight_a_displacement():
    torch.manual_seed(0)
    reach, side = 3, 4
    spread = Spread(2, reach)
    with torch.no_grad():
        spread.mix.weight.copy_(torch.eye(2)[:, :, None, None])
        spread.mix.bias.zero_()
    x = torch.randn(1, 2, side, side)
    got = spread(x)
    # By hand: the full matrix of the paper's layer, built from the displacements.
    for channel in range(2):
        kernel = spread.across.weight[channel, 0]
        cells = [(i, j) for i in range(side) for j in range(side)]
        matrix = torch.stack(
            [torch.stack([kernel[reach + a - i, reach + b - j] for a, b in cells]) for i, j in cells]
        )
        wanted = (matrix @ x[0, channel].flatten()).view(side, side)
        assert torch.allclose(got[0, channel], wanted, atol=1e-5)


def test_every_cell_hears_of_every_other_at_the_trained_size():
    net = build("context_encoder", {"widths": (8, 8, 8, 16)}).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    image, hole = torch.rand(1, 3, 128, 128), torch.zeros(1, 1, 128, 128)
    hole[:, :, 112:, 112:] = 1
    other = image.clone()
    other[:, :, :8, :8] += 0.5
    assert not torch.equal(net(image, hole)[0][:, :, 120:, 120:], net(other, hole)[0][:, :, 120:, 120:])


def test_it_draws_within_the_range_of_pictures():
    net = build("context_encoder", {"widths": (8, 16)}).eval()
    with torch.no_grad():
        net.body.head.weight.mul_(1e4)
    raw = net(torch.rand(1, 3, 32, 32), torch.ones(1, 1, 32, 32))[1].detach()
    assert float(raw.min()) >= 0
    assert float(raw.max()) <= 1


def test_a_bottleneck_without_reach_is_refused():
    with pytest.raises(UsageError, match="reach of 1 or more"):
        ContextEncoder(reach=0)
