"""`remend models add` and `use`: from a file that somebody has to a method, and to what auto takes."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import remend
from made_models import write_lama_like, write_mean_filler
from remend.cli.methods import methods
from remend.cli.models import models
from remend.errors import ModelError, UsageError, WriteError
from remend.fill.model_file import ModelFile
from remend.fill.registry import filler_named
from remend.plan.policy import policy_for


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("REMEND_MODELS", str(tmp_path / "models"))
    # How long a process takes to start on a busy machine is no matter of these tests.
    monkeypatch.setattr("remend.fill.outside.LOAD_SECONDS", 60.0)
    yield tmp_path / "models"
    filler_named.cache_clear()


def run(*arguments):
    return CliRunner().invoke(models, [str(a) for a in arguments])


def wide_hole():
    image = np.random.default_rng(0).integers(60, 200, (120, 160, 3), np.uint8)
    mask = np.zeros((120, 160), bool)
    mask[20:100, 30:130] = True
    return image, mask


def test_an_onnx_file_becomes_a_method(tmp_path, own_folder):
    added = run("add", write_lama_like(tmp_path / "Big LaMa.onnx"))
    assert added.exit_code == 0, added.output
    assert added.stdout.strip() == str(own_folder / "big-lama.onnx")
    assert "taken for LaMa as others export it: 256² alone" in added.stderr
    assert "licence: not stated by the file" in added.stderr
    assert "4 made windows filled" in added.stderr
    assert "big-lama" in run("list").output
    assert "big-lama" in CliRunner().invoke(methods, []).output
    assert json.loads(run("show", "big-lama").stdout)["origin"] == "unknown; Big LaMa.onnx"
    image, mask = wide_hole()
    repaired = remend.repair(image, mask, method="big-lama")
    assert np.array_equal(repaired[~mask], image[~mask])
    assert repaired[50:70, 60:100, 2].mean() > 180


def test_auto_takes_what_is_preferred_for_wide_holes_and_nothing_else(tmp_path):
    write_mean_filler(tmp_path / "mean.onnx", constant=0.5)
    assert run("add", tmp_path / "mean.onnx", "--as", "mine").exit_code == 0
    before = policy_for("auto", "balanced")
    assert run("use", "mine").exit_code == 0
    assert "added, preferred for wide holes" in run("list").output
    after = policy_for("auto", "balanced")
    took = {a.filler: b.filler for a, b in zip(before.rungs, after.rungs, strict=True)}
    assert {own: other for own, other in took.items() if own != other} == {
        "neural": "mine",
        "neural-exemplar": "mine",
    }
    image, mask = wide_hole()
    image[:, :80] = 20  # two textures, so that no one of them is quilted
    assert abs(float(remend.repair(image, mask)[50:70, 60:100].mean()) - 127.5) < 10
    assert run("use", "auto").exit_code == 0
    assert policy_for("auto", "balanced") == before
    assert run("use", "mine").exit_code == 0
    assert run("remove", "mine").exit_code == 0
    assert policy_for("auto", "balanced") == before, "what is gone is not preferred"
    assert isinstance(run("use", "mine").exception, ModelError)
    assert isinstance(run("remove", "mine").exception, ModelError)


def test_what_cannot_be_added(tmp_path, own_folder):
    path = write_mean_filler(tmp_path / "net.onnx")
    for name in ("../net", "Net", "auto", "a.onnx"):
        assert "cannot be called" in str(run("add", path, "--as", name).exception)
    assert run("add", path).exit_code == 0
    assert isinstance(run("add", path).exception, WriteError)
    assert run("add", path, "--overwrite").exit_code == 0
    broken = write_mean_filler(tmp_path / "broken.onnx", output="other")
    assert "expected image, hole" in str(run("add", broken).exception)
    assert sorted(p.name for p in own_folder.iterdir()) == ["net.json", "net.onnx"], "nothing half is left"
    assert isinstance(run("add", tmp_path / "nowhere.onnx").exception, ModelError)
    assert isinstance(run("add", path, path, "--as", "two").exception, UsageError)


def test_a_checkpoint_of_others_becomes_a_method(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from made_published import LamaLike, settle

    theirs = settle(LamaLike(width=4, blocks=1))
    state = {f"generator.{name}": value for name, value in theirs.state_dict().items()}
    torch.save({"state_dict": state, "callbacks": {LamaLike: 0}}, tmp_path / "best.ckpt")
    added = run("add", tmp_path / "best.ckpt", "--as", "lama")
    assert added.exit_code == 0, added.output
    assert "of: LaMa: Suvorov and others" in added.stderr
    assert "licence: Apache-2.0" in added.stderr
    image, mask = wide_hole()
    image, mask = image[:112, :160], mask[:112, :160]
    model = ModelFile.open(Path(added.stdout.strip()))
    window = (image / 255).astype(np.float32)
    got = model.run(window, ~mask)
    x = torch.from_numpy(window).permute(2, 0, 1)[None]
    hole = torch.from_numpy(mask.astype(np.float32))[None, None]
    with torch.no_grad():
        wanted = theirs(torch.cat([x * (1 - hole), hole], dim=1))[0].permute(1, 2, 0).numpy()
    assert np.abs(got[mask] - wanted[mask]).max() < 1e-4


def test_half_of_edge_connect_is_no_model(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from made_published import PainterLike

    state = PainterLike().state_dict()
    torch.save({"iteration": 1, "generator": state}, tmp_path / "InpaintingModel_gen.pth")
    result = run("add", tmp_path / "InpaintingModel_gen.pth", "--as", "edges")
    assert isinstance(result.exception, UsageError) and "two nets" in str(result.exception)
