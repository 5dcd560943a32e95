"""What is packed of a run goes on: exported, begun from, or unpacked to a checkpoint."""

import dataclasses
import importlib.util
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

from remend.nets.weights import checkpoint  # noqa: E402
from remend.nets.weights.trained import read_weights  # noqa: E402
from remend.train.config import from_dict  # noqa: E402
from remend.train.request import Run  # noqa: E402
from remend.train.run import loop  # noqa: E402

SOURCE = Path(__file__).parents[2] / "tools" / "pack_state.py"


@pytest.fixture
def tool():
    spec = importlib.util.spec_from_file_location("pack_state", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_of(photos, out, samples, said):
    recipe = from_dict(
        {
            "net": "remend",
            "options": {"widths": [8, 16, 24], "dilations": [1]},
            "data": {"crop_px": 64, "validation_px": 64, "thin": 0.0, "large": 0.0},
            "loss": {"perceptual": 0.0},
            "critic": {"name": "patch", "options": {"width": 4, "layers": 2}},
            "train": {"samples": samples, "batch": 4, "warmup": 4, "log_every": 4, "optimizer": "muon"},
        }
    )
    return Run(recipe, (photos,), out, precision="32-true", accelerator="cpu", say=said.append)


def test_a_packed_run_goes_on(photos, tmp_path, tool):
    run, packed = tmp_path / "run", tmp_path / "packed"
    last = checkpoint.read(loop.train(run_of(photos, run, 8, [])).checkpoint)
    assert tool.pack(run, packed) == []
    files = {path.name for path in packed.iterdir()}
    assert files == {"averaged.safetensors", "log.csv", "validation.csv", "grid.png", "state-0.safetensors"}
    averaged, state = read_weights(packed / "averaged.safetensors")
    assert state["samples_seen"] == 8
    assert all(torch.allclose(averaged[n].float(), t, atol=1e-3) for n, t in last.tensors["ema"].items())
    again = checkpoint.read(tool.unpack(packed, tmp_path / "further"))
    for part in ("weights", "critic", "optimizer", "critic_optimizer"):
        assert again.tensors[part].keys() == last.tensors[part].keys()
    assert all(torch.equal(again.tensors["weights"][n], t) for n, t in last.tensors["weights"].items())
    said = []
    further = run_of(photos, tmp_path / "further", 16, said)
    assert loop.train(dataclasses.replace(further, resume=True)).samples_seen == 16
    assert any(line.startswith("going on from") for line in said)


def test_what_does_not_fit_is_named_and_the_rest_is_there(photos, tmp_path, tool, monkeypatch):
    loop.train(run_of(photos, tmp_path / "run", 8, []))
    monkeypatch.setattr(tool, "PIECE", 20_000)
    monkeypatch.setattr(tool, "FILES", 7)
    left_out = tool.pack(tmp_path / "run", tmp_path / "packed")
    assert left_out
    assert len(list((tmp_path / "packed").iterdir())) <= 7
    again = checkpoint.read(tool.unpack(tmp_path / "packed", tmp_path / "further"))
    assert again.tensors["weights"].keys() == again.tensors["ema"].keys()
