"""Which checkpoint counts as the best, and so is exported."""

import dataclasses
import importlib.util
from importlib import resources
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

from remend.errors import UsageError  # noqa: E402
from remend.nets.weights.portable import load_portable  # noqa: E402
from remend.nets.weights.trained import read_weights, which_state  # noqa: E402
from remend.train.config import Recipe, Train, load  # noqa: E402
from remend.train.request import Run  # noqa: E402
from remend.train.run import loop, validation  # noqa: E402
from remend.train.run.best import check_rule, rule_of, score_of  # noqa: E402
from tiny_nets import TINY  # noqa: E402

RECIPES = sorted(
    path.name.removesuffix(".toml")
    for path in (resources.files("remend.train") / "recipes").iterdir()
    if path.name.endswith(".toml")
)
WITH_A_CRITIC = [name for name in RECIPES if load(name).critic.name]


def narrow(name, **train):
    """A shipped recipe with a tiny net and critic, whose critic joins half-way through 16 samples."""
    recipe = load(name, preset="small")
    options = TINY[recipe.net] | {k: v for k, v in recipe.options.items() if k == "stage"}
    critic = {"width": 4}
    if recipe.critic.name in ("residual", "sn_patch", "patch"):
        critic |= {"layers": 2}
    replace = dataclasses.replace
    return replace(
        recipe,
        options=options,
        data=replace(recipe.data, crop_px=64, validation_px=64, validation=2),
        loss=replace(recipe.loss, perceptual=0.0, style=0.0, distill=0.0, hole=1.0),
        critic=replace(recipe.critic, options=critic, from_samples=8, r1_every=2, path_every=2),
        train=replace(
            recipe.train,
            samples=16,
            batch=2,
            warmup=0,
            ema_half_life=10,
            log_every=16,
            validate_every=4,
            loaders=1,
            minutes=0.0,
            **train,
        ),
    )


@pytest.fixture
def ever_worse(monkeypatch):
    """Each validation has a lower PSNR than the one before, as against a critic."""
    scores = validation.scores

    def falling(samples, outputs, calls=[]):  # noqa: B006
        calls.append(None)
        return scores(samples, outputs) | {"psnr": 40.0 - len(calls)}

    monkeypatch.setattr(validation, "scores", falling)


@pytest.fixture
def backbone(monkeypatch):
    """A backbone of made weights where a critic would read learned ones."""
    from remend.nets.squeezenet import SqueezeNet

    monkeypatch.setattr(
        "remend.train.adversarial.step.load_backbone",
        lambda name, weights: SqueezeNet().eval().requires_grad_(False),
    )


def trained(recipe, photos, out, said=None):
    say = (said if said is not None else []).append
    run = Run(recipe, (photos,), out, precision="32-true", accelerator="cpu", say=say)
    return loop.train(run)


@pytest.mark.parametrize("name", WITH_A_CRITIC)
@pytest.mark.usefixtures("ever_worse", "backbone")
def test_what_is_exported_of_a_recipe_with_a_critic_has_learned_from_it(name, photos, tmp_path):
    recipe = narrow(name)
    if recipe.critic.name == "projected":
        recipe = dataclasses.replace(recipe, loss=dataclasses.replace(recipe.loss, backbone=__file__))
    if name == "edge_connect":
        edges = narrow("edge_connect_edges")
        trained(edges, photos, tmp_path / "edges")
        transfer = dataclasses.replace(recipe.transfer, weights=str(tmp_path / "edges"))
        recipe = dataclasses.replace(recipe, transfer=transfer)
    trained(recipe, photos, tmp_path / "run")
    _, state = read_weights(tmp_path / "run")
    assert state["samples_seen"] > recipe.critic.from_samples == 8
    # The first after it joined has the highest PSNR of those that count; the fog is not taken off it here.
    assert "; its critic joined at 8" in which_state(tmp_path / "run", state)
    _, portable = load_portable(tmp_path / "run" / "best.safetensors")
    assert portable["samples_seen"] == state["samples_seen"]


@pytest.mark.usefixtures("ever_worse")
def test_without_a_critic_the_highest_psnr_is_the_best(photos, tmp_path):
    recipe = narrow("unet")
    trained(recipe, photos, tmp_path / "run")
    _, state = read_weights(tmp_path / "run")
    assert state["samples_seen"] == 4
    assert which_state(tmp_path / "run", state).startswith("the state at 4 samples: the best so far by psnr")


@pytest.mark.usefixtures("ever_worse")
def test_the_last_is_the_best_where_the_recipe_says_so(photos, tmp_path):
    trained(narrow("unet", best="last"), photos, tmp_path / "run")
    _, state = read_weights(tmp_path / "run")
    assert state["samples_seen"] == 16
    assert which_state(tmp_path / "run", state) == "the state at 16 samples: the best so far by last"


@pytest.mark.usefixtures("ever_worse")
def test_a_run_that_ends_before_its_critic_joins_says_so(photos, tmp_path):
    recipe = narrow("context_encoder")
    recipe = dataclasses.replace(recipe, critic=dataclasses.replace(recipe.critic, from_samples=100))
    trained(recipe, photos, tmp_path / "run")
    _, state = read_weights(tmp_path / "run")
    line = which_state(tmp_path / "run", state)
    assert line.endswith("its critic was to join at 100, so that it has not learned from it")


def test_validation_has_a_score_for_each_kind_of_hole_of_the_recipe(photos, tmp_path):
    recipe = narrow("unet")
    data = dataclasses.replace(recipe.data, thin=0.0, free_form=0.0, box=0.5, large=0.5, centre=0.2)
    outcome = trained(dataclasses.replace(recipe, data=data), photos, tmp_path / "run")
    kinds = {name.removeprefix("psnr_") for name in outcome.scores if name.startswith("psnr_")}
    assert kinds == {"box", "large", "centre"}


def test_rules_and_scores():
    assert rule_of(Recipe("unet")) == "psnr"
    assert rule_of(load("deepfill_v2")) == "sharp-aware"
    with_backbone = load("lama")
    with_backbone = dataclasses.replace(
        with_backbone, loss=dataclasses.replace(with_backbone.loss, backbone="file.safetensors")
    )
    assert rule_of(with_backbone) == "pd"
    foggy, sharp = {"psnr": 25.0, "sharp_box": 0.4}, {"psnr": 24.5, "sharp_box": 0.8}
    assert score_of("psnr", foggy, 1) > score_of("psnr", sharp, 1)
    assert score_of("sharp-aware", foggy, 1) < score_of("sharp-aware", sharp, 1)
    assert score_of("sharp_box", foggy, 1) < score_of("sharp_box", sharp, 1)
    assert score_of("pd", {"pd": 0.3}, 1) > score_of("pd", {"pd": 0.4}, 1)
    assert score_of("pd", {"psnr": 30.0}, 1) == float("-inf")


def test_a_score_that_is_not_logged_is_refused():
    with pytest.raises(UsageError, match=r"train\.best is auto, last, psnr, .* got 'pd'; pd needs"):
        check_rule(Recipe("unet", train=Train(best="pd")))
    with pytest.raises(UsageError, match="got 'psnr_centre'"):
        check_rule(Recipe("unet", train=Train(best="psnr_centre")))
    check_rule(Recipe("unet", train=Train(best="psnr_large")))


def test_a_folder_of_a_checkpoint_is_taken_as_it_is():
    line = which_state(Path(__file__).parent, {"samples_seen": 64, "recipe": {"critic": {"name": ""}}})
    assert line == "the state at 64 samples: the one that was given"
