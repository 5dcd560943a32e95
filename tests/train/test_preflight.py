import importlib.util
import os
import subprocess
import sys
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

from remend.errors import UsageError  # noqa: E402
from remend.train.config import from_dict  # noqa: E402
from remend.train.request import Run  # noqa: E402
from remend.train.run import loop  # noqa: E402
from remend.train.run.preflight import preflight  # noqa: E402

TINY = {
    "net": "remend",
    "options": {"widths": [8, 8, 16], "dilations": [1]},
    "data": {"crop_px": 64, "validation_px": 64},
    "loss": {"perceptual": 0.0},
}
UNET = {"net": "unet"}
CRITIC = {"name": "patch", "options": {"width": 4}}

REFUSED = {
    "a net that nobody has": ({"net": "remand"}, "no net is called 'remand'"),
    "a critic's loss": ({"critic": CRITIC | {"loss": "hing"}}, "no adversarial loss is called 'hing'"),
    "a critic": ({"critic": {"name": "patches"}}, "no critic is called 'patches'"),
    "a critic's option": ({"critic": CRITIC | {"options": {"wide": 3}}}, "does not take these options"),
    "a critic's backbone": (
        {"loss": {"perceptual": 0.0, "backbone": "no/backbone.h5"}, "critic": {"name": "projected"}},
        r"loss.backbone=no/backbone.h5 is not there",
    ),
    "an optimiser": ({"train": {"optimizer": "lion"}}, r"train\.optimizer is adamw, .*, got 'lion'"),
    "an augmentation": ({"critic": CRITIC | {"augment": "colours"}}, "colours"),
    "a backbone": ({"loss": {"backbone": "no/backbone.h5"}}, r"loss.backbone=no/backbone.h5 is not there"),
    "weights": ({"transfer": {"weights": "no/best.safetensors"}}, "transfer.weights=no/best"),
    "masks": ({"data": TINY["data"] | {"masks": "no/masks"}}, "data.masks=no/masks is not there"),
    "one width": (UNET | {"options": {"widths": [8]}}, "unet needs two widths at least"),
    "no width": (UNET | {"options": {"widths": []}}, "unet needs two widths at least"),
    "a width below one": (UNET | {"options": {"widths": [8, 0]}}, "each a whole number from 1"),
    "a width that is none": (UNET | {"options": {"widths": "wide"}}, "each a whole number from 1"),
    "too few widths": ({"options": {"widths": [8, 8]}}, "does not take these options"),
    "widths too many for the crop": (
        UNET | {"options": {"widths": [8] * 8}},
        "data.crop_px must be a multiple of 128",
    ),
}


@pytest.fixture
def unread(monkeypatch):
    """Fails a test that comes to reading pictures."""
    monkeypatch.setattr(loop, "read_pictures", lambda *_, **__: pytest.fail("pictures were read"))


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_pictures_are_read_in_one_line(case, tmp_path, unread):
    sections, words = REFUSED[case]
    run = Run(from_dict(TINY | sections), (tmp_path,), tmp_path / "run", accelerator="cpu")
    with pytest.raises(UsageError, match=words) as caught:
        loop.train(run)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    assert not (tmp_path / "run").exists()


def test_options_that_fail_in_the_net_itself_are_named(tmp_path, monkeypatch):
    run = Run(from_dict(TINY), (tmp_path,), tmp_path / "run")
    preflight(run)
    from remend.nets.remend import RemendNet

    def forward(self, planes, hole):
        raise ValueError("zip() argument 2 is\nlonger than argument 1")

    monkeypatch.setattr(RemendNet, "forward", forward)
    with pytest.raises(UsageError, match=r"remend cannot compute crops of 64².*zip\(\) argument 2 is longer"):
        preflight(run)


def test_data_that_is_not_there_and_weights_that_timm_fetches(tmp_path):
    run = Run(from_dict(TINY | {"transfer": {"weights": "pretrained"}}), (tmp_path,), tmp_path / "run")
    preflight(run)
    with pytest.raises(UsageError, match=r"--data .* is not there"):
        preflight(replace(run, sources=(tmp_path / "no",)))


@pytest.mark.slow
def test_a_trace_is_written_without_a_word_on_stderr(tmp_path):
    code = f"""
import torch
from pathlib import Path
from remend.train.machine.profile import Profile
profile = Profile(Path({str(tmp_path / "trace.json")!r}), print)
for _ in range(9):
    torch.rand(3).sum()
    profile.step()
profile.close()
"""
    environment = {name: value for name, value in os.environ.items() if name != "KINETO_LOG_LEVEL"}
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert answer.stderr == ""
    assert "trace of 4 steps" in answer.stdout
