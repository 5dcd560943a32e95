"""`remend compare`: tables and JSON of reports, refusals, and people's votes."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from remend.cli.compare import _verdict, compare
from remend.cli.evaluate import evaluate
from remend.errors import EvaluationError, UsageError
from remend.evaluation.analysis import Mean


def run(command, *arguments: object):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> Path:
    """a/ of telea with a frozen protocol, b/ of biharmonic under it, both/ with a sheet; eight pictures."""
    folder = tmp_path_factory.mktemp("compare")
    (folder / "pairs").mkdir()
    rows, columns = np.mgrid[0:40, 0:48]
    for index in range(8):
        image = np.stack([columns * 4, rows * 5 + 5 * index, columns + rows], axis=2).astype(np.uint8)
        mask = np.zeros((40, 48), np.uint8)
        mask[12:20, 10 + index : 24 + index] = 255
        cv2.imwrite(str(folder / f"pairs/{index}.png"), image[:, :, ::-1])
        cv2.imwrite(str(folder / f"pairs/{index}_mask.png"), mask)
    for arguments in (
        ("telea", "a", "--freeze", folder / "p.json"),
        ("biharmonic", "b", "--protocol", folder / "p.json"),
        ("telea,biharmonic", "both", "--sheet", folder / "sheet.html"),
        ("telea", "seeded", "--seed", "1"),
    ):
        method, target, *more = arguments
        result = run(evaluate, folder / "pairs", "--method", method, "-o", folder / target, *more)
        assert result.exit_code == 0, result.output
    return folder


def test_tables_by_kind_of_hole(reports: Path):
    result = run(compare, reports / "a", reports / "b" / "report.json")
    assert result.exit_code == 0, result.output
    assert "biharmonic against telea" in result.stdout
    short = json.loads((reports / "p.json").read_text())["sha256"][:12]
    assert short in result.stdout
    # Planes are what biharmonic filling continues without error.
    assert re.search(r"PSNR hole dB.*better", result.stdout)
    assert "PSNR dB" not in result.stdout
    chosen = run(compare, reports / "both", "--metric", "psnr", "--bucket", ".01–.1")
    assert "PSNR dB" in chosen.stdout
    assert "│ all" not in chosen.stdout


def test_a_report_against_itself_has_no_clear_difference(reports: Path):
    result = run(compare, reports / "a", reports / "both", "--baseline", "telea (a)")
    rows = [line for line in result.stdout.splitlines() if "│ all" in line]
    own = [line for line in rows if "+0.00" in line]
    assert own
    assert "no clear difference" in own[0]


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (Mean(4e-4, 1e-4, 9e-4, 40), "too small to show"),
        (Mean(6e-4, 1e-4, 9e-4, 40), "sharper"),
        (Mean(-0.2, -0.3, -0.1, 40), "less sharp"),
        (Mean(0.2, -0.1, 0.3, 40), "no clear difference"),
        (Mean(0.2, 0.1, 0.3, 4), "too few pictures"),
    ],
)
def test_nothing_is_sharper_by_zero(gap: Mean, words: str):
    assert _verdict("sharp", gap) == words


def test_json_carries_the_hash_on_every_line(reports: Path):
    result = run(compare, reports / "both", "--json")
    content = json.loads(result.stdout)
    lines = [*content["means"], *content["differences"]]
    assert lines
    assert {line["protocol"] for line in lines} == {content["protocol"]}
    gap = content["differences"][0]["metrics"]["psnr_hole"]
    assert gap["low"] > 0
    assert gap["verdict"] == "better"


def test_other_protocols_need_force(reports: Path):
    result = run(compare, reports / "b", reports / "seeded")
    assert isinstance(result.exception, EvaluationError)
    assert "the seeds differ; measure both on the same, or give --force" in str(result.exception)
    forced = run(compare, reports / "b", reports / "seeded", "--force")
    assert forced.exit_code == 0
    assert "remend: forced" in forced.stderr
    assert "protocols differ" in forced.stdout


def test_votes_of_the_sheet(reports: Path, tmp_path: Path):
    page = (reports / "sheet.html").read_text("utf-8")
    assert "telea" not in page
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    votes = [
        {"pair": t["pair"], "left": t["sides"][0]["token"], "right": t["sides"][1]["token"], "choice": "left"}
        for t in data["trials"]
    ]
    held = {"kind": data["kind"], "protocol": data["protocol"], "ask": "choose", "voter": "1"}
    (tmp_path / "v.json").write_text(json.dumps(held | {"votes": votes}))
    result = run(compare, reports / "a", reports / "b", "--votes", tmp_path / "v.json")
    assert result.exit_code == 0, result.output
    assert re.search(r"votes: biharmonic over telea: 0 to 8, 0 the same, of 8: 0%", result.stdout)
    plain = json.loads(run(compare, reports / "both", "--votes", tmp_path / "v.json", "--json").stdout)
    assert plain["votes"]["preferences"][0]["for_first"] == 8
    forced = run(compare, reports / "b", reports / "seeded", "--force", "--votes", tmp_path / "v.json")
    assert isinstance(forced.exception, UsageError)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (["a"], EvaluationError, "only telea"),
        (["a", "nowhere"], EvaluationError, "cannot be read"),
        (["both", "--metric", "fid"], UsageError, "no metric 'fid' in the reports: choose psnr"),
        (["both", "--bucket", "x"], UsageError, "no bucket 'x' in the reports: choose all"),
        (["both", "--baseline", "x"], EvaluationError, "no method 'x'"),
    ],
)
def test_what_cannot_be_meant(reports: Path, monkeypatch, arguments, error, words):
    monkeypatch.chdir(reports)
    result = run(compare, *arguments)
    assert isinstance(result.exception, error)
    assert words in str(result.exception)


def test_a_protocol_that_is_not_met(reports: Path, tmp_path: Path):
    common = (reports / "pairs", "--method", "telea", "-o", tmp_path / "r")
    result = run(evaluate, *common, "--protocol", reports / "p.json", "--seed", "2")
    assert "--seed 0, not 2" in str(result.exception)
    result = run(evaluate, *common, "--freeze", reports / "p.json")
    assert isinstance(result.exception, UsageError)
    result = run(evaluate, *common, "--sheet", tmp_path / "s.html")
    assert "needs two methods" in str(result.exception)
    assert not (tmp_path / "r").exists()
