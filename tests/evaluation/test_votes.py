"""Blind votes: nothing on the page names a method, and files of votes are held together."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from remend.errors import EvaluationError
from remend.evaluation.pairs import Pair
from remend.evaluation.scores import Seen
from remend.evaluation.study import Sheet, Study, read_study
from remend.evaluation.votes import SOUND, SPOILED, attentive, read_ballots, token

PROTOCOL = "ab" * 32
TELEA, MINE, THIRD = (token(name, PROTOCOL) for name in ("telea", "mine", "third"))


def seen(index: int, methods=("telea", "mine"), share: float = 0.25) -> Seen:
    hole = np.zeros((20, 24), bool)
    hole[: round(20 * share)] = True
    outputs = {m: np.full((20, 24, 3), 40 * n + 10, np.uint8) for n, m in enumerate(methods)}
    return Seen(Pair(f"p{index}", Path("x"), Path("y")), outputs[methods[0]], hole, outputs, ())


def content(sheet: Sheet) -> dict:
    page = sheet.page(PROTOCOL)
    assert not re.search(r"telea|mine|third|https?:", page)
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_is_blind_and_holds_every_two_once():
    sheet = Sheet(side_px=16)
    for index in range(4):
        sheet.see(seen(index, ("telea", "mine", "third")))
    found = content(sheet)
    couples = [(t["pair"], *(side["token"] for side in t["sides"])) for t in found["trials"]]
    assert len(set(couples)) == 12
    assert {two[1:] for two in couples} == {(TELEA, MINE), (TELEA, THIRD), (MINE, THIRD)}
    assert len(found["images"]) == 4 * 3 + len(found["catches"]), "a picture is in the file once"
    assert token("telea", PROTOCOL) != token("telea", "cd" * 32)


def test_catch_trials_are_of_the_widest_holes():
    sheet = Sheet(side_px=16)
    for index in range(30):
        sheet.see(seen(index, share=0.9 if index in (4, 7, 20) else 0.2))
    found = content(sheet)
    assert [t["pair"] for t in found["catches"]] == ["p20", "p4", "p7"]
    sides = [{side["token"] for side in t["sides"]} for t in found["catches"]]
    assert sides == [{token(SOUND, PROTOCOL), token(SPOILED, PROTOCOL)}] * 3
    rated = Sheet(ask="rate", most=5)
    rated.see(seen(0))
    found = content(rated)
    assert [len(t["sides"]) for t in found["trials"] + found["catches"]] == [1, 1, 1]
    assert found["most"] == 2
    with pytest.raises(EvaluationError, match="nothing to judge"):
        Sheet().page(PROTOCOL)


def vote(pair: str, left: str, right: str, choice: str) -> dict:
    return {"pair": pair, "left": left, "right": right, "choice": choice}


def write(path: Path, votes: list[dict], *, voter: str = "1", **changed) -> Path:
    held = {"kind": "remend votes", "protocol": PROTOCOL, "ask": "choose", "voter": voter, "votes": votes}
    path.write_text(json.dumps(held | changed))
    return path


def test_one_voter_counts_once(tmp_path):
    first = write(tmp_path / "a.json", [vote("p", TELEA, MINE, "left")])
    again = write(tmp_path / "b.json", [vote("q", TELEA, MINE, "left")])
    with pytest.raises(EvaluationError, match="of one voter, 1: give each person's last file, once"):
        read_ballots([first, again], protocol=PROTOCOL)
    with pytest.raises(EvaluationError, match="of one voter"):
        read_ballots([first, first], protocol=PROTOCOL)
    twice = write(tmp_path / "c.json", [vote("p", TELEA, MINE, "left"), vote("p", MINE, TELEA, "left")])
    with pytest.raises(EvaluationError, match="votes twice on p"):
        read_ballots([twice], protocol=PROTOCOL)
    other = write(tmp_path / "d.json", [vote("p", TELEA, MINE, "left")], voter="2")
    found = read_ballots([first, other], protocol=PROTOCOL)
    assert [(ballot.voter, ballot.votes[0].pair) for ballot in found] == [("1", "p"), ("2", "p")]


def test_what_does_not_belong_together(tmp_path):
    path = write(tmp_path / "a.json", [vote("p", TELEA, MINE, "left")])
    with pytest.raises(EvaluationError, match="votes on protocol abab"):
        read_ballots([path], protocol="cd" * 32)
    with pytest.raises(EvaluationError, match="count choices and ratings apart"):
        read_ballots([path], protocol=PROTOCOL, ask="rate")
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_ballots([tmp_path / "nowhere"], protocol=PROTOCOL)


@pytest.mark.parametrize(
    "changed",
    [
        {"voter": None},
        {"voter": "x" * 300},
        {"votes": {}},
        {"votes": [{}]},
        {"votes": [vote("p", TELEA, MINE, "up")]},
        {"votes": [vote("", TELEA, MINE, "left")]},
        {"ask": "guess"},
    ],
)
def test_files_that_hold_no_votes(tmp_path, changed):
    path = write(tmp_path / "a.json", **({"votes": []} | changed))
    with pytest.raises(EvaluationError, match="holds no votes"):
        read_ballots([path], protocol=PROTOCOL)
    path.write_text("{")
    with pytest.raises(EvaluationError, match="holds no votes"):
        read_ballots([path], protocol=PROTOCOL)


def test_who_does_not_look_is_left_out(tmp_path):
    sound, spoiled = token(SOUND, PROTOCOL), token(SPOILED, PROTOCOL)
    plain = vote("p", TELEA, MINE, "left")
    caught = [vote(f"c{n}", *((sound, spoiled) if n % 2 else (spoiled, sound)), "") for n in range(4)]
    right = [v | {"choice": "left" if v["left"] == sound else "right"} for v in caught]
    wrong = [v | {"choice": "same"} for v in caught]
    files = [
        write(tmp_path / "a.json", [plain, *right], voter="a"),
        write(tmp_path / "b.json", [*wrong[:1], *right[1:], plain], voter="b"),
        write(tmp_path / "c.json", [*wrong[:2], *right[2:], plain], voter="c"),
    ]
    kept, out = attentive(read_ballots(files, protocol=PROTOCOL), protocol=PROTOCOL)
    assert [(ballot.voter, len(ballot.votes)) for ballot in kept] == [("a", 1), ("b", 1)]
    assert out == {"c": (2, 4)}


def test_ratings_have_catch_trials_too(tmp_path):
    def rated(method, rating):
        return {"pair": "p", "method": method, "rating": rating}

    spoiled = token(SPOILED, PROTOCOL)
    files = [
        write(tmp_path / "a.json", [rated(TELEA, 3), rated(spoiled, 1)], voter="a", ask="rate"),
        write(tmp_path / "b.json", [rated(TELEA, 3), rated(spoiled, 3)], voter="b", ask="rate"),
    ]
    kept, out = attentive(read_ballots(files, protocol=PROTOCOL, ask="rate"), protocol=PROTOCOL)
    assert [ballot.voter for ballot in kept] == ["a"]
    assert out == {"b": (1, 1)}


def test_the_key_comes_back(tmp_path):
    study = Study(PROTOCOL, "rate", ("telea", "mine"))
    (tmp_path / "study.json").write_text(study.as_json())
    assert read_study(tmp_path) == read_study(tmp_path / "study.json") == study
    for text in ("{", "{}", '{"kind": "remend study"}'):
        (tmp_path / "study.json").write_text(text)
        with pytest.raises(EvaluationError, match="is no study"):
            read_study(tmp_path)
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_study(tmp_path / "nowhere")
