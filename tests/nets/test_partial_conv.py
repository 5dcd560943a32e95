import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import UsageError  # noqa: E402
from remend.nets.partial_conv import PartialConv, PartialConvNet  # noqa: E402
from remend.nets.registry import build  # noqa: E402

TINY = {"widths": (8, 8, 16, 16, 16)}


def by_hand(conv, parts):
    """Pixel by pixel: the kernel over what is known, by the number of known entries, plus the bias."""
    features = torch.cat([f for f, _ in parts], dim=1)
    known = torch.cat([k.expand_as(f) for f, k in parts], dim=1)
    count, channels, height, width = features.shape
    weight, bias = conv.conv.weight.detach(), conv.bias.detach()
    reach, step = conv.kernel // 2, conv.stride
    rows, columns = -(-height // step), -(-width // step)
    answer = torch.zeros(count, len(bias), rows, columns)
    seen = torch.zeros(count, 1, rows, columns)
    for n in range(count):
        for i in range(rows):
            for j in range(columns):
                total, heard = torch.zeros(len(bias)), 0
                for c in range(channels):
                    for u in range(conv.kernel):
                        for v in range(conv.kernel):
                            y, x = i * step + u - reach, j * step + v - reach
                            if 0 <= y < height and 0 <= x < width and known[n, c, y, x]:
                                total += weight[:, c, u, v] * features[n, c, y, x]
                                heard += 1
                if heard:
                    answer[n, :, i, j] = total * (channels * conv.kernel**2 / heard) + bias
                    seen[n, 0, i, j] = 1
    return answer, seen


@pytest.mark.parametrize(
    ("kernel", "stride", "size"), [(3, 1, (5, 6)), (5, 2, (7, 6)), (3, 2, (5, 5)), (3, 2, (4, 1))]
)
def test_it_is_the_kernel_over_what_is_known_scaled_to_all(kernel, stride, size):
    torch.manual_seed(0)
    conv = PartialConv(5, 4, kernel, stride=stride)
    with torch.no_grad():
        conv.bias.normal_()
    parts = [
        (torch.randn(2, 2, *size), (torch.rand(2, 1, *size) > 0.8).float()),
        (torch.randn(2, 3, *size), (torch.rand(2, 1, *size) > 0.6).float()),
    ]
    got, known = conv(*parts)
    wanted, seen = by_hand(conv, parts)
    assert torch.equal(known, seen)
    assert 0 < seen.mean() <= 1
    assert torch.allclose(got.detach(), wanted, atol=1e-5)


def test_where_nothing_is_known_it_answers_nothing_and_the_hole_shrinks_by_the_kernel():
    conv = PartialConv(1, 1, 3)
    with torch.no_grad():
        conv.bias.fill_(1.0)
    known = torch.ones(1, 1, 9, 9)
    known[:, :, 2:7, 2:7] = 0
    x, after = conv((torch.randn(1, 1, 9, 9), known))
    wanted = torch.ones(1, 1, 9, 9)
    wanted[:, :, 3:6, 3:6] = 0
    assert torch.equal(after, wanted)
    assert not x[wanted == 0].any()


def test_a_frame_without_anything_known_is_no_nan():
    net = build("partial_conv", TINY).eval()
    raw = net(torch.rand(1, 3, 48, 32), torch.ones(1, 1, 48, 32))[1]
    assert torch.isfinite(raw).all()


def test_its_gradient_over_a_single_column_holds_nothing_but_what_was_computed():
    x, known = torch.randn(4, 512, 4, 1), torch.ones(4, 1, 4, 1)
    for _ in range(8):
        left_behind = [torch.full((512, 512, 3, 3), torch.inf) for _ in range(2)]
        del left_behind  # memory that is handed out again may hold this
        conv = PartialConv(512, 512, 3, stride=2)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            answer, _known = conv((x, known))
        answer.float().sum().backward()
        assert torch.isfinite(conv.conv.weight.grad).all()
        assert not conv.conv.weight.grad[..., (0, 2)].any()  # beyond the only column lies nothing


def test_the_second_stage_leaves_the_norms_on_the_way_down_as_they_are():
    torch.manual_seed(0)
    net = build("partial_conv", TINY | {"freeze_norms": True}).train()
    assert net.body.needs_weights == "partial_conv"
    before = {n: t.clone() for n, t in net.state_dict().items() if "down_norms" in n}
    image, hole = torch.rand(2, 3, 64, 64), torch.zeros(2, 1, 64, 64)
    hole[:, :, 16:40, 16:40] = 1
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
    net(image, hole)[1].square().mean().backward()
    optimizer.step()
    after = net.state_dict()
    assert before
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert any("running_mean" in n and t.any() for n, t in after.items() if "up_norms" in n)
    assert build("partial_conv", TINY).train().body.down_norms[0].training


def test_the_default_net_is_the_papers():
    with torch.device("meta"):
        body = PartialConvNet()
    assert [conv.conv.kernel_size[0] for conv in body.down] == [7, 5, 5, 3, 3, 3, 3, 3]
    assert [conv.conv.out_channels for conv in body.up] == [512, 512, 512, 512, 256, 128, 64, 3]
    with pytest.raises(UsageError, match="widths for one scale"):
        build("partial_conv", {"widths": ()})
