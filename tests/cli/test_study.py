"""`remend study`: a page for voters, a key for the count, and the count of what they saved."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from remend.cli.study import study
from remend.errors import EvaluationError, UsageError, WriteError


def run(*arguments: object):
    return CliRunner().invoke(study, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "pairs"
    folder.mkdir()
    rows, columns = np.mgrid[0:40, 0:48]
    for index in range(8):
        image = np.stack([columns * 4, rows * 5 + 5 * index, columns + rows], axis=2).astype(np.uint8)
        mask = np.zeros((40, 48), np.uint8)
        mask[12:20, 10 + index : 24 + index] = 255
        cv2.imwrite(str(folder / f"{index}.png"), image)
        cv2.imwrite(str(folder / f"{index}_mask.png"), mask)
    return folder


def answers(page: Path, answer) -> list[dict]:
    data = json.loads(re.search(r'id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)[1])
    return [answer(trial) for trial in data["trials"]]


def save(folder: Path, voter: str, votes: list[dict]) -> Path:
    key = json.loads((folder / "study.json").read_text())
    held = {"kind": "remend votes", "protocol": key["protocol"], "ask": key["ask"], "voter": voter}
    path = folder / f"votes-{voter}.json"
    path.write_text(json.dumps(held | {"votes": votes}))
    return path


def test_three_methods_from_pairs_to_a_ranking(pairs: Path, tmp_path: Path):
    made = run(pairs, "--methods", "telea,biharmonic,smooth", "-o", tmp_path / "s")
    assert made.exit_code == 0, made.output
    page = tmp_path / "s/index.html"
    assert not re.search(r"telea|biharmonic|smooth|https?:", page.read_text("utf-8"))
    assert json.loads((tmp_path / "s/study.json").read_text())["methods"] == ["telea", "biharmonic", "smooth"]

    def first_of_list(trial):
        left, right = trial["sides"]
        return {"pair": trial["pair"], "left": right["token"], "right": left["token"], "choice": "right"}

    files = [save(tmp_path / "s", str(n), answers(page, first_of_list)) for n in range(7)]
    counted = run("count", tmp_path / "s", *files)
    assert counted.exit_code == 0, counted.output
    lines = counted.stdout.splitlines()
    assert lines[0] == "168 votes of 7 voters on 8 pictures"
    assert [line.partition(":")[0] for line in lines[1:4]] == [
        "strength of telea",
        "strength of biharmonic",
        "strength of smooth",
    ]
    assert lines[4].startswith("biharmonic over telea: 0 to 56, 0 the same, of 56: 0%")
    assert lines[4].endswith(": clear")
    plain = json.loads(run("count", tmp_path / "s", *files, "--json").stdout)
    assert plain["strengths"]["telea"]["low"] > plain["strengths"]["smooth"]["high"]
    assert plain["for_people"] is True
    twice = run("count", tmp_path / "s", *files, files[0])
    assert isinstance(twice.exception, EvaluationError)


def test_ratings_of_one_method_and_of_what_another_tool_made(pairs: Path, tmp_path: Path):
    others = tmp_path / "others"
    others.mkdir()
    for index in range(8):
        cv2.imwrite(str(others / f"{index}.png"), np.full((40, 48, 3), 90, np.uint8))
    made = run(
        "make", pairs, "--methods", "telea", "--outputs", others, "--ask", "rate", "-o", tmp_path / "s"
    )
    assert made.exit_code == 0, made.output
    grade = iter([4, 2] * 8)
    votes = answers(
        tmp_path / "s/index.html",
        lambda t: {"pair": t["pair"], "method": t["sides"][0]["token"], "rating": next(grade)},
    )
    counted = run("count", tmp_path / "s", save(tmp_path / "s", "1", votes))
    assert "mean rating of telea: 4.00" in counted.stdout
    assert re.search(r"others against telea: -2\.00 .*: clear to 1 voter$", counted.stdout.strip())


def test_what_cannot_be_meant(pairs: Path, tmp_path: Path):
    assert isinstance(run(pairs, "--methods", "telea", "-o", tmp_path).exception, UsageError)
    (tmp_path / "index.html").write_text("mine")
    there = run(pairs, "--methods", "telea,smooth", "-o", tmp_path)
    assert isinstance(there.exception, WriteError)
    assert (tmp_path / "index.html").read_text() == "mine"
    assert run("--help").output.startswith("Usage: study")
