import csv
import dataclasses
import importlib.util
import json
import os
import shutil
import signal
import sys
import time

import cv2
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

from remend.errors import DivergedError, ModelError, UsageError, WriteError  # noqa: E402
from remend.nets.weights import checkpoint  # noqa: E402
from remend.nets.weights.portable import load_portable  # noqa: E402
from remend.train.config import from_dict  # noqa: E402
from remend.train.loss.reconstruction import Criterion  # noqa: E402
from remend.train.request import Run  # noqa: E402
from remend.train.run import loop  # noqa: E402

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


GAME = {
    "critic": {
        "name": "patch",
        "options": {"width": 4, "layers": 2},
        "from_samples": 8,
        "feature_matching": 1.0,
        "r1": 1.0,
        "r1_every": 2,
        "steps": 2,
        "augment": "colour, translation, cutout",
        "balance": 0.5,
    }
}


PROJECTED = {
    "loss": TINY["loss"] | {"backbone": __file__},
    "critic": GAME["critic"] | {"name": "projected", "options": {"width": 4, "pixels": 4, "maps": [0, -1]}},
}


@pytest.fixture
def backbone(monkeypatch):
    """A backbone of made weights, the same each time, where a file of learned ones is read."""
    from remend.nets.squeezenet import SqueezeNet

    def made(name, weights):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return SqueezeNet().eval().requires_grad_(False)

    monkeypatch.setattr("remend.train.adversarial.step.load_backbone", made)


def run_of(photos, out, said, sections=None, **train):
    recipe = from_dict(TINY | (sections or {}) | {"train": TINY["train"] | train})
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
    best = checkpoint.read(checkpoint.best(tmp_path / "run"))
    weights, known = load_portable(tmp_path / "run" / "best.safetensors")
    assert known["samples_seen"] == best.state["samples_seen"]
    assert all(torch.equal(weights[name], tensor) for name, tensor in best.tensors["ema"].items())
    assert list((tmp_path / "run" / "tensorboard").glob("events*"))
    state = checkpoint.read(outcome.checkpoint).state
    assert state["data"] == {"photos": 11}
    assert any("to learn from, 1 set aside" in line for line in said)


@pytest.mark.parametrize(
    ("sections", "train"),
    [
        ({}, {}),
        (GAME, {}),
        (PROJECTED, {}),
        ({}, {"optimizer": "muon"}),
        ({"data": TINY["data"] | {"damage": "noise:5-50,jpeg:20-90,blur:0-2"}}, {}),
        ({}, {"optimizer": "sgd", "accumulate": 2, "schedule": "plateau", "patience": 1}),
        (GAME, {"optimizer": "rmsprop", "accumulate": 2, "schedule": "step", "step_every": 8}),
        ({}, {"optimizer": "adam", "l1": 1e-4}),
    ],
    ids=[
        "alone",
        "against a critic",
        "against a critic with a backbone",
        "by Muon",
        "worn",
        "by SGD",
        "by RMSprop",
        "by Adam",
    ],
)
@pytest.mark.usefixtures("backbone")
def test_stop_and_resume_is_bit_for_bit_the_run_that_never_stopped(photos, tmp_path, sections, train):
    whole = loop.train(run_of(photos, tmp_path / "whole", [], sections, **train))
    said = []
    half = run_of(photos, tmp_path / "half", said, sections, **train)

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


@pytest.mark.parametrize(("then", "now"), [("adamw", "muon"), ("muon", "adamw")])
def test_a_run_may_go_on_by_another_optimiser(photos, tmp_path, then, now):
    loop.train(run_of(photos, tmp_path / "run", [], optimizer=then, samples=16))
    said = []
    run = run_of(photos, tmp_path / "run", said, optimizer=now)
    outcome = loop.train(dataclasses.replace(run, resume=True))
    assert outcome.samples_seen == 40
    assert f"note: the optimiser is fresh: {now}, the checkpoint's is {then}" in said
    kept = {name.rsplit("/", 1)[1] for name in tensors(outcome.checkpoint) if name.startswith("optimizer/")}
    assert ("momentum" in kept) == (now == "muon")


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


def test_numbers_read_late_stop_a_run_before_anything_is_written(photos, tmp_path, monkeypatch):
    """As on CUDA, where the loop looks at ten steps at once."""
    monkeypatch.setattr(loop, "_EVERY_ON", {"cpu": 3})
    whole = tensors(loop.train(run_of(photos, tmp_path / "whole", [])).checkpoint)
    poisoned(monkeypatch, {4})
    said = []
    late = loop.train(run_of(photos, tmp_path / "late", said, validate_every=40, log_every=40))
    assert sum("not finite at sample 4" in line for line in said) == 1
    assert late.samples_seen == 40
    assert all(torch.isfinite(t).all() for t in tensors(late.checkpoint).values())
    monkeypatch.undo()
    plain = tensors(loop.train(run_of(photos, tmp_path / "plain", [])).checkpoint)
    assert all(torch.equal(whole[name], plain[name]) for name in plain)


