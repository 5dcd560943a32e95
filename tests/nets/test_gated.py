import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.nets.gated import EluConv, GatedConv  # noqa: E402


def test_a_gated_convolution_is_two_of_which_one_is_a_gate():
    torch.manual_seed(0)
    layer = GatedConv(3, 5, 5, stride=2, dilation=1)
    x = torch.randn(2, 3, 12, 16)
    kernel, bias = layer.both.weight, layer.both.bias
    feature, gate = (
        torch.nn.functional.conv2d(x, kernel[part], bias[part], stride=2, padding=2)
        for part in (slice(0, 5), slice(5, 10))
    )
    wanted = torch.where(feature > 0, feature, feature.exp() - 1) / (1 + (-gate).exp())
    assert torch.allclose(layer(x), wanted, atol=1e-6)
    assert wanted.shape == (2, 5, 6, 8)


def test_a_shut_gate_lets_nothing_pass_and_an_open_one_all():
    torch.manual_seed(0)
    gated, plain = GatedConv(2, 4, dilation=3), EluConv(2, 4, dilation=3)
    x = torch.randn(1, 2, 9, 9)
    with torch.no_grad():
        gated.both.weight[:4], gated.both.bias[:4] = plain.conv.weight, plain.conv.bias
        gated.both.weight[4:] = 0
        gated.both.bias[4:] = -200
        assert not gated(x).any()
        gated.both.bias[4:] = 200
    assert torch.equal(gated(x), plain(x))
