"""Starting from what another net has learned."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from remend.errors import ModelError
from remend.nets.inpainter import Inpainter
from remend.nets.weights.portable import load_exported
from remend.nets.weights.trained import read_weights

__all__ = ["start_from"]

_NAMED = 3  # tensors that a line names before it only counts them


def start_from(net: Inpainter, source: str, say: Callable[[str], None]) -> None:
    """Give a fresh net what fits of another's weights.

    Args:
        net: to be changed.
        source: a run's folder, a checkpoint's, ``best.safetensors``, an exported ``.onnx``, or a file that
            others have published (`remend.nets.weights.published`): what fits by name and shape is taken.
            For a body with ``load_encoder`` also what that takes.
        say: told what was taken.

    Raises:
        ModelError: nothing there, or nothing fits.
    """
    try:
        path = Path(source).expanduser()
        tensors, state = load_exported(path) if path.suffix == ".onnx" else read_weights(path)
    except ModelError:
        if not hasattr(net.body, "load_encoder"):
            raise
        net.body.load_encoder(source)
        say(f"the encoder starts from {Path(source).name}")
        return
    own = net.state_dict()
    fitting = {n: t for n, t in tensors.items() if n in own and own[n].shape == t.shape}
    if not fitting:
        raise ModelError(
            f"nothing in {source} fits this net: it is of {state.get('net', 'another net')} with other names "
            f"or widths; give the same net and options{_settings(state)}"
        )
    with torch.no_grad():
        for name, tensor in fitting.items():
            own[name].copy_(tensor)
    say(
        f"starts from {source} ({_whose(state)}): "
        f"{len(fitting)} of {len(own)} tensors"
        + _list("; fresh", [n for n in own if n not in fitting])
        + _list("; left over", [n for n in tensors if n not in own])
        + (_settings(state) if len(fitting) < len(tensors) else "")
    )


def _whose(state: dict[str, Any]) -> str:
    seen = f"{int(state.get('samples_seen', 0)):,} samples"
    return str(state.get("origin", f"{state.get('net', 'a net')}, {seen}"))


def _settings(state: dict[str, Any]) -> str:
    """What published weights were made for, as it is typed."""
    if "origin" not in state:
        return ""
    told = {name: list(v) if isinstance(v, tuple) else v for name, v in state["options"].items()}
    return ": " + " ".join(f"--set options.{name}={json.dumps(value)}" for name, value in told.items())


def _list(what: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{what}: {', '.join(names[:_NAMED])}{more}"
