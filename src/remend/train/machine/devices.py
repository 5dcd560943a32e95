"""The devices of a run: Lightning Fabric, set up for what the loop counts on."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from remend.errors import UsageError
from remend.nets.torchvision_schema import mend_torchvision
from remend.train.machine.allocator import keep_freed_memory

if TYPE_CHECKING:
    from lightning.fabric import Fabric

    from remend.train.request import Run

__all__ = ["mean_over_devices", "peak_memory_gib", "start"]


def start(run: Run) -> Fabric:
    """Launch the processes of a run, one a device.

    Raises:
        UsageError: an accelerator or strategy that this machine does not have.
    """
    # Lightning imports torchmetrics, which imports torchvision.
    mend_torchvision()
    from lightning.fabric import Fabric

    for part in ("fabric", "pytorch"):  # what was chosen is said by the run
        logging.getLogger(f"lightning.{part}").setLevel(logging.WARNING)

    # Lightning's own choice takes Apple's GPUs too, which have no float64.
    own = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        fabric = Fabric(
            accelerator=own if run.accelerator == "auto" else run.accelerator,
            devices=run.devices,
            strategy=_strategy(run),
            **_precision(run),
        )
        fabric.launch()
    except (RuntimeError, ValueError) as error:
        # Lightning's own words for a machine without such a device; the first sentence says it.
        raise UsageError(
            f"--accelerator {run.accelerator} --devices {run.devices} cannot be had here "
            f"({str(error).splitlines()[0]})"
        ) from error
    if fabric.device.type == "cpu":
        keep_freed_memory()
    elif fabric.device.type == "cuda":
        torch.backends.cudnn.benchmark = True  # crops are all of one size
        # What is left in fp32 may be multiplied in TF32, ten bits, as convolutions are anyway; ``push_pull``
        # keeps out of it by itself.
        torch.set_float32_matmul_precision("high")
    return fabric


def _precision(run: Run) -> dict[str, Any]:
    """Fabric's own precision, or autocast alone.

    Lightning's mixed precision hands the net its inputs in bf16: pictures rounded to eight bits of their
    own, and all that is reckoned before the first convolution too. A base fill in bf16 is 2.5 dB worse on
    scratches than the one that is served: a net that learns from it learns to mend what will not be there.
    """
    if not run.precision.endswith("-mixed"):
        return {"precision": run.precision}
    from lightning.fabric.plugins import MixedPrecision

    class Autocast(MixedPrecision):
        def convert_input(self, data: Any) -> Any:
            return data

    on_cuda = run.accelerator in ("cuda", "gpu") or (run.accelerator == "auto" and torch.cuda.is_available())
    return {"plugins": [Autocast(run.precision, "cuda" if on_cuda else "cpu")]}


def mean_over_devices(fabric: Fabric, values: Tensor) -> Tensor:
    """Each value's mean over all processes; one that is not finite anywhere is not finite in the mean."""
    if fabric.world_size == 1:
        return values
    reduced: Tensor = fabric.all_reduce(values, reduce_op="mean")
    return reduced


def peak_memory_gib(device: torch.device | None = None) -> float:
    """The most memory used so far: of the device on CUDA, else of the process."""
    if device is not None and device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device)) / 2**30
    import resource
    import sys

    # Linux counts in KiB, macOS in bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**30 if sys.platform == "darwin" else peak / 2**20


def _strategy(run: Run) -> Any:
    from lightning.fabric.strategies import DDPStrategy

    if run.strategy == "ddp" or (run.strategy == "auto" and run.devices > 1):
        cpu = run.accelerator == "cpu" or not torch.cuda.is_available()
        return DDPStrategy(
            process_group_backend="gloo" if cpu else None,
            gradient_as_bucket_view=True,
            # Parameters that are frozen at first bring no gradient.
            find_unused_parameters=run.recipe.transfer.freeze_until > 0,
            **_own_buffers(),
        )
    return "auto"


def _own_buffers() -> dict[str, bool]:
    """Each process keeps its buffers: those of a spectral norm are the same everywhere as they are.

    Overwriting them in the middle of a step would break its gradient.
    """
    known = inspect.signature(torch.nn.parallel.DistributedDataParallel.__init__).parameters
    # PyTorch 2.13 has given it another name, and warns of the old one.
    return {"forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers": False}
