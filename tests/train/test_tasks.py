"""Several tasks at once: what they lose, how they are weighed, saved and measured, and what stays."""

import csv
import dataclasses
import importlib.util
import os
import signal

import cv2
import numpy as np
import pytest

from made_coco import write_coco

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

from remend.errors import ModelError, UsageError  # noqa: E402
from remend.nets.registry import build  # noqa: E402
from remend.nets.taps import feature_hooks  # noqa: E402
from remend.nets.weights import checkpoint  # noqa: E402
from remend.nets.weights.portable import load_portable, save_portable  # noqa: E402
from remend.train.config import from_dict  # noqa: E402
from remend.train.data.heatmap import drawn  # noqa: E402
from remend.train.data.labels import UNKNOWN, Label, read_labels  # noqa: E402
from remend.train.data.loader import collate  # noqa: E402
from remend.train.data.pictures import read_pictures  # noqa: E402
from remend.train.data.samples import Sampler  # noqa: E402
from remend.train.data.targets import Truth  # noqa: E402
from remend.train.machine.devices import start  # noqa: E402
from remend.train.request import Run  # noqa: E402
from remend.train.run import loop  # noqa: E402
from remend.train.run.step import Learner  # noqa: E402
from remend.train.tasks.losses import task_losses, weighed  # noqa: E402
from remend.train.tasks.scores import accuracy, average_precision, mean_iou  # noqa: E402
from tiny_nets import TINY as NETS  # noqa: E402

SCORES = ("accuracy", "miou", "ap50")
NONE = {"classification": 0.0, "segmentation": 0.0, "detection": 0.0}
TASKS = {"classification": 1.0, "segmentation": 0.5, "detection": 0.1, "width": 8}
TINY = {
    "net": "remend",
    "options": {"widths": [8, 8, 16], "dilations": [1, 2]},
    "data": {"crop_px": 64, "validation_px": 64, "validation": 2, "thin": 0.0, "large": 0.0},
    "loss": {"perceptual": 0.0},
    "tasks": TASKS,
    "train": {
        "samples": 24,
        "batch": 4,
        "warmup": 4,
        "log_every": 4,
        "validate_every": 12,
        "ema_half_life": 20,
        "loaders": 1,
    },
}


@pytest.fixture
def coco(tmp_path):
    """Twenty made pictures, four of them without annotations."""
    return write_coco(tmp_path / "coco", 20, unlabelled=4)


def run_of(source, out, said, **sections):
    merged = {name: TINY.get(name, {}) | section for name, section in sections.items()}
    recipe = from_dict(TINY | merged)
    return Run(recipe, (source,), out, precision="32-true", accelerator="cpu", say=said.append)


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def learner_of(source, tmp_path, **sections):
    torch.manual_seed(0)
    run = run_of(source, tmp_path / "run", [], **sections)
    return Learner(run.recipe, start(run), read_labels(run.sources, run.recipe.tasks))


def batch_of(source, learner, indices):
    pictures = read_pictures([source], least_px=64)
    labels = read_labels([source], learner.recipe.tasks)
    sampler = Sampler.of(pictures, learner.recipe.data, 0, labels)
    return collate([sampler(index) for index in indices])


