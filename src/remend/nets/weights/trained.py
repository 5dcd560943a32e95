"""A net as a run left it: its averaged weights, and the net that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from remend.errors import ModelError
from remend.nets.inpainter import Inpainter
from remend.nets.registry import build
from remend.nets.weights import checkpoint
from remend.nets.weights.foreign import read_foreign
from remend.nets.weights.portable import load_portable
from remend.nets.weights.published import published

__all__ = ["FOREIGN", "load_net", "read_weights", "which_state"]

FOREIGN = (".pth", ".pt", ".ckpt", ".bin")
"""How names of others' checkpoints end."""


def load_net(source: Path) -> tuple[Inpainter, dict[str, Any]]:
    """The net of a checkpoint with its averaged weights, ready to fill, and the checkpoint's state.

    Args:
        source: a run's folder (its best checkpoint, or its newest), a checkpoint's, or a run's
            ``best.safetensors``.

    Raises:
        ModelError: nothing whole there, or weights without the recipe of their net.
        UsageError: a net or options that this build does not have.
    """
    tensors, state = read_weights(source)
    recipe = state.get("recipe")
    if not isinstance(recipe, dict) or "net" not in recipe:
        raise ModelError(
            f"{source} holds weights without the recipe of their net: give the best.safetensors of a run"
        )
    options = recipe.get("options", {}).items()
    net = build(recipe["net"], {key: tuple(v) if isinstance(v, list) else v for key, v in options})
    try:
        net.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"the checkpoint {source} does not hold its own net: {reason}") from error
    return net.eval().requires_grad_(False), state


def read_weights(source: Path) -> tuple[Mapping[str, Tensor], dict[str, Any]]:
    """Averaged weights and state of a run's folder, a checkpoint's, or a portable file; or of a file of
    others, if it holds a net that is known (`remend.nets.weights.published`).

    Raises:
        ModelError: nothing whole there.
    """
    if source.suffix.lower() in FOREIGN:
        known = published(read_foreign(source).tensors)
        return known.tensors, {"net": known.net, "options": known.options, "origin": known.origin}
    if not source.is_dir():
        return load_portable(source)
    if (source / "checkpoints").is_dir():
        paths = checkpoint.listing(source)
        if not paths:
            raise ModelError(f"the run {source} has no checkpoint yet: let it train a few minutes")
        source = checkpoint.best(source) or paths[-1]
    found = checkpoint.read(source, ("ema",))
    return found.tensors["ema"], found.state


def which_state(source: Path, state: Mapping[str, Any]) -> str:
    """Which state of a run was read, and why that one, in one line.

    Args:
        source: what ``read_weights`` was given.
        state: what it answered.

    >>> state = {"samples_seen": 64000, "best_at": 64000, "best": -0.41, "best_by": "pd"}
    >>> which_state(Path("run/best.safetensors"), state)
    'the state at 64,000 samples: the best so far by pd (0.41)'
    """
    seen = int(state.get("samples_seen", 0))
    recipe = state.get("recipe", {})
    critic = recipe.get("critic", {}) if isinstance(recipe, Mapping) else {}
    where = f"the state at {seen:,} samples"
    if source.is_dir() and not (source / "checkpoints").is_dir():
        why = "the one that was given"
    elif state.get("best_at", -1) != seen or state.get("best") is None:
        why = "no validation names a best one"
    else:
        rule = str(state.get("best_by", "psnr"))
        # What is better low is kept with its sign turned.
        value = "" if rule == "last" else f" ({abs(float(state['best'])):.4g})"
        why = f"the best so far by {rule}{value}"
    if not critic.get("name"):
        return f"{where}: {why}"
    start = int(critic.get("from_samples", 0))
    if seen > start:
        return f"{where}: {why}; its critic joined at {start:,}"
    return f"{where}: {why}; its critic was to join at {start:,}, so that it has not learned from it"
