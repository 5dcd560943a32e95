import json

import numpy as np
import pytest

from tiny_nets import TINY

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import UsageError  # noqa: E402
from remend.nets.registry import build  # noqa: E402

OPTIONS = TINY["comod_gan"]


def picture(count=2, side=32):
    torch.manual_seed(1)
    hole = torch.zeros(count, 1, side, side)
    hole[:, :, 8:24, 4:20] = 1
    return torch.rand(count, 3, side, side), hole


def test_noise_chooses_the_answer_and_nothing_else_does():
    torch.manual_seed(0)
    net = build("comod_gan", OPTIONS).eval()
    image, hole = picture()
    noise = torch.randn(2, 6)
    answer = net(image, hole, noise=noise)[0]
    assert torch.equal(net(image, hole, noise=noise)[0], answer)
    assert not torch.equal(net(image, hole, noise=-noise)[0], answer)
    # Its length says nothing.
    assert torch.allclose(net(image, hole, noise=3 * noise)[0], answer, atol=1e-5)
    assert torch.equal(net(image, hole)[0], net(image, hole, noise=torch.zeros(2, 6))[0])


def test_the_known_picture_modulates_too():
    """Co-modulation: a change far away reaches the fill by the style, beyond what convolutions see."""
    torch.manual_seed(0)
    net = build("comod_gan", OPTIONS | {"widths": (8, 8)}).eval()
    image, hole = picture(side=128)
    other = image.clone()
    other[:, :, 96:, 96:] += 0.5
    fills = [net(x, hole)[1][:, :, 10:20, 10:20] for x in (image, other)]
    assert not torch.allclose(*fills, atol=1e-6)


def test_five_seeds_are_five_fills_of_the_exported_file(tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed")
    from remend.fill.neural import Neural
    from remend.nets.onnx_file import to_onnx

    torch.manual_seed(0)
    (tmp_path / "net.onnx").write_bytes(to_onnx(build("comod_gan", OPTIONS).eval()))
    (tmp_path / "net.json").write_text(json.dumps({"name": "net", "size_multiple": 16}))
    filler = Neural.load(tmp_path / "net.onnx")
    assert filler.model.noise_size == 6
    window = np.random.default_rng(0).random((40, 50, 3), np.float32)
    hole = np.zeros((40, 50), bool)
    hole[10:30, 12:33] = True
    fills = [filler.fill(window, hole, usable=~hole, seed=seed).pixels for seed in range(5)]
    for number, one in enumerate(fills):
        assert np.array_equal(one[~hole], window[~hole])
        assert np.array_equal(one, filler.fill(window, hole, usable=~hole, seed=number).pixels)
        assert all(np.abs(one - other)[hole].mean() > 1e-4 for other in fills[:number])


def test_too_few_widths_are_one_clear_line():
    with pytest.raises(UsageError, match="comod_gan needs two widths"):
        build("comod_gan", {"widths": (8,)})
