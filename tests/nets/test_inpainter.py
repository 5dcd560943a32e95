"""What bodies may ask for and answer besides planes, hole and picture."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.nets.inpainter import Inpainter  # noqa: E402
from remend.nets.push_pull import push_pull  # noqa: E402


class Body(torch.nn.Module):
    """Answers what it is given besides; two stages."""

    size_multiple = 16
    takes_guide = True
    noise_size = 3

    def __init__(self, *, residual=True):
        super().__init__()
        self.residual = residual
        self.conv = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Conv2d(8, 3, 1))

    def forward(self, planes, hole, *, guide, noise):
        answer = 0 * self.conv(planes) + guide
        return answer + noise[:, :, None, None], answer


def picture(count=2, side=32):
    torch.manual_seed(1)
    hole = torch.zeros(count, 1, side, side)
    hole[:, :, 8:20, 4:24] = 1
    return torch.rand(count, 3, side, side), hole


@pytest.mark.parametrize("residual", [True, False])
def test_earlier_stages_mean_what_the_answer_means(residual):
    net = Inpainter(Body(residual=residual)).eval()
    image, hole = picture()
    guide, noise = torch.rand(2, 1, 32, 32), torch.randn(2, 3)
    filled, raw, earlier = net(image, hole, guide=guide, noise=noise)
    base = push_pull(image * (1 - hole), hole) if residual else 0
    assert torch.allclose(earlier, (base + guide).expand_as(image), atol=1e-6)
    assert torch.allclose(raw, earlier + noise[:, :, None, None], atol=1e-6)
    assert torch.equal(filled, torch.where(hole > 0.5, raw, image))


def test_from_the_base_fill_what_is_drawn_around_mid_grey_is_added_to_it():
    seen = []

    class Drawing(Body):
        def forward(self, planes, hole, **further):
            seen.append(planes)
            return super().forward(planes, hole, **further)

    net = Inpainter(Drawing(residual=False), from_base=True).eval()
    image, hole = picture()
    base = push_pull(image * (1 - hole), hole)
    grey, noise = torch.full((2, 1, 32, 32), 0.5), torch.zeros(2, 3)
    assert torch.equal(net(image, hole, guide=grey, noise=noise)[0], base)
    assert torch.equal(seen[0][:, :3], base - 0.5)
    brighter = net(image, hole, guide=grey + 0.1, noise=noise)[1]
    assert torch.allclose(brighter, base + 0.1, atol=1e-6)
    prior = torch.full_like(image, 0.9)
    assert net.takes_prior
    assert torch.equal(
        net(image, hole, prior, guide=grey, noise=noise)[0], torch.where(hole > 0.5, prior, image)
    )


def test_without_guide_and_noise_there_are_no_lines_and_the_middle_of_all_answers():
    net = Inpainter(Body(residual=False)).eval()
    image, hole = picture()
    assert not net(image, hole)[1].any()
    torch.manual_seed(5)
    drawn = net.train()(image, hole)[1][:, :, 0, 0].detach()
    assert len({round(float(value), 6) for value in drawn.flatten()}) == 6
    torch.manual_seed(5)
    assert torch.equal(net(image, hole)[1][:, :, 0, 0].detach(), drawn)


def test_a_folded_copy_has_plain_weights_and_leaves_the_net_as_it_is():
    net = Inpainter(Body()).train()
    folded = net.folded()
    assert not folded.training
    assert net.training
    assert torch.equal(folded.body.conv.weight, net.eval().body.conv.weight)
    assert torch.nn.utils.parametrize.is_parametrized(net.body.conv)
    assert not torch.nn.utils.parametrize.is_parametrized(folded.body.conv)


def test_guide_and_noise_are_inputs_of_the_file():
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    from remend.nets.onnx_file import parity, same_over_threads, to_onnx

    net = Inpainter(Body()).eval()
    content = to_onnx(net, prior=True)
    names = [entry.name for entry in onnx.load_from_string(content).graph.input]
    assert names == ["image", "hole", "prior", "guide", "noise"]
    assert parity(net, content, [(1, 1, 1), (2, 2, 3)], prior=True) <= 1e-5
    assert same_over_threads(net, content, prior=True)
