"""Every net begins as a stranger types it, without a file and without a flag."""

import dataclasses
import importlib.util
import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

from click.testing import CliRunner  # noqa: E402

from remend.cli.train import train  # noqa: E402
from remend.errors import UsageError  # noqa: E402
from remend.nets.registry import NETS  # noqa: E402
from remend.train.config import load  # noqa: E402
from remend.train.run import loop  # noqa: E402
from remend.train.run.fallbacks import without_files  # noqa: E402
from remend.train.run.preflight import preflight  # noqa: E402
from tiny_nets import TINY  # noqa: E402


@pytest.mark.parametrize(
    "net", [*NETS, "remend-wide", "remend-open", "unet-256", "resnet-transfer", "resnet-transfer-second"]
)
def test_what_a_stranger_types_begins(net, photos, tmp_path, monkeypatch):
    """Everything that is asked before pictures are read, of the recipe as it is shipped."""
    monkeypatch.chdir(tmp_path)
    begun = []

    class EnoughError(Exception):
        pass

    def start(run):
        begun.append(run.recipe)
        raise EnoughError

    monkeypatch.setattr(loop, "start", start)
    result = CliRunner().invoke(train, [net, "--data", str(photos)])
    assert isinstance(result.exception, EnoughError), result.exception
    loss = begun[0].loss
    assert loss.hole or loss.hole_l2 or begun[0].critic.name
    assert not loss.perceptual and not loss.style and not loss.distill


def test_a_net_without_files_learns_and_says_what_they_would_add(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = ["data.crop_px=64", "data.validation_px=64", "train.samples=4", "train.batch=2"]
    settings += [f"options.widths={list(TINY['unet']['widths'])}"]
    flags = [word for setting in settings for word in ("--set", setting)]
    result = CliRunner().invoke(train, ["unet", "--data", str(photos), "--precision", "fp32", *flags])
    assert result.exit_code == 0, result.output
    assert "note: without squeezenet's weights (--set loss.backbone=FILE.h5) loss.perceptual is left out" in (
        result.output
    )
    assert (tmp_path / "runs" / "unet" / "best.safetensors").exists()


def test_lama_without_a_backbone_is_told_what_belongs_into_a_hole():
    recipe, notes = without_files(load("lama"))
    assert (recipe.loss.hole, recipe.loss.perceptual, load("lama").loss.hole) == (10.0, 0.0, 0.0)
    assert notes[-1] == "note: loss.hole=10, since no other loss says what belongs into a hole"


def test_a_recipe_that_lacks_nothing_stays_as_it_is(tmp_path):
    for name in ("deepfill_v2", "context_encoder", "comod_gan"):
        assert without_files(load(name)) == (load(name), [])
    recipe = load("unet")
    recipe = dataclasses.replace(recipe, loss=dataclasses.replace(recipe.loss, backbone="given.h5"))
    assert without_files(recipe) == (recipe, [])


def test_the_first_of_two_runs_begins_where_there_is_none_to_go_on_from(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    begun = []
    monkeypatch.setattr(loop, "preflight", lambda run: begun.append(run) or preflight(run))
    monkeypatch.setattr(loop, "start", lambda run: (_ for _ in ()).throw(UsageError("enough")))
    result = CliRunner().invoke(train, ["edge_connect", "--data", str(photos)])
    assert "note: edge_connect goes on from a run of edge_connect_edges, which is what" in result.output
    assert begun[0].recipe.options["stage"] == "edges"
    assert begun[0].out.name == "edge_connect_edges"


def test_cifar_10_at_64_as_tutorials_teach_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "data" / "cifar-10-batches-py"
    root.mkdir(parents=True)
    rows = np.random.default_rng(0).integers(0, 256, (12, 3072)).astype(np.uint8)
    batch = {"data": rows, "labels": [number % 10 for number in range(12)]}
    (root / "data_batch_1").write_bytes(pickle.dumps(batch, 2))
    settings = ["data.crop_px=64", "train.samples=4", "train.batch=2"]
    settings += [f"options.widths={list(TINY['unet']['widths'])}"]
    flags = [word for setting in settings for word in ("--set", setting)]
    command = ["unet", "--data", str(root.parent), "--precision", "fp32", *flags]
    refused = CliRunner().invoke(train, command)
    assert "32×32, smaller than 64 px" in str(refused.exception)
    assert "--set data.enlarge=true" in str(refused.exception)
    assert CliRunner().invoke(train, [*command, "--check"]).exit_code == 1
    command += ["--set", "data.enlarge=true"]
    checked = CliRunner().invoke(train, [*command, "--check", "--json"])
    assert checked.exit_code == 0, checked.output
    result = CliRunner().invoke(train, command)
    assert result.exit_code == 0, result.output
    assert "note: validation is on crops of 64², since most pictures are no larger" in result.output
