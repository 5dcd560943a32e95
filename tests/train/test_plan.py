"""How weights are moved: optimisers, rates, batches in parts, kernels held small."""

import importlib.util

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

from remend.errors import UsageError  # noqa: E402
from remend.train.config import from_dict, override  # noqa: E402
from remend.train.data.loader import Batch  # noqa: E402
from remend.train.machine.devices import start  # noqa: E402
from remend.train.optim.schedule import learning_rate  # noqa: E402
from remend.train.request import Counters, Run  # noqa: E402
from remend.train.run import loop  # noqa: E402
from remend.train.run.best import stands_still  # noqa: E402
from remend.train.run.preflight import preflight  # noqa: E402
from remend.train.run.step import Learner  # noqa: E402
from tiny_nets import TINY  # noqa: E402

CRITIC = {
    "name": "patch",
    "options": {"width": 4, "layers": 2, "spectral": False},
    "feature_matching": 1.0,
    "r1": 1.0,
}


def recipe_of(critic=None, net="remend", data=None, **train):
    sections = {"data": {"crop_px": 64, "validation_px": 64} | (data or {}), "critic": critic or {}}
    plan = {"samples": 40, "batch": 4, "warmup": 0, "log_every": 8, "validate_every": 8, "loaders": 1}
    loss = {"perceptual": 0.0}
    return from_dict({"net": net, "options": TINY[net], "loss": loss, "train": plan | train} | sections)


def learner_of(recipe, out):
    torch.manual_seed(0)
    return Learner(recipe, start(Run(recipe, (), out, precision="32-true", accelerator="cpu")))


def batch(count=4):
    made = torch.rand(count, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    made = made.contiguous(memory_format=torch.channels_last)
    hole = torch.zeros(count, 1, 64, 64)
    hole[:, :, 16:48, 16:48] = 1
    return Batch(made * (1 - hole), made, hole, 0, count)


def kernels(learner):
    return torch.cat([p.detach().flatten() for p in learner.net.parameters() if p.ndim > 1])


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("adam", lambda ps: torch.optim.Adam(ps, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.01)),
        ("adamw", lambda ps: torch.optim.AdamW(ps, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.01)),
        ("sgd", lambda ps: torch.optim.SGD(ps, lr=1e-3, momentum=0.9, weight_decay=0.01)),
        ("rmsprop", lambda ps: torch.optim.RMSprop(ps, lr=1e-3, momentum=0.9, weight_decay=0.01)),
    ],
)
def test_an_optimiser_moves_kernels_as_torchs_own_does(name, made, tmp_path):
    learner = learner_of(recipe_of(optimizer=name, lr=1e-3, schedule="constant", clip=0.0), tmp_path)
    other = [p.detach().clone().requires_grad_() for p in learner.net.parameters()]
    chosen = [number for number, p in enumerate(other) if p.ndim > 1]
    plain = made([other[number] for number in chosen])
    for seen in (0, 4, 8):
        learner.step(batch(), seen)
        own = list(learner.net.parameters())
        for number in chosen:
            other[number].grad = own[number].grad.clone()
        plain.step()
        for number in chosen:
            assert torch.allclose(other[number], own[number], rtol=1e-5, atol=1e-7)


def test_l2_of_adam_is_not_the_decay_of_adamw(tmp_path):
    moved = {}
    for name in ("adam", "adamw"):
        learner = learner_of(recipe_of(optimizer=name, lr=1e-3, weight_decay=0.5), tmp_path)
        learner.step(batch(), 0)
        moved[name] = kernels(learner)
    assert (moved["adam"] - moved["adamw"]).abs().max() > 1e-4


def test_l1_brings_kernels_towards_zero(tmp_path):
    sums = {}
    for l1 in (0.0, 1e-2):
        learner = learner_of(recipe_of(optimizer="sgd", lr=1e-2, l1=l1, weight_decay=0.0, clip=0.0), tmp_path)
        before = kernels(learner).abs().sum()
        values = [learner.step(batch(), 0) for _ in range(4)]
        sums[l1] = float(kernels(learner).abs().sum())
        assert ("l1" in values[0]) == (l1 > 0)
    assert values[0]["l1"] == pytest.approx(float(l1 * before), rel=1e-4)
    assert sums[1e-2] < sums[0.0] < before * 1.01


