import pytest

from tiny_nets import TINY

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

from remend.errors import ModelError, UsageError  # noqa: E402
from remend.nets.inpainter import Inpainter  # noqa: E402
from remend.nets.onnx_file import parity, same_over_threads, to_onnx  # noqa: E402
from remend.nets.registry import build  # noqa: E402


def trained(name, options=None):
    """As after training: no branch is zero any more, and batch norms have seen pictures."""
    torch.manual_seed(0)
    net = build(name, options or TINY[name]).train()
    with torch.no_grad():
        for parameter in net.parameters():
            if not parameter.any():
                parameter.normal_(std=0.03)
        net(torch.rand(2, 3, 64, 64), torch.ones(2, 1, 64, 64))
    return net.eval()


@pytest.mark.parametrize("name", TINY)
def test_the_file_answers_what_torch_does_at_every_size_and_on_any_threads(name):
    net = trained(name)
    content = to_onnx(net)
    assert parity(net, content) <= 1e-4
    assert same_over_threads(net, content)


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["resnet18", "vgg11", "mobilenetv3_small_050", "convnext_atto"])
def test_backbones_of_timm_export_too(encoder):
    from remend.nets.torchvision_schema import mend_torchvision

    mend_torchvision()
    pytest.importorskip("timm", reason="timm is not installed")
    net = trained("transfer_unet", {"encoder": encoder, "widths": (8,) * 5})
    content = to_onnx(net)
    assert parity(net, content, [(1, 1, 1), (2, 3, 5)]) <= 1e-4
    assert same_over_threads(net, content)


@pytest.mark.parametrize("name", ["remend", "unet"])
def test_a_prior_given_to_all_to_none_and_to_some(name):
    net = trained(name)
    content = to_onnx(net, prior=True)
    assert parity(net, content, [(2, 3, 5), (3, 2, 2)], prior=True) <= 1e-4
    assert same_over_threads(net, content, prior=True)


def test_parity_would_see_another_net():
    other = trained("unet")
    with torch.no_grad():
        other.body.head.bias.add_(0.1)
    assert parity(other, to_onnx(trained("unet")), [(1, 2, 2)]) > 1e-2


def test_large_answers_may_be_compared_by_their_size():
    def answering(hundreds):
        net = trained("unet")
        with torch.no_grad():
            net.body.head.bias.fill_(hundreds)
        return net

    content = to_onnx(answering(401.0))
    plain, share = (parity(answering(400.0), content, [(1, 2, 2)], relative=told) for told in (False, True))
    assert plain == pytest.approx(1, abs=1e-3)
    assert share == pytest.approx(1 / 400, rel=0.01)


def test_a_prior_for_a_net_that_reads_none_is_refused():
    with pytest.raises(UsageError, match="a prior would change nothing"):
        to_onnx(trained("context_encoder"), prior=True)


def test_a_net_that_onnx_has_no_words_for_is_refused_in_one_line():
    class Odd(torch.nn.Module):
        size_multiple = 16

        def forward(self, planes, hole):
            return torch.special.bessel_j0(planes[:, :3])

    with pytest.raises(ModelError, match="cannot be written as ONNX") as caught:
        to_onnx(Inpainter(Odd()))
    assert "\n" not in str(caught.value)
