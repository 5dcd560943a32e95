import csv
import dataclasses
import os
import signal

import cv2
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("lightning", reason="Lightning is not installed")

from remend.errors import DivergedError, ModelError, UsageError  # noqa: E402
from remend.train import checkpoint, loop  # noqa: E402
from remend.train.config import from_dict  # noqa: E402
from remend.train.losses import Criterion  # noqa: E402
from remend.train.run import Run  # noqa: E402

TINY = {
    "net": "remend",
    "options": {"widths": [8, 8, 16], "dilations": [1, 2]},
    "data": {"crop_px": 64, "validation_px": 64, "thin": 0.0, "free_form": 0.5, "box": 0.5, "large": 0.0},
    "loss": {"perceptual": 0.0},
    "train": {
        "samples": 40,
        "batch": 4,
        "warmup": 8,
        "log_every": 8,
        "validate_every": 16,
        "ema_half_life": 20,
        "loaders": 1,
    },
}


def run_of(photos, out, said, **train):
    recipe = from_dict(TINY | {"train": TINY["train"] | train})
    return Run(recipe, (photos,), out, precision="32-true", accelerator="cpu", say=said.append)


def tensors(path):
    found = checkpoint.read(path)
    return {f"{part}/{name}": t for part, ts in found.tensors.items() for name, t in ts.items()}


def test_a_run_leaves_checkpoints_logs_and_grids(photos, tmp_path):
    said = []
    outcome = loop.train(run_of(photos, tmp_path / "run", said))
    assert outcome.samples_seen == 40
    assert outcome.stopped_by is None
    with (tmp_path / "run" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["samples"] for row in rows] == ["8", "16", "24", "32", "40"]
    assert {"hole", "ring", "valid", "total", "gradient", "lr", "img_s"} <= set(rows[0])
    with (tmp_path / "run" / "validation.csv").open() as file:
        measured = [row["samples"] for row in csv.DictReader(file)]
    assert measured == ["16", "32", "40"]
    grid = cv2.imread(str(tmp_path / "run" / "grids" / "000000040.png"))
    assert grid.shape[1] == 6 * 64
    assert checkpoint.best(tmp_path / "run") is not None
    state = checkpoint.read(outcome.checkpoint).state
    assert state["data"] == {"photos": 11}
    assert any("to learn from, 1 set aside" in line for line in said)


def test_stop_and_resume_is_bit_for_bit_the_run_that_never_stopped(photos, tmp_path):
    whole = loop.train(run_of(photos, tmp_path / "whole", []))
    said = []
    half = run_of(photos, tmp_path / "half", said)

    def say(line):
        said.append(line)
        if line.startswith("24 of"):
            os.kill(os.getpid(), signal.SIGTERM)

    stopped = loop.train(dataclasses.replace(half, say=say))
    assert stopped.stopped_by is signal.SIGTERM
    assert stopped.samples_seen == 24
    resumed = loop.train(dataclasses.replace(half, resume=True))
    assert any(line.startswith("going on from") for line in said)
    first, second = tensors(whole.checkpoint), tensors(resumed.checkpoint)
    assert first.keys() == second.keys()
    differing = [name for name in first if not torch.equal(first[name], second[name])]
    assert differing == []


def test_what_was_learned_after_a_damaged_checkpoint_is_learned_again(photos, tmp_path):
    run = run_of(photos, tmp_path / "run", said := [])
    outcome = loop.train(run)
    wanted = tensors(outcome.checkpoint)
    (outcome.checkpoint / "ema.safetensors").write_bytes(b"")
    again = loop.train(dataclasses.replace(run, resume=True))
    assert any("falling back" in line for line in said)
    got = tensors(again.checkpoint)
    assert all(torch.equal(wanted[name], got[name]) for name in wanted)
    with (tmp_path / "run" / "log.csv").open() as file:
        assert [row["samples"] for row in csv.DictReader(file)] == ["8", "16", "24", "32", "40"]


def poisoned(monkeypatch, bad):
    """Batches whose first sample is in ``bad`` bring a target that is not finite."""
    honest = loop.batches

    def batches(*args, **kwargs):
        for batch in honest(*args, **kwargs):
            if batch.first in bad:
                batch.target[0, 0, 0, 0] = float("nan")
            yield batch

    monkeypatch.setattr(loop, "batches", batches)


def test_a_batch_that_is_not_finite_is_passed_over_from_the_last_good_state(photos, tmp_path, monkeypatch):
    poisoned(monkeypatch, {20})
    said = []
    outcome = loop.train(run_of(photos, tmp_path / "run", said))
    assert outcome.samples_seen == 40
    state = checkpoint.read(outcome.checkpoint).state
    # Back from 20 to the checkpoint at 16, then on with sample 24: four learned samples and the bad batch.
    assert state["position"] == 48
    assert sum("not finite at sample 20" in line for line in said) == 1
    assert all(torch.isfinite(t).all() for t in tensors(outcome.checkpoint).values())


def test_numbers_that_stay_bad_end_the_run_with_their_own_exit_code(photos, tmp_path, monkeypatch):
    poisoned(monkeypatch, {20, 24, 28, 32})
    with pytest.raises(DivergedError, match="4 times since the last checkpoint") as caught:
        loop.train(run_of(photos, tmp_path / "run", []))
    assert caught.value.exit_code == 5


def test_a_run_is_not_overwritten_and_another_net_not_mixed_in(photos, tmp_path):
    run = run_of(photos, tmp_path / "run", [], samples=8)
    loop.train(run)
    with pytest.raises(UsageError, match="--resume auto"):
        loop.train(run)
    options = run.recipe.options | {"dilations": (1,)}
    other = dataclasses.replace(run, resume=True, recipe=dataclasses.replace(run.recipe, options=options))
    with pytest.raises(ModelError, match="another net or width"):
        loop.train(other)


@pytest.mark.slow
def test_a_tiny_net_learns_one_batch_by_heart():
    from remend.nets.catalogue import build
    from remend.nets.push_pull import push_pull
    from remend.train.config import Loss

    torch.manual_seed(0)
    net = build("remend", {"widths": (16, 16, 32), "dilations": (1, 2)})
    image = torch.nn.functional.interpolate(torch.rand(4, 3, 6, 6), size=(64, 64), mode="bicubic").clamp(0, 1)
    hole = torch.zeros(4, 1, 64, 64)
    hole[:, :, 16:40, 20:52] = 1
    criterion = Criterion(Loss(perceptual=0.0))
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3)
    base = torch.where(hole > 0.5, push_pull(image * (1 - hole), hole), image)
    start = float((base - image).abs().sum() / (3 * hole.sum()))
    for _ in range(120):
        filled, raw = net(image, hole)
        loss = criterion(filled, raw, image, hole)["total"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    filled = net(image, hole)[0].detach()
    assert float((filled - image).abs().sum() / (3 * hole.sum())) < 0.2 * start