@pytest.mark.parametrize("critic", [None, CRITIC], ids=["alone", "against a critic"])
def test_a_batch_in_parts_learns_what_the_whole_one_does(critic, tmp_path):
    weights, losses = [], []
    for parts in (1, 2, 4):
        recipe = recipe_of(critic, optimizer="sgd", lr=0.05, accumulate=parts, clip=0.0)
        learner = learner_of(recipe, tmp_path)
        values = [learner.step(batch(), seen) for seen in (0, 4)]
        critics = learner.adversary.critic.parameters() if learner.adversary else []
        weights.append([p.detach() for p in (*learner.net.parameters(), *critics)])
        losses.append(float(values[1]["hole"]))
    assert losses[1:] == pytest.approx(2 * losses[:1], rel=1e-4)
    for other in weights[1:]:
        assert all(torch.allclose(a, b, atol=2e-5) for a, b in zip(weights[0], other, strict=True))
    assert not torch.equal(weights[0][0], learner_of(recipe, tmp_path).net.parameters().__next__())


def test_the_parts_of_a_batch_know_their_samples_on_each_of_two_devices():
    whole = batch(4)  # of eight, on the second of two devices: samples 1, 3, 5, 7
    parts = Batch(whole.image, whole.target, whole.hole, 0, 8).parts(2, 2)
    assert [(part.first, part.end, len(part.image)) for part in parts] == [(0, 4, 2), (4, 8, 2)]
    assert torch.equal(torch.cat([part.target for part in parts]), whole.target)


def test_rates_fall_by_steps_at_plateaus_or_not():
    plan = recipe_of(samples=90, schedule="step", lr=1.0, lr_factor=0.1).train
    assert [learning_rate(plan, seen) for seen in (0, 29, 30, 60)] == pytest.approx([1, 1, 0.1, 0.01])
    plan = recipe_of(schedule="plateau", lr=1.0, lr_factor=0.5).train
    assert [learning_rate(plan, 8, drops) for drops in (0, 1, 3)] == [1.0, 0.5, 0.125]
    assert learning_rate(recipe_of(schedule="constant", lr=1.0).train, 40) == 1.0


def test_a_plateau_is_so_many_validations_without_a_better_score():
    recipe, counters = recipe_of(schedule="plateau", patience=2), Counters()
    fell = []
    for score in (20.0, 21.0, 20.5, 21.0, 21.5, 21.4, 21.3, 21.2, 21.1):
        counters.scores = {"psnr": score}
        fell.append(stands_still(recipe, counters))
    assert [number for number, each in enumerate(fell) if each] == [3, 6, 8]
    assert counters.drops == 3


def test_a_run_whose_validation_stands_still_goes_on_more_slowly(photos, tmp_path):
    said = []
    recipe = recipe_of(schedule="plateau", patience=1, lr=0.0, lr_factor=0.5)
    loop.train(Run(recipe, (photos,), tmp_path, False, 1, "32-true", "cpu", say=said.append))
    assert "validation stands still: the rate falls to 0.5 of what it was" in said


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("train.optimizer=lion", "train.optimizer is adamw, adam, sgd, rmsprop, muon, got 'lion'"),
        ("train.schedule=linear", "train.schedule is cosine, step, plateau, constant, got 'linear'"),
        ("train.accumulate=3", "train.batch=4 cannot be computed in 3 equal parts"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_read(setting, said, photos, tmp_path):
    with pytest.raises(UsageError, match=said):
        preflight(Run(override(recipe_of(), [setting]), (photos,), tmp_path))


def test_tensorboard_shows_the_settings_beside_the_scores_and_the_grid(photos, tmp_path):
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    recipe = recipe_of(samples=16)
    loop.train(Run(recipe, (photos,), tmp_path, False, 1, "32-true", "cpu", say=lambda line: None))
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert events.Tags()["images"] == ["fixed samples"]
    assert "validation/psnr" in events.Tags()["scalars"]
    content = events.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    assert b"train.optimizer" in content
    assert b"adamw" in content
    assert b"validation/psnr" in events.summary_metadata["_hparams_/experiment"].plugin_data.content
