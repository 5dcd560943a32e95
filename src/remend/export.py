"""From a checkpoint to the file that repair runs: ONNX, its card, and the proof that both agree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remend.errors import ModelError, UsageError, WriteError
from remend.nets.catalogue import NETS, build, figures
from remend.nets.inpainter import Inpainter
from remend.nets.onnx_file import OPSET, parity, round_to_half, same_over_threads, to_onnx
from remend.train.config import from_dict, without_folders
from remend.train.transfer import read_weights

__all__ = ["Exported", "export", "load_net"]

_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        model: the ONNX file.
        card: its card.
        parity: largest difference between torch and ONNX Runtime, of pictures in [0, 1].
    """

    model: Path
    card: Path
    parity: float


def export(
    source: Path,
    target: Path,
    *,
    half: bool = False,
    prior: bool = False,
    licence: str = "not stated",
    overwrite: bool = False,
) -> Exported:
    """Write a checkpoint's averaged weights as ONNX with its card beside it.

    Args:
        source: a run's folder (its best checkpoint, or its newest), a checkpoint's, or a run's
            ``best.safetensors``.
        target: the ONNX file.
        half: store weights in fp16; they are computed with in fp32. Half the size.
        prior: give the file an input for a coarse fill to start from.
        licence: of the weights, for the card.
        overwrite: replace files that exist.

    Raises:
        UsageError: a target that is not ``.onnx``, or exists; a prior for a net that reads none.
        ModelError: no whole checkpoint, or the ONNX file does not answer what torch does.
        WriteError: a file cannot be written.

    Cost: about 20 s.
    """
    if target.suffix != ".onnx":
        raise UsageError(f"the exported file ends in .onnx, got {target.name}")
    card_path = target.with_suffix(".json")
    for path in (target, card_path):
        if path.exists() and not overwrite:
            raise UsageError(f"{path} exists: give another -o, or --overwrite")
    net, state = load_net(source)
    if half:
        round_to_half(net)
    content = to_onnx(net, half=half, prior=prior)
    difference = parity(net, content, prior=prior)
    if not difference <= _TOLERANCE:
        raise ModelError(
            f"ONNX Runtime and torch differ by {difference:.2g}, allowed are {_TOLERANCE:g}: not exported; "
            "are the weights finite?"
        )
    card = {
        "name": target.stem,
        "size_multiple": net.size_multiple,
        "window_px": 512,
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": licence,
        **_about(net, state),
        "inputs": _inputs(prior),
        "outputs": {"filled": "N,3,H,W float32, equal to image where hole is 0"},
        "weights": "fp16 stored, fp32 computed" if half else "fp32",
        "opset": OPSET,
        "parity": difference,
        "same_bits_on_1_and_2_threads": same_over_threads(net, content, prior=prior),
    }
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, content)
        _replace(card_path, (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise WriteError(f"{target} cannot be written ({error.strerror}): choose another place") from error
    return Exported(target, card_path, difference)


def load_net(source: Path) -> tuple[Inpainter, dict[str, Any]]:
    """The net of a checkpoint with its averaged weights, ready to fill, and the checkpoint's state.

    Args:
        source: a run's folder (its best checkpoint, or its newest), a checkpoint's, or a run's
            ``best.safetensors``.

    Raises:
        ModelError: nothing whole there, or weights without the recipe of their net.
    """
    tensors, state = read_weights(source)
    if "recipe" not in state:
        raise ModelError(
            f"{source} holds weights without the recipe of their net: give the best.safetensors of a run"
        )
    recipe = from_dict(state["recipe"])
    net = build(recipe.net, recipe.options)
    try:
        net.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"the checkpoint {source} does not hold its own net: {reason}") from error
    return net.eval().requires_grad_(False), state


def _about(net: Inpainter, state: Mapping[str, Any]) -> dict[str, Any]:
    """What the card says of the net and of how it was trained."""
    entry, cost = NETS[state["net"]], figures(net)
    return {
        "architecture": state["net"],
        "summary": entry.summary,
        "reference": entry.reference,
        "doi": entry.doi,
        "differs": entry.differs,
        "parameters": cost.parameters,
        "gmac_256": round(cost.gmac_256, 2),
        "gmac_512": round(cost.gmac_512, 2),
        "recipe": without_folders(state["recipe"]),
        "recipe_sha256": state["recipe_sha256"],
        "samples_seen": state["samples_seen"],
        "data": state["data"],
        "metrics": {"validation": state["scores"]},
    }


def _inputs(prior: bool) -> dict[str, str]:
    inputs = {
        "image": "N,3,H,W float32 RGB, 0 to 1, 0 under the hole",
        "hole": "N,1,H,W float32, 1 = fill",
    }
    if prior:
        inputs["prior"] = "N,3,H,W float32, a coarse fill to start from; negative for a picture without one"
    return inputs


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(content)
    draft.replace(path)
