import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import UsageError  # noqa: E402
from remend.nets.edges import edges_of  # noqa: E402
from remend.nets.registry import build  # noqa: E402

TINY = {"width": 4, "blocks": 1}


def picture(count=2, side=64):
    torch.manual_seed(1)
    hole = torch.zeros(count, 1, side, side)
    hole[:, :, 20:44, 16:36] = 1
    return torch.rand(count, 3, 8, 8).repeat_interleave(8, 2).repeat_interleave(8, 3), hole


def net_of(stage):
    torch.manual_seed(0)
    return build("edge_connect", TINY | {"stage": stage})


def test_the_first_stage_draws_edges_on_three_channels_around_known_ones():
    net = net_of("edges").eval()
    image, hole = picture()
    filled, raw = (x.detach() for x in net(image, hole))
    assert torch.equal(raw, raw[:, :1].expand_as(raw))
    assert 0 < float(raw.min()) < float(raw.max()) < 1
    known = hole == 0
    far = torch.nn.functional.max_pool2d(hole, 41, 1, 20) == 0  # where neither blur nor following reaches
    assert far.any()
    assert torch.allclose(filled[:, :1][far], edges_of(image)[far], atol=1e-5)
    assert torch.equal(filled[~known.expand_as(raw)], raw[~known.expand_as(raw)])


def test_the_second_stage_paints_along_the_edges_of_the_first():
    first, second = net_of("edges").eval(), net_of("picture").eval()
    fitting = {n: t for n, t in first.state_dict().items() if n in second.state_dict()}
    assert fitting.keys() == {n for n in second.state_dict() if n.startswith("body.edges.")}
    second.load_state_dict(fitting, strict=False)
    image, hole = picture()
    edges = first(image, hole)[1][:, :1].detach()
    given = second(image, hole, guide=edges)[0]
    assert torch.allclose(second(image, hole)[0], given, atol=1e-6)


def test_drawn_lines_take_the_place_of_the_nets_in_their_picture_alone():
    net = net_of("picture").eval()
    image, hole = picture()
    lines = torch.zeros_like(hole)
    lines[0, :, 30, 18:34] = 1
    lines[1, :, 5] = 1  # not in the hole
    plain, drawn = net(image, hole)[0], net(image, hole, guide=lines)[0]
    assert not torch.equal(plain[0], drawn[0])
    assert torch.allclose(plain[1], drawn[1], atol=1e-6)


def test_the_edge_net_of_the_second_stage_does_not_learn():
    net = net_of("picture").train()
    before = {n: b.clone() for n, b in net.named_buffers()}
    image, hole = picture()
    net(image, hole)[1].sum().backward()
    assert before
    assert all(torch.equal(b, before[n]) for n, b in net.named_buffers())
    assert all(p.grad is None for p in net.body.edges.parameters())
    assert all(p.requires_grad for p in net_of("edges").parameters())


def test_edges_are_no_picture_to_export():
    pytest.importorskip("onnx", reason="onnx is not installed")
    from remend.nets.onnx_file import to_onnx

    with pytest.raises(UsageError, match="draws what another one goes on from"):
        to_onnx(net_of("edges").eval())


def test_a_stage_that_there_is_not_is_one_clear_line():
    with pytest.raises(UsageError, match="edge_connect has the stages edges, picture, got 'both'"):
        net_of("both")


def test_the_exported_file_takes_drawn_lines(tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed")
    from remend.fill.model_file import ModelFile
    from remend.nets.onnx_file import to_onnx

    (tmp_path / "net.onnx").write_bytes(to_onnx(net_of("picture").eval()))
    (tmp_path / "net.json").write_text(json.dumps({"name": "net", "size_multiple": 16}))
    model = ModelFile.open(tmp_path / "net.onnx")
    assert model.takes_guide
    window = np.random.default_rng(0).random((40, 50, 3), np.float32)
    known = np.ones((40, 50), bool)
    known[10:30, 12:33] = False
    lines = np.zeros((40, 50), np.float32)
    plain = model.run(window, known)
    assert np.array_equal(model.run(window, known, guide=lines), plain)
    lines[20, 14:30] = 1
    assert not np.array_equal(model.run(window, known, guide=lines), plain)
