import json

import pytest
from click.testing import CliRunner

from made_models import write_mean_filler
from remend.cli.models import models
from remend.errors import ModelError


@pytest.fixture
def embedded(tmp_path, monkeypatch):
    monkeypatch.setattr("remend.fill.neural.WEIGHTS", tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(models, [str(a) for a in arguments])


def test_a_build_without_models_says_so(embedded):
    result = run("list")
    assert result.exit_code == 0
    assert "carries no models" in result.output


def test_what_is_embedded_is_listed_shown_and_verified(embedded):
    write_mean_filler(embedded / "tiny.onnx", card={"licence": "CC0", "summary": "a mean"})
    assert "tiny" in run("list").output
    assert json.loads(run("list", "--json").output)["licence"] == "CC0"
    assert json.loads(run("show", "tiny").output)["summary"] == "a mean"
    result = run("verify")
    assert result.exit_code == 0, result.output
    assert "tiny.onnx" in result.output


def test_what_is_shipped_is_verified_the_finder_too():
    result = run("verify")
    assert result.exit_code == 0, result.output
    assert "damage.onnx: SHA-256 as its card says" in result.output
    for name in ("inpaint.onnx", "inpaint-thin.onnx", "restore.onnx", "enlarge.onnx"):
        assert name in result.output


def test_a_finder_that_is_not_its_cards_is_refused(tmp_path):
    from remend.damage.chances import WEIGHTS

    for end in (".onnx", ".json"):
        (tmp_path / f"damage{end}").write_bytes(WEIGHTS.with_suffix(end).read_bytes())
    with (tmp_path / "damage.onnx").open("ab") as file:
        file.write(b" ")
    result = run("verify", tmp_path / "damage.onnx")
    assert isinstance(result.exception, ModelError) and "SHA-256 differs" in str(result.exception)


def test_a_file_is_verified_too_with_and_without_a_prior(tmp_path, embedded):
    for prior in (False, True):
        path = write_mean_filler(tmp_path / f"net{prior:d}.onnx", prior=prior)
        assert run("verify", path).exit_code == 0


@pytest.mark.parametrize(
    ("broken", "says"),
    [({"constant": float("nan")}, "not finite"), ({"constant": 40.0}, "far outside")],
)
def test_a_model_that_does_not_work_is_told(tmp_path, broken, says):
    result = run("verify", write_mean_filler(tmp_path / "net.onnx", **broken))
    assert isinstance(result.exception, ModelError)
    assert says in str(result.exception)


def test_unknown_names_and_damaged_cards(tmp_path, embedded):
    assert "none are embedded" in str(run("show", "lama").exception)
    assert isinstance(run("show", tmp_path / "nowhere.onnx").exception, ModelError)
    path = write_mean_filler(tmp_path / "net.onnx")
    path.with_suffix(".json").write_text("[]")
    assert isinstance(run("show", path).exception, ModelError)
