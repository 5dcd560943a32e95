"""A trained net as one file: safetensors, with what is known of it as JSON in the file's metadata; no pickle.

``RUN/best.safetensors`` is such a file: the averaged weights of the best checkpoint, with its ``state.json``
under the metadata key ``remend``. It can be sent, exported and measured without the run's folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from remend.errors import ModelError, WriteError

__all__ = ["load_exported", "load_portable", "save_portable"]

_KEY = "remend"
# Before and behind the names of weights in an exported file.
_NET, _HALF, _EIGHT_BITS = "net.", ".half", "_quantized"
# The format itself allows no longer header; a file that claims one is no safetensors file.
_LARGEST_HEADER = 100_000_000


def save_portable(path: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write tensors and state as one file; it exists whole or not at all.

    Args:
        path: the file, replaced if it exists.
        tensors: by name; stored contiguous, as safetensors wants them.
        state: anything that JSON holds; of a checkpoint, its ``state.json``.

    Raises:
        WriteError: it cannot be written; a file that was there is as it was.
    """
    content = save(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
        metadata={"format": "pt", _KEY: json.dumps(state, ensure_ascii=False)},
    )
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise WriteError(
            f"{path} cannot be written ({error.strerror or error}): make room or choose another place"
        ) from error


def load_portable(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what ``save_portable`` wrote: ``(tensors, state)``, the tensors on the CPU.

    Raises:
        ModelError: missing, damaged, or a file that Remend did not write.
    """
    try:
        content = path.read_bytes()
        tensors = load(content)
        length = int.from_bytes(content[:8], "little")
        if length > _LARGEST_HEADER:
            raise ValueError(f"its header claims {length} bytes")
        metadata = json.loads(content[8 : 8 + length]).get("__metadata__", {})
        state = json.loads(metadata[_KEY]) if _KEY in metadata else None
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror or error}): give another file") from error
    except (SafetensorError, ValueError, AttributeError) as error:
        raise ModelError(f"{path} is damaged or no safetensors file ({error}): give another one") from error
    if not isinstance(state, dict):
        raise ModelError(
            f"{path} holds tensors but not what they are of: give the best.safetensors of a run, "
            "or a checkpoint's folder"
        )
    return tensors, state


def load_exported(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights inside an ONNX file that ``remend export`` wrote, and whose they are: ``(tensors, state)``.

    A run can begin from them, even where they are stored in half precision or in 8 bits: a weight is then
    off by at most 1/254 of the largest of its channel. What a net folds for serving is folded there, and does
    not fit it any more. The state has ``net`` and ``samples_seen`` alone, as far as a card beside the file
    says so; it is not enough to export again.

    Raises:
        ModelError: missing, damaged, without weights under a net's names, or with a card that is none.
    """
    import numpy as np
    import onnx

    try:
        graph = onnx.load(path).graph
        values = {entry.name: onnx.numpy_helper.to_array(entry) for entry in graph.initializer}
        for node in graph.node:
            if node.op_type == "DequantizeLinear" and node.input[0] in values:
                whole, scale, zero = (np.asarray(values.pop(name), np.float32) for name in node.input)
                channels = (-1, *(1 for _ in whole.shape[1:])) if scale.ndim else ()
                values[node.input[0]] = (whole - zero.reshape(channels)) * scale.reshape(channels)
        tensors = {
            name.removeprefix(_NET).removesuffix(_HALF).removesuffix(_EIGHT_BITS): torch.from_numpy(
                np.array(value, np.float32)
            )
            for name, value in values.items()
            if name.startswith(_NET)
        }
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror or error}): give another file") from error
    except Exception as error:  # protobuf has its own, of no common kind
        raise ModelError(f"{path} is damaged or no ONNX file: give another one") from error
    if not tensors:
        raise ModelError(f"{path} holds no weights under a net's names: give a file that remend export wrote")
    return tensors, _told_beside(path)


def _told_beside(path: Path) -> dict[str, Any]:
    """The net of an exported file and the samples it had seen, as its card says."""
    card = path.with_suffix(".json")
    try:
        known = json.loads(card.read_text(encoding="utf-8")) if card.is_file() else {}
        net, samples = known.get("architecture", "a net"), known.get("samples_seen", 0)
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(
            f"the model card {card.name} cannot be read ({error}): mend it or take it away"
        ) from error
    return {"net": str(net), "samples_seen": samples if isinstance(samples, int) else 0}
