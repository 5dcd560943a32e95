"""Starting from what another net has learned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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
        source: a run's folder, a checkpoint's, ``best.safetensors`` or an exported ``.onnx``: what fits by
            name and shape is taken. For a body with ``load_encoder`` also what that takes.
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
            "or widths; give the same net and options"
        )
    with torch.no_grad():
        for name, tensor in fitting.items():
            own[name].copy_(tensor)
    say(
        f"starts from {source} ({state.get('net', 'a net')}, {int(state.get('samples_seen', 0)):,} samples): "
        f"{len(fitting)} of {len(own)} tensors"
        + _list("; fresh", [n for n in own if n not in fitting])
        + _list("; left over", [n for n in tensors if n not in own])
    )


def _list(what: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{what}: {', '.join(names[:_NAMED])}{more}"
