"""`remend evaluate`: from folders to a table on stdout and a report, with the library's own methods."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from remend.cli.evaluate import evaluate
from remend.errors import EvaluationError, ModelError, UsageError, WriteError


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Two smooth 40×48 pictures with small holes."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    rows, columns = np.mgrid[0:40, 0:48]
    for index, name in enumerate("ab"):
        image = np.stack([columns * 4, rows * 5 + 20 * index, columns + rows], axis=2).astype(np.uint8)
        mask = np.zeros((40, 48), np.uint8)
        mask[12:20, 10 + 8 * index : 24 + 8 * index] = 255
        cv2.imwrite(str(folder / f"{name}.png"), image[:, :, ::-1])
        cv2.imwrite(str(folder / f"{name}_mask.png"), mask)
    return folder


def run(*arguments: object):
    return CliRunner().invoke(evaluate, [str(argument) for argument in arguments])


def test_table_and_report(tmp_path: Path, pairs: Path) -> None:
    result = run(pairs, "--method", "telea,biharmonic", "-o", tmp_path / "r")
    assert result.exit_code == 0, result.output
    assert "telea" in result.stdout
    assert "biharmonic" in result.stdout
    report = json.loads((tmp_path / "r" / "report.json").read_text("utf-8"))
    assert report["protocol"]["sha256"][:12] in result.stdout
    assert [line["pictures"] for line in report["summary"]] == [2, 2]
    # A plane is what biharmonic filling continues without error.
    assert report["summary"][1]["metrics"]["psnr_hole"] > 35
    assert all(line["outside_levels"] == 0 for line in report["summary"])
    assert "wrote" in result.stderr
    assert "wrote" not in result.stdout


def test_a_protocol_is_frozen_once_it_was_measured_on(tmp_path: Path, pairs: Path) -> None:
    result = run(
        pairs, "--method", "telea,nowhere.onnx", "-o", tmp_path / "r", "--freeze", tmp_path / "p.json"
    )
    assert isinstance(result.exception, ModelError)
    assert not (tmp_path / "p.json").exists(), "it would stand in the way of the next try"
    again = run(pairs, "--method", "telea", "-o", tmp_path / "r", "--freeze", tmp_path / "p.json")
    assert again.exit_code == 0, again.output
    assert (tmp_path / "p.json").exists()


def test_json_lines(tmp_path: Path, pairs: Path) -> None:
    result = run(pairs, "--method", "telea", "-o", tmp_path / "r.json", "--json")
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["pair"], line["method"]) for line in lines] == [("a", "telea"), ("b", "telea")]
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert {line["protocol"] for line in lines} == {report["protocol"]["sha256"][:12]}
    assert not (tmp_path / "r").exists()


def test_another_tools_outputs(tmp_path: Path, pairs: Path) -> None:
    tool = tmp_path / "tool"
    tool.mkdir()
    for name in "ab":
        (tool / f"{name}_mask.png").write_bytes((pairs / f"{name}.png").read_bytes())
    result = run(pairs, "--outputs", tool, "-o", tmp_path / "r.json")
    assert result.exit_code == 0
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert report["summary"][0]["metrics"]["psnr_hole"] == 100


def test_a_bad_pair_is_told_and_the_rest_goes_on(tmp_path: Path, pairs: Path) -> None:
    (pairs / "a.png").write_bytes(b"")
    (pairs / "c.png").write_bytes((pairs / "b.png").read_bytes())
    result = run(pairs, "--method", "telea", "-o", tmp_path / "r")
    assert result.exit_code == 1
    assert "a: not measured" in result.stderr
    assert "left out c.png: no mask of this picture" in result.stderr
    assert "telea" in result.stdout


def test_a_method_that_fails(tmp_path: Path, pairs: Path) -> None:
    everything = np.full((40, 48), 255, np.uint8)  # no filler can start from nothing
    cv2.imwrite(str(pairs / "a_mask.png"), everything)
    result = run(pairs, "--method", "telea,biharmonic", "-o", tmp_path / "r")
    assert result.exit_code == 1
    assert "a: telea: " in result.stderr
    report = json.loads((tmp_path / "r" / "report.json").read_text("utf-8"))
    assert [line["pictures"] for line in report["summary"]] == [1, 1]
    assert [line["failed"] for line in report["summary"]] == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["-o", "r"], UsageError),
        (["--method", "telea,no-such", "-o", "r"], UsageError),
        (["--method", "telea,none.onnx", "-o", "r"], ModelError),
        (["--method", "telea", "-o", "taken.csv"], WriteError),
        (["--method", "telea", "--outputs", "nowhere", "-o", "r"], EvaluationError),
        (["--method", "telea", "--masks", "nowhere", "-o", "r"], EvaluationError),
    ],
)
def test_what_cannot_be_meant(tmp_path: Path, pairs: Path, monkeypatch, arguments, error) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken.csv").write_text("mine")
    result = run(pairs, *arguments)
    assert isinstance(result.exception, error)
    assert (tmp_path / "taken.csv").read_text() == "mine"
    assert not (tmp_path / "r").exists()
