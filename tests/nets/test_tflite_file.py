"""A net as a file of TensorFlow Lite: the same answers, fixed size, channels last."""

import importlib.util
import json

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from click.testing import CliRunner  # noqa: E402

from remend.cli.export import export as export_command  # noqa: E402
from remend.errors import ModelError, UsageError  # noqa: E402
from remend.nets import tflite_file  # noqa: E402
from remend.nets.registry import build  # noqa: E402
from remend.nets.tflite_file import parity_db, to_tflite  # noqa: E402
from tiny_nets import TINY  # noqa: E402

needs_converter = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("litert_torch", "ai_edge_litert")),
    reason="the extra is not installed: pip install '.[tensorflow]'",
)


def net(name, **options):
    torch.manual_seed(0)
    return build(name, TINY[name] | options).eval()


@pytest.mark.parametrize("side", [0, 60])
def test_a_size_that_the_net_does_not_take_is_refused(side):
    with pytest.raises(UsageError, match="--side is a multiple of 16"):
        to_tflite(net("unet"), side)


def test_a_net_that_is_told_noise_is_refused():
    with pytest.raises(UsageError, match=r"export it as \.onnx"):
        to_tflite(net("comod_gan"), 64)


def test_without_the_converter_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "litert_torch", None)
    with pytest.raises(UsageError, match=r"pip install 'remend\[tensorflow\]'"):
        to_tflite(net("gan-cifar"), 64)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--side", "64"], "--side is for --format tflite"),
        (["--format", "tflite", "--half"], "--half is for .onnx files"),
        (["--format", "tflite", "--int8"], "--int8 is for .onnx files"),
    ],
)
def test_flags_that_do_not_go_together(flags, said, tmp_path):
    answer = CliRunner().invoke(export_command, [str(tmp_path), "-o", str(tmp_path / "x.tflite"), *flags])
    assert isinstance(answer.exception, UsageError)
    assert said in str(answer.exception)


@needs_converter
@pytest.mark.parametrize(("name", "options"), [("unet", {}), ("gan-cifar", {"sees_hole": True})])
def test_the_file_answers_what_torch_does(name, options):
    made = net(name, **options)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    content = to_tflite(made, 64)
    assert parity_db(made, content, 64) >= 60
    with torch.no_grad():  # what the file no longer answers is noticed
        next(made.parameters()).mul_(-1)
    assert parity_db(made, content, 64) < 60


@needs_converter
def test_the_command_writes_file_and_card(photos, tmp_path, monkeypatch):
    if importlib.util.find_spec("lightning") is None:  # imported by itself it may trip over torchvision
        pytest.skip("Lightning is not installed")
    from remend.train.config import load, override
    from remend.train.request import Run
    from remend.train.run import loop

    settings = ["options.widths=[8, 16, 8]", "critic.name=", "train.samples=8", "train.batch=4"]
    recipe = override(load("gan-cifar"), [*settings, "train.loaders=1"])
    loop.train(Run(recipe, (photos,), tmp_path / "run", False, 1, "32-true", "cpu", say=lambda line: None))
    target = tmp_path / "net.tflite"
    command = [str(tmp_path / "run"), "-o", str(target), "--format", "tflite", "--side", "64"]
    answer = CliRunner().invoke(export_command, command, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    card = json.loads(target.with_suffix(".json").read_text())
    assert card["parity_db"] is None or card["parity_db"] >= 45
    assert card["inputs"]["image"].startswith("1,64,64,3 float32")
    monkeypatch.setattr("remend.export.parity_db", lambda *_: 44.9)
    with pytest.raises(ModelError, match=r"44\.9 dB from torch"):
        CliRunner().invoke(export_command, [*command, "--overwrite"], catch_exceptions=False)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(8):
        picture = cv2.resize(rng.integers(0, 256, (5, 6, 3), np.uint8), (96, 80))
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


def test_parity_without_the_runner_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(UsageError, match=r"remend\[tensorflow\]"):
        tflite_file.parity_db(net("unet"), b"", 64)
