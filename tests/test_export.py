import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

from remend.errors import ModelError, UsageError  # noqa: E402
from remend.export import export  # noqa: E402
from remend.fill.neural import Neural  # noqa: E402
from remend.nets.onnx_file import to_onnx  # noqa: E402
from remend.nets.registry import build  # noqa: E402
from remend.nets.weights import checkpoint  # noqa: E402
from remend.nets.weights.portable import save_portable  # noqa: E402
from remend.nets.weights.trained import load_net  # noqa: E402
from remend.train.config import as_dict, digest, from_dict  # noqa: E402
from remend.train.run.transfer import start_from  # noqa: E402

RECIPE = from_dict(
    {
        "net": "remend",
        "options": {"widths": [8, 8, 16], "dilations": [1, 2]},
        "loss": {"backbone": "a/b/backbone.h5"},
        "transfer": {"weights": "a/b/best.safetensors"},
    }
)
STATE = {
    "net": "remend",
    "recipe": as_dict(RECIPE),
    "recipe_sha256": digest(RECIPE),
    "samples_seen": 64,
    "scores": {"psnr": 20.0},
    "data": {"photos": 11},
}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    net = build("remend", RECIPE.options)
    # Weights as after training: no branch is zero any more.
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    return net


@pytest.fixture
def run(tmp_path, net):
    checkpoint.save(tmp_path / "run", 64, {"ema": net.state_dict()}, STATE)
    return tmp_path / "run"


@pytest.mark.parametrize("half", [False, True])
def test_the_file_answers_what_the_net_does_and_repair_runs_it(run, tmp_path, half):
    done = export(run, tmp_path / "net.onnx", half=half, licence="CC0")
    assert done.parity <= 1e-4
    card = json.loads(done.card.read_text())
    assert card["samples_seen"] == 64
    assert card["data"] == {"photos": 11}
    assert card["licence"] == "CC0"
    assert card["size_multiple"] == 16
    assert card["same_bits_on_1_and_2_threads"] is True
    assert card["recipe"]["loss"]["backbone"] == "backbone.h5"
    assert card["recipe"]["transfer"]["weights"] == "best.safetensors"
    assert "prior" not in card["inputs"]
    model = Neural.load(done.model)  # checks the contract and the SHA-256
    rng = np.random.default_rng(0)
    window = rng.random((75, 100, 3), np.float32)
    hole = np.zeros((75, 100), np.bool_)
    hole[20:50, 30:60] = True
    filled = model.fill(window, hole, usable=np.ones_like(hole)).pixels
    assert filled.shape == window.shape
    assert np.array_equal(filled[~hole], window[~hole])


def test_half_stored_weights_take_half_the_room(net):
    large = 4 * sum(p.numel() for p in net.parameters() if p.numel() >= 1024)
    saved = len(to_onnx(net)) - len(to_onnx(net, half=True))
    assert saved > 0.45 * large  # the rest names the casts


def test_a_net_that_takes_a_prior_says_so(run, tmp_path):
    done = export(run, tmp_path / "net.onnx", prior=True)
    assert done.parity <= 1e-4
    assert "negative" in json.loads(done.card.read_text())["inputs"]["prior"]
    assert Neural.load(done.model).model.takes_prior


def test_one_file_is_as_good_as_its_run(run, tmp_path, net):
    save_portable(tmp_path / "best.safetensors", net.state_dict(), STATE)
    loaded, state = load_net(tmp_path / "best.safetensors")
    assert state == STATE
    of_run, _ = load_net(run)
    image, hole = torch.rand(1, 3, 32, 48), (torch.rand(1, 1, 32, 48) > 0.7).float()
    assert torch.equal(loaded(image, hole)[0], of_run(image, hole)[0])
    assert not loaded.training