def test_the_guard_covers_the_critic(photos, tmp_path, monkeypatch):
    """A critic's step that is not finite leaves nothing behind, neither in the critic nor in the net."""
    from remend.train.adversarial import step as game

    honest, calls = game.critic_loss, []

    def critic_loss(*args, **kwargs):
        calls.append(1)
        loss = honest(*args, **kwargs)
        return loss * float("nan") if len(calls) == 6 else loss

    monkeypatch.setattr(game, "critic_loss", critic_loss)
    sections = {"critic": GAME["critic"] | {"steps": 1, "augment": ""}}
    said = []
    outcome = loop.train(run_of(photos, tmp_path / "run", said, sections))
    assert sum("losses are not finite" in line for line in said) == 1
    found = tensors(outcome.checkpoint)
    assert any(name.startswith("critic/") for name in found)
    assert all(torch.isfinite(t).all() for t in found.values() if t.is_floating_point())


def test_the_log_tells_of_the_game_from_its_beginning(photos, tmp_path):
    said = []
    loop.train(run_of(photos, tmp_path / "run", said, GAME))
    with (tmp_path / "run" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    game = {"adversarial", "feature_matching", "balance", "critic", "critic_gradient", "r1", "critic_right"}
    assert game <= rows[0].keys()
    assert rows[0]["critic"] == ""  # begins at sample 8
    assert all(row["critic"] for row in rows[1:])
    assert {float(row["balance"]) for row in rows[1:]} == {0.5}
    assert any("patch critic (hinge) from 8" in line for line in said)


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
    with pytest.raises(ModelError, match=r"another net or width .*body\..* …\): give that run"):
        loop.train(other)


def test_a_run_goes_on_from_a_checkpoint_elsewhere(photos, tmp_path):
    first = loop.train(run_of(photos, tmp_path / "first", [], samples=16))
    whole = loop.train(run_of(photos, tmp_path / "whole", []))
    run = dataclasses.replace(run_of(photos, tmp_path / "fork", []), resume=first.checkpoint)
    fork = loop.train(run)
    # The first run's schedule ended at 16: weights differ from the whole run's, the way there does not.
    assert fork.samples_seen == whole.samples_seen == 40
    assert checkpoint.listing(tmp_path / "first")[-1] == first.checkpoint
    with pytest.raises(UsageError, match=r"holds 000000040, which is newer"):
        loop.train(run)
    with pytest.raises(UsageError, match="nowhere is no folder"):
        loop.train(dataclasses.replace(run, resume=tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"empty cannot be read \(state\.json: No such file") as caught:
        loop.train(dataclasses.replace(run, resume=tmp_path / "empty"))
    assert "Errno" not in str(caught.value)


def test_a_run_shorter_than_a_line_of_the_log_has_one_all_the_same(photos, tmp_path):
    loop.train(run_of(photos, tmp_path / "run", [], samples=12, log_every=8))
    loop.train(run_of(photos, tmp_path / "short", [], samples=4, log_every=8))
    for name, wanted in (("run", ["8", "12"]), ("short", ["4"])):
        with (tmp_path / name / "log.csv").open() as file:
            assert [row["samples"] for row in csv.DictReader(file)] == wanted


def test_a_recipe_that_would_learn_nothing_is_refused_before_anything_is_written(photos, tmp_path):
    run = run_of(photos, tmp_path / "run", [], {"loss": {"hole": 0.0, "ring": 0.0, "perceptual": 0.0}})
    with pytest.raises(UsageError, match="nothing would be learned"):
        loop.train(run)
    assert not (tmp_path / "run").exists()


def test_a_critic_may_join_a_run_and_leave_it(photos, tmp_path):
    loop.train(run_of(photos, tmp_path / "run", [], samples=16))
    said = []
    joined = run_of(photos, tmp_path / "run", said, GAME, samples=32)
    loop.train(dataclasses.replace(joined, resume=True))
    assert "note: the critic is fresh" in said
    left = run_of(photos, tmp_path / "run", said, samples=40)
    outcome = loop.train(dataclasses.replace(left, resume=True))
    assert "note: the checkpoint's critic is left out" in said
    assert not any(name.startswith("critic") for name in tensors(outcome.checkpoint))


def test_a_checkpoint_of_an_older_build_goes_on(photos, tmp_path):
    """Without what came later: critic and transfer in its recipe, the alarm, when scores were measured."""
    run = run_of(photos, tmp_path / "run", said := [])
    outcome = loop.train(run)
    wanted = tensors(outcome.checkpoint)
    shutil.rmtree(outcome.checkpoint)
    file = tmp_path / "run" / "checkpoints" / "000000032" / "state.json"
    state = json.loads(file.read_text())
    del state["measured"], state["alarm"], state["recipe"]["critic"], state["recipe"]["transfer"]
    file.write_text(json.dumps(state))
    again = loop.train(dataclasses.replace(run, resume=True))
    assert not any("recipe differs" in line for line in said)
    got = tensors(again.checkpoint)
    assert all(torch.equal(wanted[name], got[name]) for name in wanted)


def test_another_critic_is_one_clear_line(photos, tmp_path):
    loop.train(run_of(photos, tmp_path / "run", [], GAME, samples=8))
    wider = {"critic": GAME["critic"] | {"options": {"width": 8, "layers": 2}}}
    run = dataclasses.replace(run_of(photos, tmp_path / "run", [], wider), resume=True)
    with pytest.raises(ModelError, match="of another critic or width") as caught:
        loop.train(run)
    assert "\n" not in str(caught.value)


def test_a_full_disk_ends_the_run_and_leaves_what_was_saved(photos, tmp_path, monkeypatch):
    honest, saves = checkpoint.save_file, []

    def save_file(*args):
        saves.append(1)
        if len(saves) > 6:  # into the second checkpoint
            raise OSError(28, "No space left on device")
        honest(*args)

    monkeypatch.setattr(checkpoint, "save_file", save_file)
    run = run_of(photos, tmp_path / "run", [])
    with pytest.raises(WriteError, match="No space left on device") as caught:
        loop.train(run)
    assert caught.value.exit_code == 4
    monkeypatch.undo()
    assert [p.name for p in (tmp_path / "run" / "checkpoints").iterdir()] == ["000000000"]
    assert loop.train(dataclasses.replace(run, resume=True)).samples_seen == 40


def test_a_trace_has_the_spans_of_a_step(photos, tmp_path):
    said = []
    run = run_of(photos, tmp_path / "run", said, GAME | {"critic": GAME["critic"] | {"from_samples": 0}})
    loop.train(dataclasses.replace(run, profile=True))
    content = json.loads((tmp_path / "run" / "trace.json").read_text())
    names = {event.get("name") for event in content["traceEvents"]}
    assert {"data", "forward", "losses", "backward", "critic", "optimizer", "ema"} <= names
    assert any("trace.json" in line for line in said)


def test_without_tensorboard_there_is_one_line_and_no_board(photos, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    said = []
    loop.train(run_of(photos, tmp_path / "run", said, samples=8))
    assert sum("no TensorBoard here" in line for line in said) == 1
    assert not (tmp_path / "run" / "tensorboard").exists()


def test_what_cannot_be_had_is_one_clear_line(photos, tmp_path):
    run = run_of(photos, tmp_path / "run", [])
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match=r"--accelerator cuda .* cannot be had"):
            loop.train(dataclasses.replace(run, accelerator="cuda"))
    with pytest.raises(UsageError, match=r"no adversarial loss|no critic"):
        loop.train(run_of(photos, tmp_path / "run", [], {"critic": {"name": "patches"}}))
    with pytest.raises(UsageError, match=r"train\.optimizer is adamw, .*, got 'lion'"):
        loop.train(run_of(photos, tmp_path / "run", [], optimizer="lion"))
    with pytest.raises(UsageError, match=r"data.crop_px must be a multiple of 16"):
        loop.train(run_of(photos, tmp_path / "run", [], {"data": TINY["data"] | {"crop_px": 60}}))
    with pytest.raises(UsageError, match="no adversarial loss is called 'hing'"):
        loop.train(run_of(photos, tmp_path / "run", [], {"critic": GAME["critic"] | {"loss": "hing"}}))
    assert not (tmp_path / "run").exists()


def test_a_rehearsal_leaves_no_trace(photos, tmp_path):
    from remend.train.machine.devices import start
    from remend.train.run.announce import rehearse
    from remend.train.run.state import tensors_of
    from remend.train.run.step import Learner

    run = run_of(photos, tmp_path / "run", [], GAME)
    learner = Learner(run.recipe, start(run))
    before = {(p, n): t.clone() for p, ts in tensors_of(learner).items() for n, t in ts.items()}
    estimate = rehearse(learner)
    after = {(p, n): t for p, ts in tensors_of(learner).items() for n, t in ts.items()}
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert estimate.crops_s > 0


@pytest.mark.slow
def test_a_tiny_net_overfits_one_batch():
    from remend.nets.push_pull import push_pull
    from remend.nets.registry import build
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


def test_a_run_of_so_many_minutes_ends_by_the_clock_and_its_rate_falls_till_then(photos, tmp_path):
    said = []
    begun = time.monotonic()
    run = run_of(photos, tmp_path / "run", said, {}, minutes=0.12, hold=0.2, log_every=4)
    seen = loop.train(run).samples_seen
    assert 0.12 * 60 <= time.monotonic() - begun < 60
    assert seen > TINY["train"]["samples"]  # it does not stop where the samples would
    rows = list(csv.DictReader((tmp_path / "run" / "log.csv").read_text().splitlines()))
    assert float(rows[-1]["lr"]) < 0.2 * max(float(row["lr"]) for row in rows)
