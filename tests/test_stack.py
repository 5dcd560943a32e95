"""The walk over pages: who sees which neighbours, and in what state."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

import remend
from remend.document import Document
from remend.fill.filler import Neighbour
from remend.finding import Finding
from remend.options import Settings
from remend.picture import Container, Picture
from remend.stack import walk

H, W = 40, 48


class Recorder:
    """Fills with what the page before shows there, and records what it saw."""

    name = "recorder"

    def __init__(self, neighbours: int = 1, local: bool = False) -> None:
        self.capabilities = remend.Capabilities(context_px=8, neighbours=neighbours, local=local)
        self.seen: list[dict[int, Neighbour]] = []

    def fill(self, window, hole, *, usable, prior=None, neighbours=None, seed=0):
        self.seen.append(dict(neighbours or {}))
        before = (neighbours or {}).get(-1)
        return remend.Filled(window * 0 + 0.5 if before is None else before.pixels)


def document(pages: list[np.ndarray]) -> Document:
    pictures = [Picture(page.copy()[..., None], "L") for page in pages]
    return Document(Container("tiff"), pictures, "slice")


def levels(count: int) -> list[np.ndarray]:
    return [np.full((H, W), 20 * number + 10, np.uint8) for number in range(count)]


@pytest.mark.parametrize("local", [False, True])
def test_a_filler_gets_the_neighbours_that_it_asks_for(local: bool) -> None:
    hole = np.zeros((H, W), bool)
    hole[10:14, 10:20] = True
    filler = Recorder(neighbours=2, local=local)
    asked = []

    def find(number: int, picture: Picture) -> Finding:
        asked.append(number)
        return Finding(hole)

    turns = list(walk(document(levels(5)), [1, 2, 4], find, Settings(method=filler, grain=0)))
    assert [turn.number for turn in turns] == [1, 2, 4]
    assert sorted(asked) == [1, 2, 4]  # each once, pages that stay not at all
    assert [sorted(seen) for seen in filler.seen] == [[-1, 1, 2], [-2, -1, 1, 2], [-2, -1]]
    first, second, _ = filler.seen
    assert first[-1].usable.all()  # page 0 is not repaired: all of it may be read
    assert not first[1].usable.all()  # page 2 has its turn still before it
    assert second[-1].usable.all()  # page 1 is repaired
    # Page 1 took its fill from page 0, and handed it on to page 2.
    assert (turns[0].restored.picture.samples[hole] == 10).all()
    assert (turns[1].restored.picture.samples[hole] == 10).all()
    assert (turns[2].restored.picture.samples[hole] == 70).all()
    for turn, level in zip(turns, (30, 50, 90), strict=True):
        assert (turn.restored.picture.samples[~hole] == level).all()


def test_neighbours_come_in_the_windows_own_range() -> None:
    pages = [np.linspace(-500, 500 + 100 * k, H * W).reshape(H, W).astype(np.int16) for k in range(2)]
    hole = np.zeros((H, W), bool)
    hole[15:25, 15:25] = True
    filler = Recorder()
    made = walk(document(pages), [1], lambda *given: Finding(hole), Settings(method=filler, grain=0))
    (turn,) = made
    assert np.abs(turn.restored.picture.samples[..., 0].astype(int) - pages[0])[hole].max() <= 1


def test_pages_of_another_size_are_no_neighbours() -> None:
    pages = [np.full((H, W + 1), 9, np.uint8), *levels(1)]
    hole = np.zeros((H, W), bool)
    hole[10:14, 10:20] = True
    filler = Recorder()
    list(walk(document(pages), [1], lambda *given: Finding(hole), Settings(method=filler)))
    assert filler.seen == [{}]


def test_who_asks_for_none_reads_no_other_page(tmp_path: Path) -> None:
    read: list[int] = []

    class Counted(list):
        def __getitem__(self, number):
            read.append(number)
            return super().__getitem__(number)

    pages = Counted(document(levels(4)).pages)
    hole = np.zeros((H, W), bool)
    hole[10:14, 10:20] = True
    find = lambda *given: Finding(hole)  # noqa: E731
    list(walk(Document(Container("tiff"), pages), [2], find, Settings()))
    assert read == [2]


def test_from_file_to_file(tmp_path: Path) -> None:
    hole = np.zeros((H, W), bool)
    hole[10:14, 10:20] = True
    tifffile.imwrite(tmp_path / "slices.tif", np.stack(levels(3)), photometric="minisblack")
    out = remend.repair(str(tmp_path / "slices.tif"), hole, pages="2-3", method=Recorder(), grain=0)
    with tifffile.TiffFile(out) as file:
        after = [page.asarray() for page in file.pages]
    assert [int(page[11, 12]) for page in after] == [10, 10, 10]
    assert [int(page[0, 0]) for page in after] == [10, 30, 50]
