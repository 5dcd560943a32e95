"""From a trained restorer to ``restore.onnx`` and its card."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from remend.errors import ModelError, UsageError
from remend.nets.onnx_file import store_half
from remend.nets.restorer import Restorer
from remend.nets.weights.portable import load_portable
from remend.runtime import open_plain_session

__all__ = ["export_restorer", "restorer_onnx"]

OPSET = 18
SIZES = ((1, 64, 64), (1, 104, 72), (2, 8, 40))
MOST_APART = 1 / 255 / 20  # of a level, between torch and the file


class _Served(nn.Module):
    """The net as it is served, and nothing else: a share of the change is the caller's business."""

    def __init__(self, net: Restorer) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        change: Tensor = self.net(image)
        return change


def restorer_onnx(net: Restorer, *, half: bool = True) -> bytes:
    """The net as an ONNX file's content; H and W free, multiples of 8.

    Args:
        net: in evaluation mode.
        half: large weights are stored in fp16, and computed with in fp32.
    """
    import onnx

    buffer = io.BytesIO()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    frame = {0: "N", 2: "H", 3: "W"}
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated
        torch.onnx.export(
            _Served(net).eval(),
            (torch.zeros(1, 3, 64, 96),),
            buffer,
            input_names=["image"],
            output_names=["change"],
            dynamic_axes={"image": frame, "change": frame},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    if half:
        store_half(model)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def export_restorer(
    checkpoint: Path,
    target: Path,
    *,
    sources: Sequence[Path] = (),
    licence: str = "not stated",
    overwrite: bool = False,
) -> Path:
    """Write ``target`` (.onnx, weights in fp16), and beside it the card.

    Args:
        checkpoint: a run's ``best.safetensors``, or the run's folder.
        target: of the ONNX file.
        sources: the pictures that the run was given, for the card.
        licence: of the weights, for the card.
        overwrite: replace files that exist.

    Raises:
        UsageError: a target that exists, or is no .onnx.
        ModelError: the checkpoint is of another net, or the file answers something else than the net.
    """
    if target.suffix != ".onnx":
        raise UsageError(f"the exported file ends in .onnx, got {target.name}")
    if target.exists() and not overwrite:
        raise UsageError(f"{target} exists: give another -o, or --overwrite")
    checkpoint = checkpoint / "best.safetensors" if checkpoint.is_dir() else checkpoint
    tensors, state = load_portable(checkpoint)
    if state.get("net") != "restorer":
        raise ModelError(f"{checkpoint} is of the net {state.get('net')}: give a restorer's best.safetensors")
    net = Restorer()
    net.load_state_dict(tensors)
    net.eval()
    with torch.no_grad():  # as they are stored
        for parameter in net.parameters():
            parameter.copy_(parameter.half())
    content = restorer_onnx(net)
    apart = _apart(net, content)
    if apart > MOST_APART:
        raise ModelError(f"ONNX Runtime answers {apart:.1e} off: report this with the checkpoint")
    target.write_bytes(content)
    recipe: dict[str, Any] = dict(state["recipe"])
    recipe["weights"] = Path(recipe["weights"]).name  # where files lie on a machine is nobody's business
    card = {
        "name": "restore",
        "architecture": "restorer",
        "summary": "U-Net on unshuffled pixels, residual, blind: noise, grain, JPEG blocks, slight blur",
        "size_multiple": Restorer.size_multiple,
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": licence,
        "parameters": sum(p.numel() for p in net.parameters()),
        "samples_seen": state["samples_seen"],
        "recipe": recipe,
        "groups": sorted({path.name for path in sources}),
        "scores": {name: round(value, 3) for name, value in state.get("scores", {}).items()},
        "protocol": "decibels on crops of pictures set aside, worn in fixed ways; _gain: over the worn crop",
        "inputs": {"image": "(N, 3, H, W) float32 RGB in [0, 1], H and W multiples of 8"},
        "outputs": {"change": "(N, 3, H, W) float32, to be added to the picture, a share of it for less"},
    }
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    target.with_suffix(".json").write_text(text, encoding="utf-8")
    return target


def _apart(net: Restorer, content: bytes) -> float:
    """The largest difference between the net and the file over random pictures."""
    session, rng, worst = open_plain_session(content), np.random.default_rng(0), 0.0
    for count, height, width in SIZES:
        image = rng.random((count, 3, height, width), np.float32)
        (answer,) = session.run(["change"], {"image": image})
        with torch.inference_mode():
            wanted = net(torch.from_numpy(image)).numpy()
        worst = max(worst, float(np.abs(answer - wanted).max()))
    return worst
