import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.nets.fourier import (  # noqa: E402
    FourierConv,
    FourierUnit,
    SpectralTransform,
    inverse_transform,
    transform,
)

SIZES = [(2, 2), (4, 6), (7, 5), (6, 9), (1, 8), (33, 64), (96, 96)]


@pytest.mark.parametrize("size", SIZES)
def test_the_transform_is_that_of_torch_fft(size):
    torch.manual_seed(0)
    x = torch.randn(2, 3, *size)
    real, imaginary = transform(x)
    wanted = torch.fft.rfft2(x, norm="ortho")
    assert torch.allclose(real, wanted.real, atol=2e-5)
    assert torch.allclose(imaginary, wanted.imag, atol=2e-5)


@pytest.mark.parametrize("size", SIZES)
def test_the_way_back_is_that_of_torch_fft_and_ends_where_it_began(size):
    torch.manual_seed(0)
    half = (2, 3, size[0], size[1] // 2 + 1)
    real, imaginary = torch.randn(half), torch.randn(half)
    wanted = torch.fft.irfft2(torch.complex(real, imaginary), s=size, norm="ortho")
    assert torch.allclose(inverse_transform(real, imaginary, size[1]), wanted, atol=2e-5)
    x = torch.randn(2, 3, *size)
    assert torch.allclose(inverse_transform(*transform(x), size[1]), x, atol=2e-5)


def test_a_fourier_unit_is_a_convolution_of_frequencies():
    torch.manual_seed(0)
    unit = FourierUnit(3).eval()
    x = torch.randn(2, 3, 10, 12)
    spectrum = torch.fft.rfft2(x, norm="ortho")
    planes = torch.cat([spectrum.real, spectrum.imag], dim=1)
    mixed = torch.einsum("oc,nchw->nohw", unit.conv.weight[:, :, 0, 0], planes)
    mixed = (mixed / (1 + unit.norm.eps) ** 0.5).relu()
    wanted = torch.fft.irfft2(torch.complex(mixed[:, :3], mixed[:, 3:]), s=(10, 12), norm="ortho")
    assert torch.allclose(unit(x), wanted, atol=1e-5)


def test_one_layer_sees_the_whole_frame_on_its_global_path_alone():
    torch.manual_seed(0)
    conv = FourierConv(3, 5).eval()
    near, wide = torch.randn(1, 3, 24, 24), torch.randn(1, 5, 24, 24)
    other = wide.clone()
    other[:, :, 0, 0] += 1
    (to_near, to_wide), (near_too, wide_too) = conv(near, wide), conv(near, other)
    assert not torch.equal(to_wide[:, :, 16:, 16:], wide_too[:, :, 16:, 16:])
    assert torch.equal(to_near[:, :, 2:, 2:], near_too[:, :, 2:, 2:])


def test_half_precision_around_it_does_not_reach_the_transform():
    torch.manual_seed(0)
    x = torch.randn(1, 4, 16, 16)
    path = SpectralTransform(4, 4).eval()
    assert transform(x.bfloat16())[0].dtype == torch.float32
    wanted = path(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.allclose(path(x).float(), wanted, atol=0.05)
