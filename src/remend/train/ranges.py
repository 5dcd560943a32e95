"""What the numbers of a recipe may be: refused before anything is read, computed or written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from remend.errors import UsageError

__all__ = ["check_range"]

# From, to, both included. What depends on more than one key, or on the data, is judged where it is used.
_RANGES: Mapping[str, tuple[float, float]] = {
    "data.crop_px": (1, math.inf),
    "data.validation_px": (1, math.inf),
    "data.validation": (0, math.inf),
    "data.memory_gib": (0, math.inf),
    "data.guide": (0, 1),
    "critic.weight": (0, math.inf),
    "critic.feature_matching": (0, math.inf),
    "critic.r1": (0, math.inf),
    "critic.r1_every": (1, math.inf),
    "critic.gp": (0, math.inf),
    "critic.path_length": (0, math.inf),
    "critic.path_every": (1, math.inf),
    "critic.lr": (0, math.inf),
    "critic.steps": (1, math.inf),
    "critic.every": (1, math.inf),
    "critic.from_samples": (0, math.inf),
    "critic.balance": (0, math.inf),
    "critic.soft_px": (0, math.inf),
    "tasks.classification": (0, math.inf),
    "tasks.segmentation": (0, math.inf),
    "tasks.detection": (0, math.inf),
    "tasks.few": (0, math.inf),
    "tasks.share": (0, 1),
    "tasks.width": (1, math.inf),
    "transfer.freeze_until": (0, math.inf),
    "transfer.encoder_lr": (0, math.inf),
    "transfer.layer_decay": (0, math.inf),
    "train.samples": (0, math.inf),
    "train.batch": (1, math.inf),
    "train.accumulate": (1, math.inf),
    "train.lr_factor": (0, 1),
    "train.step_every": (0, math.inf),
    "train.patience": (1, math.inf),
    "train.l1": (0, math.inf),
    "train.momentum": (0, 0.9999),
    "train.lr": (0, math.inf),
    "train.lr_end": (0, 1),
    "train.hold": (0, 1),
    "train.warmup": (0, math.inf),
    "train.weight_decay": (0, math.inf),
    "train.clip": (0, math.inf),
    "train.ema_half_life": (1, math.inf),
    "train.seed": (0, math.inf),
    "train.loaders": (1, math.inf),
    "train.log_every": (1, math.inf),
    "train.validate_every": (1, math.inf),
    "train.save_minutes": (0, math.inf),
    "train.keep": (0, math.inf),
}
_BETAS = ("critic.betas", "train.betas")


def check_range(where: str, value: Any) -> None:
    """Refuse a number that no run can mean.

    Args:
        where: ``section.key``.
        value: of the right type already.

    Raises:
        UsageError: it is out of its range, or not a number (NaN).

    >>> check_range("train.batch", 16)
    >>> check_range("train.batch", 0)
    Traceback (most recent call last):
    ...
    remend.errors.UsageError: train.batch is 1 or more, got 0
    """
    if where in _RANGES:
        low, high = _RANGES[where]
        if not low <= value <= high:
            span = f"{low:g} or more" if high == math.inf else f"from {low:g} to {high:g}"
            raise UsageError(f"{where} is {span}, got {value}")
    elif where in _BETAS and not all(0 <= beta < 1 for beta in value):
        raise UsageError(f"{where} are two numbers from 0 to below 1, got {list(value)}")
    elif where.startswith("loss.") and isinstance(value, (int, float)) and not value >= 0:
        raise UsageError(f"{where} is 0 or more, got {value}")
