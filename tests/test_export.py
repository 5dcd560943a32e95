import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

from remend.errors import ModelError, UsageError  # noqa: E402
from remend.export import export, load_net, parity, to_onnx  # noqa: E402
from remend.fill.neural import Neural  # noqa: E402
from remend.nets.catalogue import build  # noqa: E402
from remend.train import checkpoint  # noqa: E402
from remend.train.config import as_dict, digest, from_dict  # noqa: E402

RECIPE = from_dict({"net": "remend", "options": {"widths": [8, 8, 16], "dilations": [1, 2]}})


def live(net):
    """Weights as after training: no branch is zero any more."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return net


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def run(tmp_path):
    torch.manual_seed(0)
    net = live(build("remend", RECIPE.options))
    state = {
        "net": "remend",
        "recipe": as_dict(RECIPE),
        "recipe_sha256": digest(RECIPE),
        "samples_seen": 64,
        "scores": {"psnr": 20.0},
        "data": {"photos": 11},
    }
    checkpoint.save(tmp_path / "run", 64, {"ema": net.state_dict()}, state)
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
    model = Neural.load(done.model)  # checks the contract and the SHA-256
    rng = np.random.default_rng(0)
    window = rng.random((75, 100, 3), np.float32)
    hole = np.zeros((75, 100), np.bool_)
    hole[20:50, 30:60] = True
    filled = model.fill(window, hole, usable=np.ones_like(hole)).pixels
    assert filled.shape == window.shape
    assert np.array_equal(filled[~hole], window[~hole])


def test_half_stored_weights_take_half_the_room(run, tmp_path):
    full = export(run, tmp_path / "full.onnx").model.stat().st_size
    half = export(run, tmp_path / "half.onnx", half=True).model.stat().st_size
    assert half < 0.8 * full  # the tiny net's graph outweighs its weights; of the real one it is 0.50


def test_parity_holds_on_sizes_and_batches_it_was_not_traced_with(run):
    net, _ = load_net(run)
    assert parity(net, to_onnx(net), [(3, 16, 16), (1, 32, 400), (1, 272, 80)]) <= 1e-4


def test_a_net_that_is_not_finite_is_not_exported(run, tmp_path):
    net, found = load_net(run)
    with torch.no_grad():
        next(net.parameters())[0] = float("nan")
    checkpoint.save(run, 128, {"ema": net.state_dict()}, {**found.state, "samples_seen": 128})
    with pytest.raises(ModelError, match="not exported"):
        export(run, tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()


def test_targets_and_sources_that_cannot_be_meant(run, tmp_path):
    with pytest.raises(UsageError, match=r"ends in .onnx"):
        export(run, tmp_path / "net.pt")
    (tmp_path / "net.onnx").write_bytes(b"mine")
    with pytest.raises(UsageError, match="--overwrite"):
        export(run, tmp_path / "net.onnx")
    with pytest.raises(ModelError, match="cannot be read"):
        export(tmp_path / "nowhere", tmp_path / "other.onnx")
