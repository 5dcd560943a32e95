import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.nets.registry import build  # noqa: E402
from remend.nets.unet import Unet  # noqa: E402


def test_the_default_net_is_the_papers():
    # Counted by hand from the paper's figure: two 3 × 3 convolutions a stage, and their biases.
    def pair(inside, outside):
        return 9 * (inside * outside + outside * outside) + 2 * outside

    down = pair(8, 64) + pair(64, 128) + pair(128, 256) + pair(256, 512) + pair(512, 1024)
    up = pair(1024, 512) + pair(512, 256) + pair(256, 128) + pair(128, 64)
    narrow = sum(2 * width * width + width for width in (64, 128, 256, 512))
    head = 64 * 3 + 3
    assert sum(p.numel() for p in Unet().parameters()) == down + up + narrow + head


def test_dropout_is_for_training_alone():
    torch.manual_seed(0)
    net = build("unet", {"widths": (8, 8, 8, 16, 32), "dropout": 0.5})
    with torch.no_grad():
        net.body.head.weight.normal_()
    image, hole = torch.rand(1, 3, 32, 32), torch.zeros(1, 1, 32, 32)
    hole[:, :, 8:20, 8:20] = 1
    assert not torch.equal(net.train()(image, hole)[1], net(image, hole)[1])
    assert torch.equal(net.eval()(image, hole)[1], net(image, hole)[1])


def test_fewer_scales_still_keep_to_the_base_fills_multiple():
    assert Unet(widths=(8, 8)).size_multiple == 16
    assert Unet(widths=(8, 8, 8, 8, 8, 8)).size_multiple == 32
