"""Batches that processes draw are those that threads draw, bit for bit."""

import dataclasses
import importlib.util
import itertools
import os
import signal

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.train.config import Data  # noqa: E402
from remend.train.data.loader import batches  # noqa: E402
from remend.train.data.masks import GROUPS, MaskBank  # noqa: E402
from remend.train.data.pictures import read_pictures  # noqa: E402
from remend.train.data.process_loader import drawn_by_processes, suits  # noqa: E402
from remend.train.data.samples import Sampler  # noqa: E402

DATA = Data(crop_px=64, thin=0.0, free_form=0.4, box=0.3, large=0.3, jpeg=0.3, grain=0.3)
CPU = torch.device("cpu")


@pytest.fixture
def sampler(photos):
    return Sampler.of(read_pictures((photos,), least_px=64), DATA, seed=3)


def test_processes_draw_what_threads_draw(sampler):
    ours = drawn_by_processes(sampler, start=5, size=6, workers=2, device=CPU)
    theirs = batches(sampler, start=5, size=6, threads=1)
    for one, other in itertools.islice(zip(ours, theirs, strict=False), 9):
        assert (one.first, one.end) == (other.first, other.end)
        for name in ("image", "target", "hole"):
            a, b = getattr(one, name), getattr(other, name)
            assert torch.equal(a, b)
            assert a.stride() == b.stride()
        assert one.ratios.tolist() == other.ratios.tolist()
        assert one.ratios == pytest.approx(one.hole.mean(dim=(1, 2, 3)).numpy())
    ours.close()
    theirs.close()


def test_devices_share_a_batch_without_overlap(sampler):
    parts = [
        drawn_by_processes(sampler, start=7, size=4, workers=1, device=CPU, rank=rank, world=2)
        for rank in (0, 1)
    ]
    whole = batches(sampler, start=7, size=4, threads=1)
    for batch, *shares in itertools.islice(zip(whole, *parts, strict=False), 3):
        for rank, share in enumerate(shares):
            assert torch.equal(share.target, batch.target[rank::2])
            assert (share.first, share.end) == (batch.first, batch.end)
    for source in (whole, *parts):
        source.close()


def test_a_batch_that_was_handed_on_stays_what_it_was(sampler):
    source = drawn_by_processes(sampler, start=0, size=2, workers=1, device=CPU)
    kept = [(batch.target, batch.target.clone()) for batch in itertools.islice(source, 12)]
    source.close()
    assert all(torch.equal(now, then) for now, then in kept)


def test_what_does_not_travel_is_left_to_threads(sampler):
    assert suits(sampler)
    assert not suits(dataclasses.replace(sampler, labels=object()))
    assert not suits(dataclasses.replace(sampler, damage=object()))
    on_disk = dataclasses.replace(sampler.pictures, stored=("somewhere",) * len(sampler.pictures))
    assert not suits(dataclasses.replace(sampler, pictures=on_disk))


def test_masks_made_ahead_are_those_of_the_bank():
    ready, lazy = MaskBank(4, size=3), MaskBank(4, size=3)
    ready.prepare(["free_form"], 64, workers=2)
    cropped = [source for source in GROUPS["free_form"].sources if source.canvas_px]
    assert len(ready._kept) == 3 * len(cropped)
    for (source, _, number), mask in ready._kept.items():
        assert (mask == lazy._mask(source, 64, number)).all()


def test_stop_and_resume_is_bit_for_bit_by_whomever_samples_are_drawn(photos, tmp_path):
    if importlib.util.find_spec("lightning") is None:
        pytest.skip("Lightning is not installed")
    from remend.nets.weights import checkpoint
    from remend.train.config import from_dict
    from remend.train.request import Run
    from remend.train.run import loop

    def run(name, said, drawn_by):
        recipe = from_dict(
            {
                "net": "remend",
                "options": {"widths": [8, 8, 16], "dilations": [1, 2]},
                "data": {"crop_px": 64, "validation_px": 64, "thin": 0.0, "box": 0.5, "large": 0.0},
                "loss": {"perceptual": 0.0},
                "train": {
                    "samples": 32,
                    "batch": 4,
                    "warmup": 8,
                    "log_every": 8,
                    "validate_every": 16,
                    "drawn_by": drawn_by,
                },
            }
        )
        out = tmp_path / name
        return Run(recipe, (photos,), out, precision="32-true", accelerator="cpu", say=said.append)

    def tensors(outcome):
        found = checkpoint.read(outcome.checkpoint).tensors
        return {f"{part}/{name}": t for part, ts in found.items() for name, t in ts.items()}

    wanted = tensors(loop.train(run("threads", [], "threads")))
    half = run("half", said := [], "processes")

    def say(line):
        said.append(line)
        if line.startswith("16 of"):
            os.kill(os.getpid(), signal.SIGTERM)

    assert loop.train(dataclasses.replace(half, say=say)).samples_seen == 16
    got = tensors(loop.train(dataclasses.replace(half, resume=True)))
    assert wanted.keys() == got.keys()
    assert [name for name in wanted if not torch.equal(wanted[name], got[name])] == []
