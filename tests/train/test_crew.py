"""Samples drawn by other processes are those that the reader would have drawn, in the same order."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.train.data.workers import Crew

PLANES = {"crop": ((4, 4), np.uint8), "number": ((), np.int64)}


def draw(number, rows):
    rows["crop"][:] = number % 256
    rows["number"][...] = number


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_come_in_order_whoever_draws_them(workers):
    source = Crew(draw, PLANES, size=5, workers=workers).batches(first=7)
    for k in range(12):
        rows = next(source)
        assert rows["number"].tolist() == [7 + 5 * k + j for j in range(5)]
        assert (rows["crop"][:, 0, 0] == rows["number"]).all()
    source.close()


def test_a_batch_stays_until_the_next_is_asked_for():
    source = Crew(draw, PLANES, size=2, workers=2, ahead=3).batches(first=0)
    for k in range(9):
        rows = next(source)
        before = rows["number"].copy()
        assert rows["number"].tolist() == before.tolist() == [2 * k, 2 * k + 1]
    source.close()


def test_what_fails_in_a_process_reaches_the_reader():
    def fails(number, rows):
        if number == 6:
            raise ValueError("six cannot be drawn")
        draw(number, rows)

    source = Crew(fails, PLANES, size=2, workers=2).batches(first=0)
    with pytest.raises(ValueError, match="six"):
        for _ in range(9):
            next(source)
