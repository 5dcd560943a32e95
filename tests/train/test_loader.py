import itertools
import threading
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.train.data.loader import batches  # noqa: E402
from remend.train.data.samples import Sample  # noqa: E402


def sample(index):
    image = np.full((4, 4, 3), index, np.uint8)
    return Sample(image, image, np.eye(4, dtype=np.bool_), "thin")


def indices(batch):
    return (batch.image[:, 0, 0, 0] * 255).round().int().tolist()


@pytest.mark.parametrize("threads", [1, 3])
def test_batches_come_in_order_whatever_the_threads(threads):
    source = batches(sample, start=5, size=3, threads=threads)
    taken = list(itertools.islice(source, 3))
    source.close()
    assert [indices(b) for b in taken] == [[5, 6, 7], [8, 9, 10], [11, 12, 13]]
    assert [(b.first, b.end) for b in taken] == [(5, 8), (8, 11), (11, 14)]


def test_devices_share_a_batch_without_overlap():
    parts = [next(batches(sample, start=0, size=4, threads=1, rank=rank, world=2)) for rank in (0, 1)]
    assert [indices(b) for b in parts] == [[0, 2], [1, 3]]
    assert {b.end for b in parts} == {4}


def test_a_batch_keeps_the_nets_contract():
    batch = next(batches(sample, start=255, size=1, threads=1))
    assert batch.image.shape == (1, 3, 4, 4)
    assert batch.image.dtype is torch.float32
    assert float(batch.image.max()) == 1.0
    assert batch.image.is_contiguous(memory_format=torch.channels_last)
    assert batch.hole.unique().tolist() == [0.0, 1.0]
    # Not channels-last: pooling would be three times slower, and nothing but the strides tells.
    assert batch.hole.stride() == (16, 16, 4, 1)


def test_a_sample_that_fails_reaches_the_loop():
    def broken(index):
        raise ValueError("no picture")

    with pytest.raises(ValueError, match="no picture"):
        next(batches(broken, start=0, size=2, threads=1))


@pytest.mark.parametrize("threads", [1, 4, 16])
def test_as_many_samples_are_on_their_way_as_there_are_threads(threads):
    """None returns before that many are being made: what waits (a disc, a decoder) scales with threads."""
    small = Sample(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8), np.ones((2, 2), bool), "box")
    together = threading.Barrier(threads)

    def slow(index):
        together.wait(timeout=60)
        return small

    source = batches(slow, start=0, size=1, threads=threads)
    taken = list(itertools.islice(source, 2))
    together.abort()
    source.close()
    assert [(b.first, b.end) for b in taken] == [(0, 1), (1, 2)]


def test_sixteen_threads_draw_as_many_times_as_much():
    """Of a sampler that waits as one does that reads and decodes: the processor's cores set no bound."""
    pixels, hole = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), bool)

    def sample(index):
        time.sleep(0.005)
        return Sample(pixels, pixels, hole, "box")

    def speed(threads):
        source = batches(sample, start=0, size=16, threads=threads)
        for _ in range(threads + 3):
            next(source)
        since = time.perf_counter()
        for _ in range(2 * threads):
            next(source)
        taken = time.perf_counter() - since
        source.close()
        return 2 * threads / taken

    one, four, sixteen = (max(speed(threads) for _ in range(2)) for threads in (1, 4, 16))
    assert four > 2.5 * one
    assert sixteen > 10 * one
