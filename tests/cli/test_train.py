import importlib.util
import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from remend.cli.export import export
from remend.cli.nets import nets
from remend.cli.train import train
from remend.errors import ModelError, UsageError


def failure(command, *arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments]).exception


def test_what_cannot_be_meant_is_one_clear_line(tmp_path):
    said = failure(train, "remand", "--data", tmp_path)
    assert isinstance(said, UsageError)
    assert "choose one of" in str(said)
    said = failure(train, "remend", "--data", tmp_path, "--set", "train.bacth=3")
    assert "no 'bacth'" in str(said)


def test_the_nets_are_listed_with_or_without_pytorch():
    result = CliRunner().invoke(nets, ["--json"])
    assert result.exit_code == 0
    listed = json.loads(result.stdout)
    assert listed[0]["name"] == "remend"


@pytest.mark.slow
def test_train_export_and_fill(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    if importlib.util.find_spec("lightning") is None:
        pytest.skip("Lightning is not installed")
    torch.set_num_threads(1)
    from remend.fill.neural import Neural

    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(12):
        knots = rng.integers(0, 256, (5, 6, 3), np.uint8)
        cv2.imwrite(str(folder / f"{index}.png"), cv2.resize(knots, (96, 80), interpolation=cv2.INTER_CUBIC))
    settings = ["loss.perceptual=0", "data.crop_px=64", "data.validation_px=64", "train.batch=2"]
    settings += ["options.widths=[8,8,16]", "options.dilations=[1]"]
    arguments = ["remend", "--data", str(folder), "--out", str(tmp_path / "run"), "--fast-dev-run"]
    result = CliRunner().invoke(train, arguments + [x for s in settings for x in ("--set", s)])
    assert result.exit_code == 0, result.output
    result = CliRunner().invoke(export, [str(tmp_path / "run"), "-o", str(tmp_path / "net.onnx")])
    assert result.exit_code == 0, result.output
    assert Neural.load(tmp_path / "net.onnx").model.card.size_multiple == 16


def test_a_run_that_is_not_there(tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    assert isinstance(failure(export, tmp_path / "no", "-o", tmp_path / "x.onnx"), ModelError)
