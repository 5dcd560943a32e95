import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import torch.nn.functional as F  # noqa: E402

from remend.nets.blocks import resize_up  # noqa: E402
from remend.nets.modulated import EqualConv, EqualLinear, ModulatedConv, blur, rectify  # noqa: E402


def kernels(layer, style):
    """Each picture's own kernel, as the paper's formulas 1 and 3 say."""
    own = []
    for row in style:
        scale = F.linear(row, layer.affine.weight * layer.affine.gain, layer.affine.bias)
        kernel = layer.weight * layer.gain * scale[None, :, None, None]
        if layer.demodulate:
            kernel = kernel / (kernel.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        own.append(kernel)
    return own


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("kernel", [1, 3])
def test_modulation_is_a_kernel_of_its_own_for_each_picture(kernel, demodulate):
    torch.manual_seed(0)
    layer = ModulatedConv(4, 6, 8, kernel, demodulate=demodulate).double()
    torch.nn.init.normal_(layer.bias)
    x, style = torch.randn(3, 4, 7, 9).double(), torch.randn(3, 8).double()
    for index, own in enumerate(kernels(layer, style)):
        wanted = F.conv2d(x[index : index + 1], own, layer.bias, padding=kernel // 2)
        # Norms are taken in float32, whatever the rest is.
        assert torch.allclose(layer(x, style)[index : index + 1], wanted, atol=1e-5)


def test_upwards_it_is_the_same_convolution_of_what_was_resized():
    torch.manual_seed(0)
    layer = ModulatedConv(4, 6, 8, up=True)
    x, style = torch.randn(2, 4, 8, 10), torch.randn(2, 8)
    got = layer(x, style)
    assert got.shape == (2, 6, 16, 20)
    for index, own in enumerate(kernels(layer, style)):
        # A transposed convolution turns its kernel about.
        wanted = F.conv2d(resize_up(x[index : index + 1]), own.flip(2, 3), padding=1)
        inner = (slice(None), slice(None), slice(3, -3), slice(3, -3))
        assert torch.allclose(got[index : index + 1][inner], wanted[inner], atol=1e-5)


@pytest.mark.parametrize("kernel", [1, 3])
def test_downwards_nothing_is_shifted(kernel):
    """A ramp stays the same ramp, half as long: output i stands for positions 2i and 2i + 1."""
    layer = EqualConv(1, 1, kernel, down=True)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0, kernel // 2, kernel // 2] = 1 / layer.gain
    ramp = torch.arange(16.0).view(1, 1, 1, 16).expand(1, 1, 16, 16)
    got = layer(ramp)
    assert got.shape == (1, 1, 8, 8)
    assert got[0, 0, 4, 1:-1].tolist() == pytest.approx([2 * i + 0.5 for i in range(1, 7)])


def test_odd_sides_are_halved_alike_by_both_kernels():
    x = torch.randn(1, 2, 9, 7)
    assert EqualConv(2, 3, 3, down=True)(x).shape == EqualConv(2, 3, 1, down=True)(x).shape == (1, 3, 4, 3)


def test_a_blur_keeps_what_is_even():
    assert torch.allclose(blur(torch.ones(1, 2, 6, 6), padding=0), torch.ones(1, 2, 3, 3))


def test_an_equalised_layer_answers_at_size_one_and_learns_at_its_rate():
    torch.manual_seed(0)
    layer = EqualLinear(400, 300, rate=0.01, start=1.0)
    answer = layer(torch.randn(200, 400)).detach()
    assert float(answer.mean()) == pytest.approx(1, abs=0.02)
    assert float(answer.std()) == pytest.approx(1, abs=0.02)
    layer(torch.ones(1, 400)).sum().backward()
    # Gradients are 0.01 times those of a plain layer's bias: 1.
    assert layer.bias.grad.tolist() == pytest.approx([0.01] * 300)


def test_rectifying_keeps_the_size_of_what_is_random():
    torch.manual_seed(0)
    assert float(rectify(torch.randn(200_000)).square().mean()) == pytest.approx(1.04, abs=0.02)
