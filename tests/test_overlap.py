"""Repairs that overlap in threads of one process do not disturb one another."""

import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

import remend

IMAGE = np.full((64, 64, 3), 90, np.uint8)
HOLE = np.zeros((64, 64), bool)
HOLE[20:22, 5:60] = True  # thin: filled in tiles, by a pool of threads


class Meeting:
    """A filler that waits until the others fill, too, and notes how many threads OpenCV has."""

    name = "meeting"
    capabilities = remend.Capabilities(context_px=4, local=True)

    def __init__(self, begun: threading.Event, until: threading.Event) -> None:
        self.begun, self.until, self.threads = begun, until, 0

    def fill(self, window, hole, *, usable, prior=None, seed=0):
        self.begun.set()
        assert self.until.wait(10)
        self.threads = cv2.getNumThreads()
        return remend.Filled(np.full_like(window, 0.5))


@pytest.fixture
def four_threads():
    before = cv2.getNumThreads()
    cv2.setNumThreads(4)
    yield
    cv2.setNumThreads(before)


def test_three_repairs_at_once_leave_opencv_its_threads(four_threads):
    """Each begins while the one before fills, and ends after it."""
    begun = [threading.Event() for _ in range(3)]
    ended = [threading.Event() for _ in range(3)]
    fillers = [Meeting(begun[k], until) for k, until in enumerate((begun[2], ended[0], ended[1]))]

    def repair(k: int) -> None:
        if k:
            assert begun[k - 1].wait(10)
        remend.repair(IMAGE, HOLE, method=fillers[k])
        ended[k].set()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(repair, range(3)))
    assert [filler.threads for filler in fillers] == [4, 4, 4]
    assert cv2.getNumThreads() == 4