@pytest.mark.parametrize("net", ["remend", "unet", "transfer_unet"])
def test_features_are_heard_and_change_nothing(net):
    torch.manual_seed(0)
    made = build(net, NETS[net]).eval()
    image, hole = torch.rand(2, 3, 64, 64), torch.zeros(2, 1, 64, 64)
    with torch.no_grad():
        alone = made(image, hole)[0]
        with feature_hooks(made) as features:
            heard = made(image, hole)[0]
    assert torch.equal(alone, heard)
    assert min(features) == 4
    assert all(tuple(f.shape[2:]) == (64 // scale, 64 // scale) for scale, f in features.items())
    assert not any(module._forward_hooks for module in made.modules())


def test_a_run_logs_each_task_its_weight_and_its_score(coco, tmp_path):
    said = []
    loop.train(run_of(coco, tmp_path / "run", said))
    rows = rows_of(tmp_path / "run" / "log.csv")
    columns = {"classification", "segmentation", "detection", "weight_restoration"}
    assert columns <= rows[0].keys()
    assert float(rows[0]["weight_detection"]) == pytest.approx(0.1, rel=0.1)
    assert float(rows[-1]["weight_restoration"]) > float(rows[0]["weight_restoration"])
    scores = rows_of(tmp_path / "run" / "validation.csv")
    assert {"psnr", *SCORES} <= scores[0].keys()
    assert any("with a label, 2 classes, 2 things (blue, red)" in line for line in said)


@pytest.mark.parametrize("weigh", ["uncertainty", "fixed"])
def test_stop_and_resume_is_bit_for_bit_the_run_that_never_stopped(coco, tmp_path, weigh):
    sections = {"tasks": {"weigh": weigh}}
    whole = loop.train(run_of(coco, tmp_path / "whole", [], **sections))
    half = run_of(coco, tmp_path / "half", [], **sections)

    def say(line):
        if line.startswith("12 of"):
            os.kill(os.getpid(), signal.SIGTERM)

    assert loop.train(dataclasses.replace(half, say=say)).samples_seen == 12
    resumed = loop.train(dataclasses.replace(half, resume=True))
    one, other = checkpoint.read(whole.checkpoint), checkpoint.read(resumed.checkpoint)
    assert one.tensors.keys() == other.tensors.keys() >= {"heads", "heads_ema", "heads_optimizer"}
    assert ("log_variances" in one.tensors["heads"]) == (weigh == "uncertainty")
    for part, tensors in one.tensors.items():
        assert [n for n, t in tensors.items() if not torch.equal(t, other.tensors[part][n])] == []
    assert all(one.state["scores"][name] == other.state["scores"][name] for name in SCORES)


def test_tasks_may_join_a_run_and_leave_it_and_other_classes_are_refused(coco, tmp_path):
    none = {"tasks": NONE}
    out, said = tmp_path / "run", []
    loop.train(run_of(coco, out, said, **none, train={"samples": 8}))
    joined = run_of(coco, out, said, train={"samples": 16})
    loop.train(dataclasses.replace(joined, resume=True))
    assert "note: the tasks are fresh" in said
    (coco / "annotations" / "instances_train2017.json").write_text(
        (coco / "annotations" / "instances_train2017.json").read_text().replace('"red"', '"rose"')
    )
    with pytest.raises(ModelError, match="tells other classes apart than the data name now"):
        loop.train(dataclasses.replace(joined, resume=True))
    left = run_of(coco, out, said, **none)
    loop.train(dataclasses.replace(left, resume=True))
    assert "note: the checkpoint's tasks are left out" in said


def test_what_is_exported_knows_nothing_of_tasks(coco, tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed")
    from remend.export import export

    loop.train(run_of(coco, tmp_path / "run", [], train={"samples": 8}))
    weights, state = load_portable(tmp_path / "run" / "best.safetensors")
    assert weights.keys() == build("remend", TINY["options"]).state_dict().keys()
    assert state["tasks"] == {"classes": ["blue", "red"], "things": ["blue", "red"]}
    # The same weights in a file that has never heard of tasks.
    del state["tasks"], state["recipe"]["tasks"]
    save_portable(tmp_path / "plain.safetensors", weights, state)
    export(tmp_path / "run" / "best.safetensors", tmp_path / "several.onnx")
    export(tmp_path / "plain.safetensors", tmp_path / "alone.onnx")
    assert (tmp_path / "several.onnx").read_bytes() == (tmp_path / "alone.onnx").read_bytes()


def test_the_net_begins_as_it_would_alone(coco, tmp_path):
    with_tasks = learner_of(coco, tmp_path)
    torch.manual_seed(0)
    run = run_of(coco, tmp_path / "run", [], tasks=NONE)
    alone = Learner(run.recipe, start(run))
    own, other = with_tasks.net.state_dict(), alone.net.state_dict()
    assert all(torch.equal(own[name], other[name]) for name in own)
    assert sum(len(group["params"]) for group in with_tasks.optimizer.param_groups) == len(
        [*with_tasks.net.parameters(), *with_tasks.heads.parameters()]
    )


def test_muon_learns_the_heads_as_adamw_would(coco, tmp_path):
    learner = learner_of(coco, tmp_path, train={"optimizer": "muon"})
    of_heads = {id(p) for p in learner.heads.parameters()}
    for group in learner.optimizer.param_groups:
        if any(id(p) in of_heads for p in group["params"]):
            assert group["adam"]
    values = learner.step(batch_of(coco, learner, range(4)), 0)
    assert all(torch.isfinite(value).all() for value in values.values())


def test_samples_without_a_label_take_no_part(coco, tmp_path):
    learner = learner_of(coco, tmp_path)
    batch = batch_of(coco, learner, range(8))
    truth = batch.truth
    said = [bool(row.any()) for row in truth.tensors["classes"]]
    assert 0 < sum(said) < 8
    assert truth.counts == dict.fromkeys(("classification", "segmentation", "detection"), sum(said))
    chosen = torch.tensor(said)
    with torch.no_grad():
        _, answers = learner.wrapped(batch.image, batch.hole)
    answers.pop("log_variances")
    counts = {task: float(count) for task, count in truth.counts.items()}
    together = task_losses(answers, truth, counts)
    alone = task_losses(
        {name: answer[chosen] for name, answer in answers.items()},
        Truth({name: tensor[chosen] for name, tensor in truth.tensors.items()}, truth.counts),
        counts,
    )
    for task, loss in together.items():
        assert float(loss) > 0
        assert float(loss) == pytest.approx(float(alone[task]), rel=1e-5)
    nothing = task_losses(answers, None, {})
    assert [float(loss) for loss in nothing.values()] == [0, 0, 0]


def test_a_batch_without_labels_leaves_weights_of_tasks_alone(coco, tmp_path):
    learner = learner_of(coco, tmp_path)
    batch = dataclasses.replace(batch_of(coco, learner, range(4)), truth=None)
    before = learner.heads.log_variances.detach().clone()
    values = learner.step(batch, 0)
    assert "classification" not in values
    moved = learner.heads.log_variances.detach() != before
    assert moved.tolist() == [True, False, False, False]


def test_losses_by_hand():
    answers = {"classes": torch.tensor([[2.0, 0.0], [0.0, 0.0]]), "segments": torch.zeros(2, 3, 2, 2)}
    segments = np.array([[1, UNKNOWN], [UNKNOWN, UNKNOWN]], np.uint8)
    labels = [
        Label(np.array([1, 0], np.float32), segments, things=2),
        Label(np.zeros(2, np.float32), np.full((2, 2), UNKNOWN, np.uint8), things=2),
    ]
    truth = Truth.of(labels)
    losses = task_losses(answers, truth, truth.counts)
    assert float(losses["classification"]) == pytest.approx(np.log(1 + np.exp(-2)))
    assert float(losses["segmentation"]) == pytest.approx(np.log(3))
    # A heat map that is right nearly loses nothing; one that is sure of an empty cell loses much.
    boxes = np.array([[0, 4, 4, 20, 20]], np.float32)
    truth = Truth.of([Label(boxes=boxes, asked=np.ones((8, 8), np.bool_), things=1)])
    right = {"heat": torch.logit(truth.tensors["heat"], eps=1e-4), "box": truth.tensors["box"]}
    wrong = {"heat": right["heat"].flip(2), "box": truth.tensors["box"]}
    assert float(task_losses(right, truth, truth.counts)["detection"]) < 0.2
    assert float(task_losses(wrong, truth, truth.counts)["detection"]) > 2


def test_weights_by_uncertainty_are_those_of_the_paper():
    s = torch.tensor([0.3, -0.7], requires_grad=True)
    net = torch.tensor(2.0, requires_grad=True)
    restoration, loss = net * 0.1, net**2
    total, told = weighed(
        restoration,
        restoration,
        {"classification": loss},
        weights={"restoration": 1.0, "classification": 1.0},
        log_variances=s,
        counts={"classification": 1.0},
    )
    total.backward()
    weights = torch.exp(-s.detach())
    assert float(net.grad) == pytest.approx(float(0.1 * weights[0] + 2 * 2.0 * weights[1]))
    assert torch.allclose(s.grad, torch.tensor([0.5, 0.5]) - weights * torch.tensor([0.2, 4.0]))
    assert float(told["classification"]) == pytest.approx(float(weights[1]))
    # There is rest where a weight is 1 / (2 L).
    rest = torch.log(torch.tensor([0.4, 8.0])).requires_grad_()
    total, _ = weighed(
        restoration.detach(),
        restoration.detach(),
        {"classification": loss.detach()},
        weights={"restoration": 1.0, "classification": 1.0},
        log_variances=rest,
        counts={"classification": 1.0},
    )
    total.backward()
    assert torch.allclose(rest.grad, torch.zeros(2), atol=1e-6)


def test_scores_by_hand():
    labels = [
        Label(np.array([1, 0], np.float32)),
        Label(np.array([0.5, 0.5], np.float32)),
        Label(np.zeros(2)),
    ]
    assert accuracy([np.array([0, 1.0]), np.array([0, 1.0]), np.array([1.0, 0])], labels) == 0.5
    assert np.isnan(accuracy([np.array([0, 1.0])], labels[2:]))
    segments = np.array([[0, 1], [1, UNKNOWN]], np.uint8)
    answer = np.zeros((3, 2, 2))
    answer[0] = 1  # nothing anywhere
    assert mean_iou([answer], [Label(segments=segments)]) == pytest.approx((1 / 3 + 0) / 2)
    asked = np.ones((8, 8), np.bool_)
    asked[6:] = False
    truth = Label(boxes=np.array([[0, 0, 0, 8, 8], [0, 16, 0, 24, 8]], np.float32), asked=asked, things=1)
    finds = np.array([[0, 0, 0, 8, 8], [0, 4, 8, 12, 16], [0, 16, 0, 24, 8], [0, 0, 24, 8, 32]], np.float32)
    scores = np.array([0.9, 0.8, 0.7, 0.95], np.float32)
    # The surest lies where nobody knows. Then right, wrong, right: precision 1 and 2/3 at its two recalls.
    assert average_precision([(finds, scores)], [truth]) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision([(finds[:1], scores[:1])], [truth]) == pytest.approx(0.5)
    heat, box, _ = drawn(truth.boxes, 1, (8, 8))
    assert heat.shape == (1, 8, 8)
    assert box.shape == (4, 8, 8)


REFUSED = {
    "an unknown task": ({"tasks": {"depth": 1.0}}, "no 'depth': it has classification, segmentation"),
    "a negative weight": ({"tasks": {"detection": -1.0}}, "tasks.detection is 0 or more"),
    "another way to weigh": ({"tasks": {"weigh": "equal"}}, "tasks.weigh is uncertainty or fixed"),
    "a net without features": (
        {"net": "lama", "options": {"width": 4, "blocks": 1}},
        "lama offers no features to further tasks",
    ),
    "a class that is not there": ({"tasks": TASKS | {"classes": "green"}}, "names 'green', which no picture"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_pictures_are_read(case, coco, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "read_pictures", lambda *_, **__: pytest.fail("pictures were read"))
    sections, words = REFUSED[case]
    with pytest.raises(UsageError, match=words) as caught:
        loop.train(Run(from_dict(TINY | sections), (coco,), tmp_path / "run", accelerator="cpu"))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_data_without_labels_are_refused_before_pictures_are_read(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "read_pictures", lambda *_, **__: pytest.fail("pictures were read"))
    with pytest.raises(UsageError, match="the data have no labels: give a folder of folders by class"):
        loop.train(run_of(photos, tmp_path / "run", []))


def test_labels_on_pictures_that_are_too_small_are_refused(photos, tmp_path):
    for kind in ("cat", "dog"):
        (photos / kind).mkdir()
        cv2.imwrite(str(photos / kind / "small.png"), np.zeros((8, 8, 3), np.uint8))
    run = run_of(photos, tmp_path / "run", [], tasks={"segmentation": 0.0, "detection": 0.0})
    with pytest.raises(UsageError, match="no picture to learn from has a label"):
        loop.train(run)


def test_a_task_alone_is_learned(coco, tmp_path):
    """Without any loss of restoration: the colours of made things are found within some dozens of steps."""
    alone = {"hole": 0.0, "ring": 0.0, "perceptual": 0.0}
    tasks = {"classification": 0.0, "segmentation": 1.0, "detection": 0.0}
    learner = learner_of(coco, tmp_path, loss=alone, tasks=tasks, train={"lr": 3e-3, "warmup": 0})
    batch = batch_of(coco, learner, range(4))
    first = float(learner.step(batch, 0)["segmentation"])
    for seen in range(4, 20):
        values = learner.step(batch, seen)
    assert float(values["segmentation"]) < 0.5 * first
    assert "weight_restoration" not in values
