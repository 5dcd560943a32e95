"""Recipes with critics of their own kind, narrowed: finite, and exact on resume; and nets that take lines."""

import dataclasses
import importlib.util

import pytest

from tiny_nets import TINY

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

from remend.errors import UsageError  # noqa: E402
from remend.nets.edges import edges_of  # noqa: E402
from remend.nets.weights import checkpoint  # noqa: E402
from remend.train.config import load  # noqa: E402
from remend.train.data.guide import as_drawn, drawn_lines  # noqa: E402
from remend.train.data.loader import Batch  # noqa: E402
from remend.train.machine.devices import start  # noqa: E402
from remend.train.request import Run  # noqa: E402
from remend.train.run.preflight import preflight  # noqa: E402
from remend.train.run.state import Counters, put_back, state_of, tensors_of  # noqa: E402
from remend.train.run.step import Learner  # noqa: E402

READINGS = {
    "deepfill_v1": {"gp", "stages", "adversarial"},
    "deepfill_v2": {"stages", "adversarial", "balance"},
    "edge_connect_edges": {"feature_matching", "adversarial"},
    "comod_gan": {"path_penalty", "path", "r1", "adversarial"},
}


def narrow(name):
    recipe = load(name, preset="small")
    options = TINY[recipe.net] | {k: v for k, v in recipe.options.items() if k == "stage"}
    critic = dict(recipe.critic.options) | {"width": 4} | ({"layers": 2} if name == "comod_gan" else {})
    return dataclasses.replace(
        recipe,
        options=options,
        data=dataclasses.replace(recipe.data, crop_px=32, validation_px=32),
        critic=dataclasses.replace(recipe.critic, options=critic, from_samples=0, path_every=2, r1_every=2),
        train=dataclasses.replace(recipe.train, batch=2, warmup=0, ema_half_life=10),
    )


@pytest.fixture
def learner_of(tmp_path):
    def make(recipe):
        torch.manual_seed(0)
        run = Run(recipe, (tmp_path,), tmp_path, precision="32-true", accelerator="cpu", say=lambda _: None)
        return Learner(recipe, start(run))

    return make


def batch(first):
    generator = torch.Generator().manual_seed(first)
    target = torch.rand(2, 3, 8, 8, generator=generator).repeat_interleave(4, 2).repeat_interleave(4, 3)
    hole = torch.zeros(2, 1, 32, 32)
    hole[:, :, 8:24, 4:20] = 1
    return Batch(target * (1 - hole), target, hole, first, first + 2)


@pytest.mark.parametrize("name", READINGS)
def test_a_recipes_own_game_is_finite_and_goes_on_bit_for_bit(name, learner_of, tmp_path):
    recipe = narrow(name)

    def go(learner, first):
        values = learner.step(batch(first), first)
        learner.average(first + 2)
        return {key: float(value) for key, value in values.items()}

    learner = learner_of(recipe)
    assert READINGS[name] <= go(learner, 0).keys()
    path = checkpoint.save(tmp_path, 2, tensors_of(learner), state_of(learner, Counters(), {}))
    values = [go(learner, first) for first in (2, 4)]
    assert all(torch.tensor(list(step.values())).isfinite().all() for step in values)
    other = learner_of(recipe)
    put_back(other, Counters(), checkpoint.read(path), print)
    torch.manual_seed(77)
    assert [go(other, first) for first in (2, 4)] == values
    first, second = tensors_of(learner), tensors_of(other)
    for part in first.keys() - {"rng"}:
        assert [n for n, t in first[part].items() if not torch.equal(t, second[part][n])] == []


def test_a_rehearsal_leaves_no_trace_in_the_running_mean_of_paths(learner_of):
    learner = learner_of(narrow("comod_gan"))
    with learner.unchanged():
        learner.step(batch(0), 0, rehearse=True)
    assert not learner.net.body.path_mean
    learner.step(batch(0), 0)
    assert learner.net.body.path_mean > 0


def test_the_frozen_edge_net_does_not_change_and_the_painter_does(learner_of):
    recipe = dataclasses.replace(narrow("edge_connect"), critic=dataclasses.replace(load("unet").critic))
    recipe = dataclasses.replace(recipe, loss=dataclasses.replace(recipe.loss, perceptual=0.0, style=0.0))
    learner = learner_of(recipe)
    before = {name: tensor.clone() for name, tensor in learner.net.state_dict().items()}
    learner.step(batch(0), 0)
    changed = {n for n, tensor in learner.net.state_dict().items() if not torch.equal(tensor, before[n])}
    assert changed
    assert all(name.startswith("body.picture.") for name in changed)


def test_the_second_stage_asks_for_the_first(tmp_path):
    recipe = narrow("edge_connect")
    recipe = dataclasses.replace(recipe, loss=dataclasses.replace(recipe.loss, perceptual=0.0, style=0.0))
    with pytest.raises(UsageError, match="edge_connect goes on from a run of edge_connect_edges"):
        preflight(Run(recipe, (tmp_path,), tmp_path, say=print))


def test_some_samples_are_shown_their_lines_whatever_batch_they_are_in():
    shown = batch(0)
    target = shown.target.repeat(8, 1, 1, 1)
    hole = shown.hole.repeat(8, 1, 1, 1)
    lines = drawn_lines(target, hole, share=0.5, seed=3, indices=range(16))
    given = lines.flatten(1).any(dim=1)
    assert 3 <= int(given.sum()) <= 13
    wanted = (edges_of(target) > 0.5).float() * hole
    assert torch.equal(lines[given], wanted[given])
    assert torch.equal(lines[5:], drawn_lines(target[5:], hole[5:], share=0.5, seed=3, indices=range(5, 16)))
    assert drawn_lines(target, hole, share=0.0, seed=3, indices=range(16)) is None


def test_what_a_net_of_lines_is_held_to_are_lines(learner_of):
    shown = batch(0)
    net = learner_of(narrow("edge_connect_edges")).net
    drawn = as_drawn(net, shown)
    assert torch.equal(drawn.target, edges_of(shown.target).expand_as(shown.target))
    assert not (drawn.image * shown.hole).any()
    assert as_drawn(learner_of(narrow("deepfill_v2")).net, shown) is shown
