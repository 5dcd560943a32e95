import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.nets.registry import build  # noqa: E402

TINY = {"width": 4}


def picture(count=2, side=64):
    torch.manual_seed(1)
    hole = torch.zeros(count, 1, side, side)
    hole[:, :, 20:44, 16:36] = 1
    return torch.rand(count, 3, side, side), hole


@pytest.mark.parametrize("name", ["deepfill_v1", "deepfill_v2"])
def test_both_stages_draw_within_the_range_of_pictures_and_the_second_sees_the_first(name):
    torch.manual_seed(0)
    net = build(name, TINY).eval()
    image, hole = picture()
    with torch.no_grad():
        _, refined, coarse = net(image, hole)
        net.body.coarse[-1].bias += 0.5
        _, other, moved = net(image, hole)
        net.body.coarse[-1].bias += 1e3
        *_, extreme = net(image, hole)
    assert not torch.equal(coarse, moved)
    assert not torch.equal(refined, other)
    assert 0 <= float(extreme.min()) <= float(extreme.max()) <= 1


def test_plain_and_gated_are_the_same_net_of_other_layers():
    """Gates double what a convolution has to learn, and nothing else differs but the width."""
    plain, gated = build("deepfill_v1", {"width": 16}), build("deepfill_v2", {"width": 16})
    shapes = [
        {n.replace(".both.", ".conv."): tuple(p.shape) for n, p in net.named_parameters()}
        for net in (plain, gated)
    ]
    assert shapes[0].keys() == shapes[1].keys()
    for name, shape in shapes[0].items():
        twice = shapes[1][name][0] == 2 * shape[0]
        assert twice == (".conv." in name), name


def test_v2_is_as_large_as_the_paper_says():
    parameters = sum(p.numel() for p in build("deepfill_v2").parameters())
    assert parameters / 1e6 == pytest.approx(4.1, abs=0.05)


def test_lines_are_followed_in_the_hole_alone():
    torch.manual_seed(0)
    net = build("deepfill_v2", TINY | {"guide": True}).eval()
    image, hole = picture()
    lines = torch.zeros_like(hole)
    lines[:, :, :10] = 1
    plain = net(image, hole)[0]
    assert torch.equal(net(image, hole, guide=lines)[0], plain)
    lines[:, :, 30] = 1
    assert not torch.equal(net(image, hole, guide=lines)[0], plain)
    assert not build("deepfill_v2", TINY).takes_guide
