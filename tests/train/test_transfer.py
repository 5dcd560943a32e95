import importlib.util

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

from made_published import LamaLike, settle  # noqa: E402
from remend.errors import ModelError, UsageError  # noqa: E402
from remend.nets.inpainter import Inpainter  # noqa: E402
from remend.nets.registry import build  # noqa: E402
from remend.nets.weights.portable import save_portable  # noqa: E402
from remend.train.config import Recipe, Train, Transfer  # noqa: E402
from remend.train.optim.groups import parameter_groups, set_frozen  # noqa: E402
from remend.train.run.transfer import start_from  # noqa: E402


class Body(torch.nn.Module):
    """Three layers of encoder, one of decoder."""

    size_multiple = 16

    def __init__(self, width=4, head=3):
        super().__init__()
        self.encoder = torch.nn.Sequential(
            torch.nn.Conv2d(8, width, 3, padding=1),
            torch.nn.BatchNorm2d(width),
            torch.nn.Conv2d(width, width, 3, padding=1),
        )
        self.head = torch.nn.Conv2d(width, head, 3, padding=1)

    def layer_groups(self):
        stem, norm, deep = self.encoder
        return [[*stem.parameters(), *norm.parameters()], [*deep.parameters()]]

    def forward(self, planes, hole):
        return self.head(self.encoder(planes))


def plain():
    return Inpainter(torch.nn.Conv2d(8, 3, 1))


def test_rates_fall_with_the_distance_from_the_output():
    net = Inpainter(Body())
    groups = parameter_groups(net, Recipe("x", transfer=Transfer(encoder_lr=0.5, layer_decay=0.8)))
    factor = {p: group["factor"] for group in groups for p in group["params"]}
    decay = {p: group["weight_decay"] for group in groups for p in group["params"]}
    assert set(factor) == set(net.parameters())
    assert sum(len(group["params"]) for group in groups) == len(factor)
    assert factor[net.body.encoder[0].weight] == pytest.approx(0.5 * 0.8**2)
    assert factor[net.body.encoder[2].bias] == pytest.approx(0.5 * 0.8)
    assert factor[net.body.head.weight] == 1
    assert decay[net.body.head.weight] == Train().weight_decay
    assert decay[net.body.head.bias] == decay[net.body.encoder[1].weight] == 0


def test_a_net_without_encoder_says_so():
    with pytest.raises(UsageError, match="no encoder"):
        parameter_groups(plain(), Recipe("x", transfer=Transfer(layer_decay=0.9)))
    with pytest.raises(UsageError, match="nets with an encoder"):
        set_frozen(plain(), True)


def test_what_is_frozen_does_not_move_and_thaws():
    torch.manual_seed(0)
    net = Inpainter(Body())
    optimizer = torch.optim.AdamW(parameter_groups(net, Recipe("x")), lr=0.1)

    def step():
        image, hole = torch.rand(2, 3, 32, 32), torch.zeros(2, 1, 32, 32)
        hole[:, :, 8:24, 8:24] = 1
        optimizer.zero_grad()
        net(image, hole)[1].mean().backward()
        optimizer.step()
        return {name: t.clone() for name, t in net.state_dict().items()}

    set_frozen(net, True)
    start = {name: t.clone() for name, t in net.state_dict().items()}
    frozen = step()
    moved = {name for name in start if not torch.equal(start[name], frozen[name])}
    assert moved == {"body.head.weight", "body.head.bias"}  # nor did the statistics of the norm
    set_frozen(net, False)
    thawed = step()
    assert not torch.equal(frozen["body.encoder.0.weight"], thawed["body.encoder.0.weight"])
    assert not torch.equal(frozen["body.encoder.1.running_mean"], thawed["body.encoder.1.running_mean"])


def test_what_fits_is_taken_and_what_does_not_is_named(tmp_path):
    torch.manual_seed(0)
    taught, file = Inpainter(Body(head=3)), tmp_path / "best.safetensors"
    state = taught.state_dict() | {"body.old.weight": torch.zeros(2)}
    state["body.head.bias"] = torch.zeros(7)
    save_portable(file, state, {"net": "x", "samples_seen": 640})
    net, said = Inpainter(Body()), []
    fresh = net.body.head.bias.clone()
    start_from(net, str(file), said.append)
    assert torch.equal(net.body.encoder[0].weight, taught.body.encoder[0].weight)
    assert torch.equal(net.body.head.bias, fresh)
    assert said == [
        f"starts from {file} (x, 640 samples): 10 of 11 tensors; fresh: body.head.bias; "
        "left over: body.old.weight"
    ]


def test_weights_that_fit_nothing_or_are_not_there(tmp_path):
    save_portable(tmp_path / "other.safetensors", {"a": torch.zeros(3)}, {"net": "y", "samples_seen": 1})
    with pytest.raises(ModelError, match=r"nothing in .* fits this net: it is of y"):
        start_from(Inpainter(Body()), str(tmp_path / "other.safetensors"), print)
    with pytest.raises(ModelError, match="cannot be read"):
        start_from(Inpainter(Body()), str(tmp_path / "missing.safetensors"), print)
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    with pytest.raises(ModelError, match="has no checkpoint yet"):
        start_from(Inpainter(Body()), str(tmp_path / "run"), print)


def test_a_body_with_an_encoder_of_its_own_format_is_asked(tmp_path):
    asked, said = [], []
    net = Inpainter(Body())
    net.body.load_encoder = asked.append
    start_from(net, "pretrained", said.append)
    assert asked == ["pretrained"]
    assert said == ["the encoder starts from pretrained"]


def test_a_net_goes_on_from_what_others_have_published(tmp_path):
    theirs = settle(LamaLike(width=4, blocks=1))
    state = {f"generator.{name}": value for name, value in theirs.state_dict().items()}
    torch.save({"state_dict": state, "hparams": {"lr": 1e-3}}, tmp_path / "lama.ckpt")
    lines = []
    net = build("lama", {"width": 4, "blocks": 1})
    start_from(net, str(tmp_path / "lama.ckpt"), lines.append)
    assert "starts from" in lines[0] and "(LaMa: Suvorov and others" in lines[0]
    image, hole = torch.rand(1, 3, 32, 32), torch.zeros(1, 1, 32, 32)
    hole[:, :, 8:20, 8:24] = 1
    with torch.no_grad():
        wanted = theirs(torch.cat([image * (1 - hole), hole], dim=1))
        assert (net.eval()(image, hole)[1] - wanted).abs().max() < 1e-5
    net.train()(image, hole)[1].mean().backward()
    assert all(p.grad is not None for p in net.parameters())
    start_from(build("lama", {"width": 8, "blocks": 1}), str(tmp_path / "lama.ckpt"), lines.append)
    assert lines[1].endswith(": --set options.width=4 --set options.blocks=1 --set options.wide=0.75")
