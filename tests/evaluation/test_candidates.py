"""What may be measured: labels, and checkpoints through an exported file."""

import sys
import types
from pathlib import Path

import pytest

from remend.errors import UsageError
from remend.evaluation.candidates import as_methods, is_checkpoint, label_of


def test_runs_are_called_by_their_names(tmp_path: Path):
    run = tmp_path / "mine"
    step = run / "checkpoints" / "000064000"
    step.mkdir(parents=True)
    assert label_of(str(run)) == label_of(f"{run}/") == "mine"
    assert label_of(str(run / "best.safetensors")) == "mine"
    assert label_of(str(step)) == label_of(str(step / "ema.safetensors")) == "mine@000064000"
    assert not is_checkpoint(str(tmp_path / "missing"))


def test_checkpoints_are_exported_for_as_long_as_needed(tmp_path: Path, monkeypatch):
    def export(source: Path, target: Path):
        target.write_text(source.name)
        return types.SimpleNamespace(model=target)

    monkeypatch.setitem(sys.modules, "remend.export", types.SimpleNamespace(export=export))
    (tmp_path / "mine").mkdir()
    with as_methods({"telea": "telea", "mine": str(tmp_path / "mine")}) as methods:
        assert methods["telea"] == "telea"
        file = Path(methods["mine"])
        assert file.suffix == ".onnx"
        assert file.read_text() == "mine"
    assert not file.exists()


def test_without_torch_it_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "remend.export", None)
    with (
        pytest.raises(UsageError, match=r"pip install 'remend\[train\]'"),
        as_methods({"x": "x/b.safetensors"}),
    ):
        pass
