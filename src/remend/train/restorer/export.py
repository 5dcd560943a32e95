"""From a trained restorer or enlarger to ``restore.onnx`` or ``enlarge.onnx`` and its card."""

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
from numpy.typing import NDArray
from torch import Tensor, nn

from remend.errors import ModelError, UsageError
from remend.nets.enlarger import Enlarger
from remend.nets.onnx_file import store_half
from remend.nets.restorer import Restorer
from remend.nets.weights.portable import load_portable
from remend.quantize import in_8_bits
from remend.runtime import open_plain_session
from remend.train.data.pictures import read_pictures
from remend.train.restorer.recipe import RestorerRecipe, recipe_of
from remend.train.restorer.sampler import Sampler
from remend.train.restorer.validation import as_input

__all__ = ["export_restorer", "restorer_onnx"]

OPSET = 18
SIZES = ((1, 64, 64), (1, 104, 72), (2, 8, 40))
MOST_APART = 1 / 255 / 20  # of a level, between torch and the file
MOST_LOST = 1.0  # levels, by 8 bits
CALIBRATED, CROP_PX = 48, 160

Rgb = NDArray[np.uint8]
NETS: dict[str, type[Restorer] | type[Enlarger]] = {"restorer": Restorer, "enlarger": Enlarger}
_ANSWERS: dict[type, str] = {Restorer: "change", Enlarger: "enlarged"}
_SUMMARIES: dict[type, str] = {
    Restorer: "U-Net on unshuffled pixels, residual, blind: noise, grain, JPEG blocks, slight blur",
    Enlarger: "twice as large: residual blocks at the small size over a cubic enlargement, blind to JPEG",
}
_OUTPUTS: dict[type, str] = {
    Restorer: "(N, 3, H, W) float32, to be added to the picture, a share of it for less",
    Enlarger: "(N, 3, 2 H, 2 W) float32, not clipped",
}


class _Served(nn.Module):
    """The net as it is served, and nothing else: a share of the change is the caller's business."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        answer: Tensor = self.net(image)
        return answer


def restorer_onnx(net: nn.Module, *, half: bool = True) -> bytes:
    """The net as an ONNX file's content; H and W free, multiples of 8 for a restorer.

    Args:
        net: a restorer or an enlarger, in evaluation mode.
        half: large weights are stored in fp16, and computed with in fp32.
    """
    import onnx

    answer = _ANSWERS[type(net)]
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
            output_names=[answer],
            dynamic_axes={"image": frame, answer: {0: "N", 2: "rows", 3: "columns"}},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    if half:
        store_half(model)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _in_8_bits(
    net: nn.Module, content: bytes, pictures: Sequence[Rgb], recipe: RestorerRecipe
) -> tuple[bytes, float]:
    """Most convolutions in 8 bits, and by how many levels answers differ then (root mean square).

    Those that see pixels stay as they are, and those at half size, which carry the finest noise.
    """
    import onnx

    sampler = Sampler(pictures, 1, recipe.wear, halved=isinstance(net, Enlarger))
    shown = sampler.batch(0, CALIBRATED, 2 * CROP_PX if isinstance(net, Enlarger) else CROP_PX)[1]
    feeds = [{"image": part.numpy()} for part in as_input(shown).contiguous().split(4)]
    nodes = [node.name for node in onnx.load_from_string(content).graph.node if node.op_type == "Conv"]
    kept = ("stem", "head", "/inward.0/", "/outward.0/")
    inner = [name for name in nodes if not any(word in name for word in kept) and name != "/net/Conv"]
    small = in_8_bits(content, feeds, inner)
    one, other = open_plain_session(content), open_plain_session(small)
    squares = [np.square(one.run(None, feed)[0] - other.run(None, feed)[0]).mean() for feed in feeds]
    return small, 255 * float(np.sqrt(np.mean(squares)))


def export_restorer(
    checkpoint: Path,
    target: Path,
    *,
    sources: Sequence[Path] = (),
    pictures: Sequence[Rgb] = (),
    licence: str = "not stated",
    overwrite: bool = False,
) -> Path:
    """Write ``target`` (.onnx), and beside it the card.

    Args:
        checkpoint: a run's ``best.safetensors``, or the run's folder.
        target: of the ONNX file.
        sources: the pictures that the run was given: those that it set aside show what the net in 8 bits
            will see.
        pictures: (H, W, 3) uint8 each, shown instead. Neither = weights in fp16, all computed in fp32.
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
    if state.get("net") not in NETS:
        raise ModelError(f"{checkpoint} is of the net {state.get('net')}: give a restorer's best.safetensors")
    net = NETS[state["net"]]()
    net.load_state_dict(tensors)
    net.eval()
    with torch.no_grad():  # as they are stored
        for parameter in net.parameters():
            parameter.copy_(parameter.half())
    if sources and not pictures:
        aside = read_pictures(list(sources), least_px=96).split(recipe_of(state["recipe"]).aside)[1]
        pictures = [aside[k] for k in range(min(len(aside), CALIBRATED))]
    content = restorer_onnx(net, half=not pictures)
    apart = _apart(net, content)
    if apart > MOST_APART:
        raise ModelError(f"ONNX Runtime answers {apart:.1e} off: report this with the checkpoint")
    lost = None
    if pictures:
        content, lost = _in_8_bits(net, content, pictures, recipe_of(state["recipe"]))
        if lost > MOST_LOST:
            raise ModelError(f"8 bits answer {lost:.2f} levels off: give more pictures by --data")
    target.write_bytes(content)
    recipe: dict[str, Any] = dict(state["recipe"])
    recipe["weights"] = Path(recipe["weights"]).name  # where files lie on a machine is nobody's business
    card = {
        "name": target.stem,
        "architecture": state["net"],
        "summary": _SUMMARIES[type(net)],
        "size_multiple": net.size_multiple,
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": licence,
        "parameters": sum(p.numel() for p in net.parameters()),
        "samples_seen": state["samples_seen"],
        "recipe": recipe,
        "groups": sorted({path.name for path in sources}),
        "scores": {name: round(value, 3) for name, value in state.get("scores", {}).items()},
        "protocol": "decibels on crops of pictures set aside, worn in fixed ways; _gain: over the worn crop",
        "lost_by_8_bits": None if lost is None else round(lost, 3),
        "inputs": {"image": "(N, 3, H, W) float32 RGB in [0, 1], H and W multiples of size_multiple"},
        "outputs": {_ANSWERS[type(net)]: _OUTPUTS[type(net)]},
    }
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    target.with_suffix(".json").write_text(text, encoding="utf-8")
    return target


def _apart(net: nn.Module, content: bytes) -> float:
    """The largest difference between the net and the file over random pictures."""
    session, rng, worst = open_plain_session(content), np.random.default_rng(0), 0.0
    for count, height, width in SIZES:
        image = rng.random((count, 3, height, width), np.float32)
        (answer,) = session.run(None, {"image": image})
        with torch.inference_mode():
            wanted = net(torch.from_numpy(image)).numpy()
        worst = max(worst, float(np.abs(answer - wanted).max()))
    return worst
