"""Blind votes: nothing on the page names a method, and the count knows them again."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from remend.errors import EvaluationError
from remend.evaluation.pairs import Pair
from remend.evaluation.scores import Seen
from remend.evaluation.votes import Sheet, Vote, read_votes, tally, token, wilson

PROTOCOL = "ab" * 32


def sheet(seed: int = 0, pairs: int = 12) -> dict:
    made = Sheet(seed=seed, side_px=16)
    for index in range(pairs):
        outputs = {m: np.full((20, 24, 3), v, np.uint8) for m, v in (("telea", 10), ("mine", 200))}
        pair = Pair(f"p{index}", Path("x"), Path("y"))
        made.see(Seen(pair, outputs["mine"], np.ones((20, 24), bool), outputs, ()))
    page = made.page(PROTOCOL)
    assert not re.search(r"telea|mine|https?:", page)
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_is_blind_mixed_and_seeded():
    content = sheet()
    lefts = [trial["left"]["token"] for trial in content["trials"]]
    assert set(lefts) == {token("telea", PROTOCOL), token("mine", PROTOCOL)}
    assert [trial["pair"] for trial in content["trials"]] != sorted(t["pair"] for t in content["trials"])
    assert content == sheet()
    assert content != sheet(seed=1)
    assert token("telea", PROTOCOL) != token("telea", "cd" * 32)


def test_votes_are_counted_whatever_the_side(tmp_path):
    telea, mine = token("telea", PROTOCOL), token("mine", PROTOCOL)
    votes = [
        {"pair": "a", "left": telea, "right": mine, "choice": "right"},
        {"pair": "b", "left": mine, "right": telea, "choice": "left"},
        {"pair": "c", "left": mine, "right": telea, "choice": "right"},
        {"pair": "d", "left": mine, "right": telea, "choice": "same"},
    ]
    path = tmp_path / "votes.json"
    path.write_text(json.dumps({"kind": "remend votes", "protocol": PROTOCOL, "votes": votes}))
    (found,) = tally(read_votes([path, path], protocol=PROTOCOL), ["telea", "mine"], protocol=PROTOCOL)
    assert (found.first, found.second) == ("telea", "mine")
    assert (found.for_first, found.for_second, found.same) == (2, 4, 2)
    assert "mine over telea: 4 of 6 (67 %" in found.line()
    assert "no clear preference" in found.line()
    with pytest.raises(EvaluationError, match="votes on protocol abab"):
        read_votes([path], protocol="cd" * 32)
    with pytest.raises(EvaluationError, match="no report holds"):
        tally(read_votes([path], protocol=PROTOCOL), ["telea"], protocol=PROTOCOL)
    for text in ("{", "{}", '{"kind": "remend votes", "protocol": "x", "votes": [{}]}'):
        path.write_text(text)
        with pytest.raises(EvaluationError, match="holds no votes"):
            read_votes([path], protocol=PROTOCOL)


def test_clear_and_empty_preferences():
    telea, mine = token("telea", PROTOCOL), token("mine", PROTOCOL)
    (clear,) = tally([Vote(telea, mine, "right")] * 20, ["telea", "mine"], protocol=PROTOCOL)
    assert clear.line().endswith(": clear")
    (empty,) = tally([Vote(telea, mine, "same")], ["telea", "mine"], protocol=PROTOCOL)
    assert "no preference" in empty.line()
    assert empty.as_json()["interval"] is None


@pytest.mark.parametrize(("wins", "count"), [(0, 5), (3, 7), (50, 50), (400, 1000)])
def test_wilson_is_scipys(wins, count):
    stats = pytest.importorskip("scipy.stats")
    outside = stats.binomtest(wins, count).proportion_ci(method="wilson")
    assert wilson(wins, count) == pytest.approx((outside.low, outside.high), abs=1e-6)