def test_a_net_that_is_not_finite_is_not_exported(run, tmp_path):
    net, state = load_net(run)
    next(net.parameters())[0] = float("nan")
    checkpoint.save(run, 128, {"ema": net.state_dict()}, {**state, "samples_seen": 128})
    with pytest.raises(ModelError, match="not exported"):
        export(run, tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()


def test_targets_and_sources_that_cannot_be_meant(run, tmp_path, net):
    with pytest.raises(UsageError, match=r"ends in .onnx"):
        export(run, tmp_path / "net.pt")
    (tmp_path / "net.onnx").write_bytes(b"mine")
    with pytest.raises(UsageError, match="--overwrite"):
        export(run, tmp_path / "net.onnx")
    for nowhere in ("nowhere", "nowhere.safetensors"):
        with pytest.raises(ModelError, match="cannot be read"):
            export(tmp_path / nowhere, tmp_path / "other.onnx")
    save_portable(tmp_path / "bare.safetensors", net.state_dict(), {"source": "elsewhere"})
    with pytest.raises(ModelError, match="without the recipe"):
        export(tmp_path / "bare.safetensors", tmp_path / "other.onnx")
    narrow = {**STATE, "recipe": as_dict(from_dict({"net": "remend", "options": {"widths": [8, 8, 8]}}))}
    save_portable(tmp_path / "other.safetensors", net.state_dict(), narrow)
    with pytest.raises(ModelError, match="does not hold its own net"):
        load_net(tmp_path / "other.safetensors")


@pytest.fixture
def photos(tmp_path):
    """A folder of seven smooth made pictures, 200 × 208."""
    import cv2

    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(7):
        knots = rng.integers(0, 256, (5, 6, 3), np.uint8)
        cv2.imwrite(
            str(folder / f"{index}.png"), cv2.resize(knots, (208, 200), interpolation=cv2.INTER_CUBIC)
        )
    return folder


def test_eight_bits_with_their_card_and_nearly_the_same_fills(tmp_path, photos):
    torch.manual_seed(0)
    net = build("remend", RECIPE.options)
    torch.nn.init.normal_(net.body.head.weight, std=0.02)  # a fresh net answers its base fill
    save_portable(tmp_path / "best.safetensors", net.state_dict(), STATE)
    done = export(tmp_path / "best.safetensors", tmp_path / "small.onnx", prior=True, calibrate=photos)
    card = json.loads(done.card.read_text())
    assert card["weights"].startswith("int8")
    assert card["calibration"] == {"pictures": 7, "crop_px": 176}
    assert 0 < card["int8_mean_difference_in_holes"] == done.lost < 0.01
    assert str(photos) not in done.card.read_text()
    import onnx

    assert any(node.op_type == "DequantizeLinear" for node in onnx.load(done.model).graph.node)
    begun = build("remend", RECIPE.options)
    start_from(begun, str(done.model), print)
    for name, wanted in net.state_dict().items():
        got = begun.state_dict()[name]
        step = wanted.abs().amax(dim=tuple(range(1, wanted.ndim)), keepdim=True) / 254
        assert ((got - wanted).abs() <= 1.01 * step + 1e-3).all(), name
    model = Neural.load(done.model)  # checks the contract and the SHA-256
    assert model.model.takes_prior
    window, hole = np.random.default_rng(0).random((64, 80, 3), np.float32), np.zeros((64, 80), np.bool_)
    hole[20:40, 30:60] = True
    filled = model.fill(window, hole, usable=np.ones_like(hole)).pixels
    assert np.array_equal(filled[~hole], window[~hole])


def test_eight_bits_want_pictures(run, tmp_path, photos):
    from click.testing import CliRunner

    from remend.cli.export import export as command

    def failure(*arguments):
        return CliRunner().invoke(command, [str(run), "-o", str(tmp_path / "x.onnx"), *arguments]).exception

    (tmp_path / "empty").mkdir()
    for arguments, words in (
        (["--int8"], "add --calibrate FOLDER"),
        (["--calibrate", str(photos)], "is for --int8"),
        (["--int8", "--calibrate", str(tmp_path / "nowhere")], "is not there"),
        (["--int8", "--calibrate", str(tmp_path / "empty")], "holds no pictures of 176 px and more"),
        (["--int8", "--calibrate", str(photos), "--half"], "not in both"),
    ):
        said = failure(*arguments)
        assert isinstance(said, UsageError)
        assert words in str(said)
        assert "\n" not in str(said)
    assert not (tmp_path / "x.onnx").exists()


@pytest.mark.parametrize("half", [False, True])
def test_a_run_can_begin_from_an_exported_file(run, net, tmp_path, half):
    export(run, tmp_path / "net.onnx", half=half)
    fresh, said = build("remend", RECIPE.options), []
    start_from(fresh, str(tmp_path / "net.onnx"), said.append)
    assert "remend, 64 samples" in said[0]
    for name, tensor in fresh.state_dict().items():
        assert torch.allclose(tensor, net.state_dict()[name], atol=1e-3 if half else 0), name


def test_an_onnx_file_without_weights_is_one_clear_line(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="damaged or no ONNX file"):
        start_from(build("remend", RECIPE.options), str(tmp_path / "bad.onnx"), print)
    with pytest.raises(ModelError, match="cannot be read"):
        start_from(build("remend", RECIPE.options), str(tmp_path / "none.onnx"), print)


@pytest.mark.parametrize("card", ["{", "[1]", "3"])
def test_a_card_that_is_none_is_one_clear_line(run, tmp_path, card):
    export(run, tmp_path / "net.onnx")
    (tmp_path / "net.json").write_text(card)
    with pytest.raises(ModelError, match=r"model card net\.json cannot be read"):
        start_from(build("remend", RECIPE.options), str(tmp_path / "net.onnx"), print)


def test_a_card_that_says_nothing_or_nonsense_does_no_harm(run, tmp_path):
    export(run, tmp_path / "net.onnx")
    for card in ("{}", '{"samples_seen": "many", "architecture": 3}', None):
        (tmp_path / "net.json").write_text(card) if card else (tmp_path / "net.json").unlink()
        said = []
        start_from(build("remend", RECIPE.options), str(tmp_path / "net.onnx"), said.append)
        assert "0 samples" in said[0]


def test_an_exported_file_is_no_source_of_another(run, tmp_path):
    export(run, tmp_path / "net.onnx")
    with pytest.raises(ModelError, match="no safetensors file"):
        export(tmp_path / "net.onnx", tmp_path / "other.onnx")
