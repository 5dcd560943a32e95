"""What a net costs on this machine: time in torch and in ONNX Runtime, memory of training, and its export."""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from remend.errors import ModelError, UsageError
from remend.nets.inpainter import Inpainter
from remend.nets.registry import build, figures

__all__ = ["Costs", "costs"]

_BATCH, _CROP = 8, 128
_RUNS = 3
_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Costs:
    """What one net costs.

    Attributes:
        parameters: numbers that are served.
        gmac_256, gmac_512: 10⁹ multiply-adds for one picture of that side.
        torch_ms: one picture of ``side_px``², fp32, the median of three. On one thread this is processor
            time, which holds on a busy machine too; on more it is what the clock says.
        onnx_ms: the same in ONNX Runtime; NaN = it does not export.
        training_mib: what a step adds to the process: weights, Adam's moments and the activations of 8 crops
            of 128² in fp32, L1 alone, without a critic.
        export: ``yes`` with the largest difference to torch, as a share of the largest answer where that is
            above 1; or why not.
        threads: of both runtimes.
        side_px: of the timed picture.
    """

    parameters: int
    gmac_256: float
    gmac_512: float
    torch_ms: float
    onnx_ms: float
    training_mib: float
    export: str
    threads: int
    side_px: int


def costs(
    name: str, options: Mapping[str, Any] | None = None, *, side_px: int = 512, threads: int = 1
) -> Costs:
    """Measure a net with fresh weights.

    Args:
        name: one of ``NETS``.
        options: the body's keyword arguments; None = the defaults.
        side_px: of the timed picture, a multiple of the net's ``size_multiple``.
        threads: of torch and of ONNX Runtime.

    Raises:
        UsageError: an unknown net or options that it does not take.

    Cost: half a minute for a net of 30 GMAC; a process of its own measures memory.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        torch.manual_seed(0)
        net = build(name, options).eval().requires_grad_(False)
        cost = figures(net)
        feed = _feed(net, side_px)
        served = net.folded()
        with torch.inference_mode():
            torch_ms = _median_ms(
                lambda: served(**{k: torch.from_numpy(v) for k, v in feed.items()}), threads
            )
        onnx_ms, export = _exported(net, feed, threads)
    finally:
        torch.set_num_threads(before)
    return Costs(
        cost.parameters,
        cost.gmac_256,
        cost.gmac_512,
        torch_ms,
        onnx_ms,
        _training_mib(name, dict(options or {}), threads),
        export,
        threads,
        side_px,
    )


def _feed(net: Inpainter, side: int) -> dict[str, Any]:
    """A picture with a hole of half of each side, and whatever else the net takes."""
    hole = np.zeros((1, 1, side, side), np.float32)
    hole[:, :, side // 4 : -(side // 4), side // 4 : -(side // 4)] = 1
    image = np.random.default_rng(0).random((1, 3, side, side), np.float32) * (1 - hole)
    feed = {"image": image, "hole": hole}
    if net.takes_guide:
        feed["guide"] = np.zeros_like(hole)
    if net.noise_size:
        feed["noise"] = np.zeros((1, net.noise_size), np.float32)
    return feed


def _median_ms(run: Callable[[], Any], threads: int) -> float:
    clock = time.process_time if threads == 1 else time.perf_counter
    run()
    took = []
    for _ in range(_RUNS):
        since = clock()
        run()
        took.append(1000 * (clock() - since))
    return statistics.median(took)


def _exported(net: Inpainter, feed: dict[str, Any], threads: int) -> tuple[float, str]:
    """Milliseconds in ONNX Runtime, and whether the file answers what torch does."""
    from remend.nets.onnx_file import parity, to_onnx
    from remend.runtime import open_plain_session

    try:
        content = to_onnx(net)
    except (ModelError, UsageError) as error:
        return float("nan"), f"no: {error}"
    session = open_plain_session(content, threads=threads)
    took = _median_ms(lambda: session.run(["filled"], feed), threads)
    difference = parity(net, content, [(1, 4, 4), (2, 5, 7)], relative=True)
    word = "yes" if difference <= _TOLERANCE else "differs"
    return took, f"{word}, within {difference:.0e}"


def _training_mib(name: str, options: dict[str, Any], threads: int) -> float:
    """In a process of its own: the peak of a process cannot be lowered again."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_step_mib, (name, options, threads))


def _step_mib(name: str, options: dict[str, Any], threads: int) -> float:
    torch.set_num_threads(threads)
    torch.rand(1, 3, 8, 8, requires_grad=True).mul(2).sum().backward()  # what torch itself takes
    before = _peak_mib()
    net = build(name, options).train()
    side = -(-_CROP // net.size_multiple) * net.size_multiple
    image, hole = torch.rand(_BATCH, 3, side, side), torch.zeros(_BATCH, 1, side, side)
    hole[:, :, side // 4 : side // 2, side // 4 : side // 2] = 1
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
    for _ in range(2):
        raw = net(image, hole)[1]
        raw.abs().mean().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return _peak_mib() - before


def _peak_mib() -> float:
    status = Path("/proc/self/status")
    if status.exists():  # Linux hands the peak of getrusage down to a child, but not this one
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
