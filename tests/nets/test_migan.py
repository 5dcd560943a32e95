import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import UsageError  # noqa: E402
from remend.nets.migan import BranchedConv, Migan, SeparableConv  # noqa: E402
from remend.nets.registry import build, figures  # noqa: E402

TINY = {"widths": (8, 12, 16), "branches": 3}


def test_branches_are_one_kernel_of_norm_1_a_channel():
    torch.manual_seed(0)
    conv = BranchedConv(6, 4, 3, branches=5)
    total = conv.branches.view(5, 4, 6, 3, 3).sum(dim=0)
    wanted = torch.stack([kernel / kernel.norm() for kernel in total])
    assert torch.allclose(conv.kernel(), wanted, atol=1e-5)
    x = torch.randn(2, 6, 9, 7)
    assert torch.allclose(conv(x), torch.nn.functional.conv2d(x, wanted, conv.bias, padding=1), atol=1e-5)


def test_a_folded_net_answers_the_same_from_fewer_numbers():
    torch.manual_seed(0)
    net = build("migan", TINY).train()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    folded = net.folded()
    image, hole = torch.rand(2, 3, 64, 48), torch.zeros(2, 1, 64, 48)
    hole[:, :, 8:40, 8:30] = 1
    assert torch.allclose(net.eval()(image, hole)[0], folded(image, hole)[0], atol=1e-6)
    kernels = [conv for conv in folded.modules() if isinstance(conv, BranchedConv)]
    assert kernels
    assert all(conv.branches is None and conv.weight is not None for conv in kernels)
    assert not any("branches" in name for name in folded.state_dict())
    learned = sum(p.numel() for p in net.parameters())
    assert sum(p.numel() for p in folded.parameters()) == figures(net).parameters < learned / 2
    assert net.body.see[0].deep.branches is not None


def test_a_block_halves_and_doubles_around_pixel_centres():
    block = SeparableConv(2, 2, branches=1, resize=0.5)
    ramp = torch.arange(16.0).expand(1, 2, 16, 16)
    # Past the convolutions: what resizing alone does to a ramp.
    from remend.nets.blocks import resize_up
    from remend.nets.modulated import blur

    half = blur(ramp, padding=1)[:, :, ::2, ::2]
    assert torch.allclose(half[0, 0, 4, 1:-1], torch.arange(14.0).reshape(7, 2)[1:].mean(dim=1))
    assert torch.allclose(resize_up(half)[0, 0, 8, 3:-3], ramp[0, 0, 8, 3:-3])
    assert block(ramp).shape == (1, 2, 8, 8)


def test_the_default_nets_serve_what_the_paper_counts():
    with torch.device("meta"):
        small = figures(build("migan", {"branches": 1}))
        large = figures(build("migan", {"widths": (64, 128, 256, 512, 512, 512, 512, 512), "branches": 1}))
    # The paper: 5.98 M at 256² and 512²; the released 512² file costs 15.1 GMAC.
    assert [round(cost.parameters / 1e6, 1) for cost in (small, large)] == [5.9, 5.9]
    assert large.gmac_512 == pytest.approx(15.1, abs=0.05)


def test_the_coarsest_grid_sets_the_size():
    assert Migan(widths=(8,) * 7).size_multiple == 64
    assert Migan(widths=(8,)).size_multiple == 16
    with pytest.raises(UsageError, match="no fewer than 0 branches"):
        build("migan", {"branches": -1})


def test_what_is_stored_in_half_precision_is_the_folded_kernel():
    pytest.importorskip("onnx", reason="onnx is not installed")
    from remend.nets.onnx_file import parity, round_to_half, to_onnx

    torch.manual_seed(0)
    served = build("migan", {"widths": (32, 48), "branches": 3}).folded()
    round_to_half(served)
    assert parity(served, to_onnx(served, half=True), [(1, 1, 1), (1, 2, 3)]) <= 1e-4
