"""Training through the whole loop against a bare step: same net, same losses, a batch on hand.

    python -m benchmarks.training_throughput [--blocks 6] [--steps 12]

The shipped recipe ``remend``: bf16 autocast, channels-last, batch 16 of 128² (perceptual loss where the
backbone's weights are at hand). The loop runs as ever, with loader, schedule, clipping, averaged weights, log
and TensorBoard. Each time it has logged a block of steps, the same number of bare steps is taken in the same
process: both see the same machine. The bare steps give the loader time to run ahead by its four batches at
most, so ``waiting`` is what the loop waited of its own time, and ``loader_alone`` what the loader could give.
Validation and saving are not counted, on either side. ``cpu_ratio`` is the same in processor seconds of all
threads, the loader's included, and holds on a busy machine too. Bars: cpu_ratio at least 0.95, ratio 0.85.
The bare step is eager, as the loop's is: nothing here is compiled.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.line import SHARED, print_line
from benchmarks.tiny_training import write_photos

TRUNK = "weights/squeezenet_v1.1_imagenet/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5"
BAR, CLOCK_BAR = 0.95, 0.85


def recipe_of(blocks: int, steps: int) -> Any:
    """The shipped recipe, as short as wanted."""
    from remend.train.config import load, override

    backbone = SHARED / TRUNK
    batch = load("remend").train.batch
    settings = [
        f"loss.backbone={backbone}" if backbone.exists() else "loss.perceptual=0",
        f"train.samples={blocks * steps * batch}",
        f"train.log_every={steps * batch}",
        f"train.validate_every={10**9}",
        "train.save_minutes=1000",
        "data.validation=0",
    ]
    # Coarse starts are a forward pass of the averaged net: learning, not what the loop puts around a step.
    return override(load("remend"), [*settings, "data.prior=0"])


def bare(recipe: Any) -> Callable[[], None]:
    """A step with nothing around it."""
    import torch

    from remend.nets.registry import build
    from remend.train.loss.reconstruction import Criterion
    from remend.train.optim.optimizer import optimizer_of

    net = build(recipe.net, recipe.options).to(memory_format=torch.channels_last)
    optimizer = optimizer_of(net, recipe)
    criterion = Criterion.of(recipe.loss).to(memory_format=torch.channels_last)
    side, count = recipe.data.crop_px, recipe.train.batch
    target = torch.rand(count, 3, side, side).contiguous(memory_format=torch.channels_last)
    hole = torch.zeros(count, 1, side, side)
    hole[:, :, side // 4 : -side // 4, side // 4 : -side // 4] = 1
    image = target * (1 - hole)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            filled, raw, *earlier = net(image, hole)
            loss = criterion(filled, raw, target, hole, earlier=earlier)["total"]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


def loader_alone(recipe: Any, photos: Path, count: int) -> float:
    """Crops a second that the loader makes when nobody else works, its masks made before."""
    from remend.train.data.loader import batches
    from remend.train.data.masks import MaskBank
    from remend.train.data.pictures import read_pictures
    from remend.train.data.samples import Sampler

    pictures = read_pictures([photos], least_px=recipe.data.crop_px)
    sampler = Sampler(pictures, recipe.data, 0, MaskBank(0, size=4))
    for index in range(count):
        sampler(index)
    source = batches(sampler, start=0, size=recipe.train.batch, threads=recipe.train.loaders)
    since = time.perf_counter()
    for _ in range(count // recipe.train.batch):
        next(source)
    speed = count / (time.perf_counter() - since)
    source.close()
    return speed


def measure(folder: Path, blocks: int, steps: int) -> dict[str, Any]:
    """Run both, a block at a time."""
    from remend.train.data import samples
    from remend.train.request import Run
    from remend.train.run.loop import train

    # A run makes its bank of masks once, half a minute of one core spread over ten thousand crops. A few
    # dozen steps would hold nothing else, so they get a bank that is full after the first block.
    samples.MaskBank = partial(samples.MaskBank, size=4)  # type: ignore[assignment,misc]
    shard = SHARED / "train" / "celeba-000.tar"
    photos = shard if shard.exists() else write_photos(folder / "photos", 40)
    recipe = recipe_of(blocks, steps)
    if not shard.exists():
        recipe = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, crop_px=64))
    step = bare(recipe)
    speeds: list[float] = []
    cpu: list[tuple[float, float]] = []
    began = 0.0

    def say(line: str) -> None:
        nonlocal began
        if " of " in line and " left" in line:  # a block of the loop is done
            looped = time.process_time() - began
            since, began = time.perf_counter(), time.process_time()
            for _ in range(steps):
                step()
            speeds.append(steps * recipe.train.batch / (time.perf_counter() - since))
            cpu.append((looped, time.process_time() - began))
            began = time.process_time()

    step()  # before the run, which tells the C library to keep memory for both
    train(Run(recipe, (photos,), folder / "run", accelerator="cpu", say=say))
    with (folder / "run" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    # The first block holds the making of the masks.
    loop, own = [float(row["img_s"]) for row in rows][1:], speeds[1:]
    return {
        "loop_crops_s": statistics.median(loop),
        "bare_crops_s": statistics.median(own),
        "ratio": statistics.median(a / b for a, b in zip(loop, own, strict=True)),
        "cpu_ratio": statistics.median(b / a for a, b in cpu[1:]),
        "waiting": statistics.median(float(row["waiting"]) for row in rows[1:]),
        "waiting_first_block": float(rows[0]["waiting"]),
        "loader_alone_crops_s": loader_alone(recipe, photos, 20 * recipe.train.batch),
    }


def main() -> dict[str, object]:
    """Measure and print."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--blocks", type=int, default=6)
    parser.add_argument("--steps", type=int, default=12)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), options.blocks, options.steps)
    return print_line(
        "training_throughput",
        what="remend, bf16, channels-last, batch 16 of 128², through the loop against bare steps",
        threads=torch.get_num_threads(),
        **figures,
        bar=f"cpu_ratio ≥ {BAR}, ratio ≥ {CLOCK_BAR}",
        met=figures["cpu_ratio"] >= BAR and figures["ratio"] >= CLOCK_BAR,
    )


if __name__ == "__main__":
    main()
