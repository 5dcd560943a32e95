"""What is measured: methods by name, ONNX files, and nets still in training."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError
from remend.picture import Bool

__all__ = ["Restore", "as_methods", "is_checkpoint", "label_of", "library"]

Image = NDArray[np.uint8]
Restore = Callable[[Image, Bool, str], Image]
"""``restore(image, hole, method) -> image``: uint8 RGB, the hole erased."""


def is_checkpoint(method: str) -> bool:
    """Whether a method is a run, a checkpoint's folder, or the weights of one.

    >>> is_checkpoint("best.safetensors"), is_checkpoint("telea"), is_checkpoint("net.onnx")
    (True, False, False)
    """
    return method.lower().endswith(".safetensors") or (
        any(separator in method for separator in "/\\") and Path(method).is_dir()
    )


def label_of(method: str) -> str:
    """What reports call a method: a model file by its stem, a net in training by its run.

    >>> label_of("telea"), label_of("models/mine.onnx"), label_of("runs/x/best.safetensors")
    ('telea', 'mine', 'x')
    >>> label_of("runs/x/checkpoints/000064000/ema.safetensors")
    'x@000064000'
    """
    if method.lower().endswith(".onnx"):
        return Path(method).stem
    if not is_checkpoint(method):
        return method
    path = Path(method)
    folder = path.resolve() if path.is_dir() else path.resolve().parent
    if folder.parent.name == "checkpoints":
        return f"{folder.parent.parent.name}@{folder.name}"
    return folder.name


@contextmanager
def as_methods(labels: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Methods that repair takes: nets in training are exported to ONNX files that live as long as this.

    So a checkpoint is measured through the same windows, scales and seams as the model that would be
    shipped, and not by another program.

    Args:
        labels: label to method.

    Raises:
        UsageError: a checkpoint, and PyTorch is not installed.
        ModelError: a checkpoint that cannot be read, or does not export.

    Cost: about 20 s a checkpoint.
    """
    if not any(is_checkpoint(method) for method in labels.values()):
        yield dict(labels)
        return
    try:
        from remend.export import export
    except ModuleNotFoundError as error:
        raise UsageError(
            f"checkpoints need {error.name}, which is not installed: pip install 'remend[train]'"
        ) from error
    with tempfile.TemporaryDirectory(prefix="remend-") as folder:
        methods = dict(labels)
        for number, (label, method) in enumerate(labels.items()):
            if is_checkpoint(method):
                methods[label] = str(export(Path(method), Path(folder, f"{number}.onnx")).model)
        yield methods


def library(methods: Iterable[str], quality: str, seed: int, projection: str = "flat") -> Restore:
    """The library call, once every method is known to exist: a typing error should not cost hours.

    Raises:
        UsageError, ModelError: no such method, or a model that cannot be loaded.
    """
    from remend.api import repair
    from remend.fill.registry import filler_named

    for method in methods:
        if method != "auto":
            filler_named(method)
    return lambda image, hole, method: repair(
        image, hole, method=method, quality=quality, seed=seed, projection=projection
    )
