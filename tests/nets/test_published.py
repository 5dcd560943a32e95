"""Weights under their authors' names: our net, built by what was recognised, answers what theirs does."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from made_published import AotLike, EdgesLike, LamaLike, MiganLike, PainterLike, settle  # noqa: E402
from remend.errors import ModelError  # noqa: E402
from remend.nets.edges import edges_of, grey_of  # noqa: E402
from remend.nets.registry import build  # noqa: E402
from remend.nets.weights.foreign import read_foreign  # noqa: E402
from remend.nets.weights.published import published  # noqa: E402


@pytest.fixture
def seen():
    """A picture (1, 3, 64, 96) and a hole that touches the frame."""
    drawn = torch.Generator().manual_seed(7)
    image = torch.rand(1, 3, 64, 96, generator=drawn)
    hole = torch.zeros(1, 1, 64, 96)
    hole[:, :, 20:40, 30:70] = 1
    hole[:, :, :9, :20] = 1
    return image, hole


def ours(found):
    net = build(found.net, found.options).eval()
    net.load_state_dict(found.tensors)
    return net


def renamed(net, prefix):
    return {f"{prefix}{name}": value for name, value in net.state_dict().items()}


@pytest.mark.parametrize("prefix", ["", "state_dict.generator.", "generator."])
def test_lama(seen, prefix):
    torch.manual_seed(0)
    theirs = settle(LamaLike())
    found = published(renamed(theirs, prefix))
    assert (found.net, found.options) == ("lama", {"width": 8, "blocks": 2, "wide": 0.75})
    image, hole = seen
    with torch.no_grad():
        wanted = theirs(torch.cat([image * (1 - hole), hole], dim=1))
        got = ours(found)(image, hole)[1]
    assert wanted.std() > 0.02
    assert (got - wanted).abs().max() < 1e-5


def mmagic_names(state):
    """AOT-GAN's tensors under mmagic's names."""

    def name(old):
        head, number, *rest = old.split(".")
        leaf = rest[-1]
        if head == "encoder":
            return f"encoder.encoder.{(int(number) + 1) // 2}.conv.{leaf}"
        if head == "decoder":
            return f"decoder.decoder.{int(number) // 2}.conv.{leaf}"
        part = f"blocks.{int(rest[0][5:])}" if rest[0].startswith("block") else rest[0]
        return f"dilation_neck.model.{number}.{part}.1.conv.{leaf}"

    return {f"state_dict.generator.{name(old)}": value for old, value in state.items()}


@pytest.mark.parametrize("naming", [dict, mmagic_names])
def test_aot_gan(seen, naming):
    torch.manual_seed(0)
    theirs = AotLike().eval()
    found = published(naming(theirs.state_dict()))
    assert found.options == {"width": 8, "blocks": 2, "as_released": True}
    image, hole = seen
    with torch.no_grad():
        white = (2 * image - 1) * (1 - hole) + hole
        wanted = 0.5 + 0.5 * theirs(torch.cat([white, hole], dim=1))
        got = ours(found)(image, hole)[1]
    assert wanted.std() > 0.001
    assert (got - wanted).abs().max() < 1e-5


def test_migan(seen):
    torch.manual_seed(0)
    theirs = MiganLike().eval()
    found = published(renamed(theirs, ""))
    assert found.options == {"widths": (4, 6, 8), "branches": 0, "as_released": True}
    assert found.notes == ()
    image, hole = seen
    with torch.no_grad():
        known = 1 - hole
        wanted = 0.5 + 0.5 * theirs(torch.cat([known - 0.5, (2 * image - 1) * known], dim=1))
        got = ours(found)(image, hole)[1]
    assert wanted.std() > 0.005
    assert (got - wanted).abs().max() < 1e-5
    theirs.synthesis.b8.conv1.noise_strength.data.fill_(0.3)
    assert "of strength 0.3 at most, are left out" in published(theirs.state_dict()).notes[0]


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_edge_connect_of_two_files(seen):
    torch.manual_seed(0)
    edges, painter = EdgesLike(), PainterLike().eval()
    for _ in range(30):
        edges(torch.rand(1, 3, 16, 16))  # a step of its norms' power iteration
    edges.eval()
    both = [published(renamed(net, "generator.")) for net in (edges, painter)]
    assert [found.options["stage"] for found in both] == ["edges", "picture"]
    net = build("edge_connect", both[1].options).eval()
    net.load_state_dict(both[0].tensors | both[1].tensors)
    image, hole = seen
    with torch.no_grad():
        white = image * (1 - hole) + hole
        known = edges_of(0.5 + (image - 0.5) * (1 - hole), hole)
        lines = edges(torch.cat([grey_of(white), known, hole], dim=1))
        wanted = painter(torch.cat([white, known + hole * lines], dim=1))
        got = net(image, hole)[1]
    assert wanted.std() > 0.005
    assert (got - wanted).abs().max() < 1e-5
    old = {name: value for name, value in edges.state_dict().items() if not name.endswith("weight_v")}
    net.load_state_dict(published(old).tensors | both[1].tensors)
    assert (net(image, hole)[1] - wanted).abs().max() < 0.02, "its norms are found again"


def test_averaged_weights_are_taken_where_there_are_some(seen):
    plain, averaged = settle(LamaLike(blocks=1), 1), settle(LamaLike(blocks=1), 2)
    found = published(renamed(plain, "generator.") | renamed(averaged, "generator_ema."))
    bias = averaged.state_dict()[
        "model.6.bias" if "model.6.bias" in averaged.state_dict() else "model.7.bias"
    ]
    assert torch.equal(found.tensors["body.up.0.bias"], bias)


def test_a_lightning_checkpoint_on_disk(tmp_path, seen):
    theirs = settle(LamaLike(blocks=1))
    torch.save({"state_dict": renamed(theirs, "generator."), "epoch": 3, "callbacks": {LamaLike: 1}},
               tmp_path / "best.ckpt")  # fmt: skip
    found = published(read_foreign(tmp_path / "best.ckpt").tensors)
    assert found.net == "lama"


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"a.weight": torch.ones(2)}, r"no net that is known here \(a.weight"),
        ({"model.1.ffc.convl2l.weight": torch.ones(4, 4, 7, 7)}, "a variant that is not read"),
        ({"middle.0.conv_block.1.weight": torch.ones(1)}, "a variant that is not read"),
    ],
)
def test_what_is_not_known(tensors, words):
    with pytest.raises(ModelError, match=words):
        published(tensors)
