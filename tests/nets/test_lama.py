import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import UsageError  # noqa: E402
from remend.nets.lama import Lama  # noqa: E402
from remend.nets.registry import build  # noqa: E402


def test_the_default_net_has_the_papers_27_million_and_18_blocks_the_51_of_big_lama():
    with torch.device("meta"):
        sizes = [sum(p.numel() for p in Lama(blocks=blocks).parameters()) for blocks in (9, 18)]
    assert [round(size / 1e6) for size in sizes] == [27, 51]


def test_a_pixel_in_one_corner_reaches_the_other():
    torch.manual_seed(0)
    net = build("lama", {"width": 8, "blocks": 1}).eval()
    image, hole = torch.rand(1, 3, 128, 128), torch.zeros(1, 1, 128, 128)
    hole[:, :, 100:, 100:] = 1
    other = image.clone()
    other[:, :, :8, :8] = 0
    assert not torch.equal(net(image, hole)[0][:, :, 120:, 120:], net(other, hole)[0][:, :, 120:, 120:])


@pytest.mark.parametrize("options", [{"wide": 0.0}, {"wide": 1.0}, {"blocks": 0}])
def test_without_local_or_global_channels_or_blocks_it_is_refused(options):
    with pytest.raises(UsageError, match="local and global channels"):
        build("lama", {"width": 8} | options)
