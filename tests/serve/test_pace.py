"""How long filling is likely to take, learned from what was filled."""

from __future__ import annotations

import pytest

from remend.picture import Box
from remend.plan.plan import Plan, Step
from remend.serve.pace import Pace


def step(side: int, filler: str = "smooth", scale: float = 1.0) -> Step:
    return Step(filler, "", 1.0, Box(0, 0, side, side), None, scale)


def test_a_filler_is_expected_to_take_what_it_lately_took():
    now = 100.0
    pace = Pace(clock=lambda: now)
    assert pace.begin(Plan((step(100), step(100)))) > 0
    now += 3
    assert pace.done(step(100)) == pytest.approx(3), "the other one is of the same size"
    now += 3
    assert pace.done(step(100)) == 0
    assert pace.begin(Plan((step(200, scale=0.5), step(50)))) == pytest.approx(3 + 0.75)
    other = pace.begin(Plan((step(100, "neural"),)))
    assert other == Pace(clock=lambda: now).begin(Plan((step(100),))), "of another filler it knows nothing"


def test_it_follows_a_machine_that_becomes_slower():
    now = 0.0
    pace = Pace(clock=lambda: now)
    for seconds in (1, 1, 4, 4, 4, 4, 4, 4, 4, 4):
        pace.begin(Plan((step(100),)))
        now += seconds
        pace.done(step(100))
    assert pace.begin(Plan((step(100),))) == pytest.approx(4, rel=0.2)
