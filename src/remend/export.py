"""From a checkpoint to the file that repair runs: ONNX, its card, and the proof that both agree."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from remend.errors import ModelError, UsageError, WriteError
from remend.nets.catalogue import NETS, build, figures
from remend.nets.inpainter import Inpainter
from remend.train import checkpoint
from remend.train.config import from_dict

__all__ = ["OPSET", "Exported", "export", "load_net", "parity", "to_onnx"]

OPSET = 18
_TOLERANCE = 1e-4
_PARITY_SIZES = ((1, 64, 64), (1, 96, 160), (2, 208, 144), (1, 48, 256), (1, 256, 256))
_HALF_FROM = 1024


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


class _Served(nn.Module):
    """The net as it is served: what it fills, without what losses need besides."""

    def __init__(self, net: Inpainter) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor, hole: Tensor) -> Tensor:
        filled: Tensor = self.net(image, hole)[0]
        return filled


def export(
    source: Path, target: Path, *, half: bool = False, licence: str = "not stated", overwrite: bool = False
) -> Exported:
    """Write a checkpoint's averaged weights as ONNX with its card beside it.

    Args:
        source: a checkpoint's folder, or a run's: then its best checkpoint, or its newest.
        target: the ONNX file.
        half: store weights in fp16; they are computed with in fp32. Half the size.
        licence: of the weights, for the card.
        overwrite: replace files that exist.

    Raises:
        UsageError: a target that is not ``.onnx``, or exists.
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
    net, found = load_net(source)
    if half:
        _round_to_half(net)
    content = to_onnx(net, half=half)
    difference = parity(net, content)
    if not difference <= _TOLERANCE:
        raise ModelError(
            f"ONNX Runtime and torch differ by {difference:.2g}, allowed are {_TOLERANCE:g}: not exported; "
            "are the weights finite?"
        )
    card = _card(net, found, target, content, difference, half=half, licence=licence)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, content)
        _replace(card_path, (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise WriteError(f"{target} cannot be written ({error.strerror}): choose another place") from error
    return Exported(target, card_path, difference)


def load_net(source: Path) -> tuple[Inpainter, checkpoint.Checkpoint]:
    """The net of a checkpoint with its averaged weights, ready to fill, and the checkpoint.

    Args:
        source: a checkpoint's folder, or a run's: then its best checkpoint, or its newest.

    Raises:
        ModelError: nothing whole there.
    """
    if (source / "checkpoints").is_dir():
        paths = checkpoint.listing(source)
        if not paths:
            raise ModelError(f"the run {source} has no checkpoint yet: let it train a few minutes")
        source = checkpoint.best(source) or paths[-1]
    found = checkpoint.read(source, ("ema",))
    recipe = from_dict(found.state["recipe"])
    net = build(recipe.net, recipe.options)
    try:
        net.load_state_dict(found.tensors["ema"])
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"the checkpoint {source} does not hold its own net: {error}") from error
    return net.eval().requires_grad_(False), found


def to_onnx(net: Inpainter, *, half: bool = False) -> bytes:
    """The net as an ONNX file's content: N, H and W free, H and W multiples of the net's size multiple."""
    import onnx

    image, hole = torch.rand(2, 3, 64, 96), torch.zeros(2, 1, 64, 96)
    hole[:, :, 16:40, 24:72] = 1
    frame = {0: "N", 2: "H", 3: "W"}
    buffer = io.BytesIO()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.inference_mode():
        # The tracing exporter is deprecated but handles free sizes that are multiples of 16, which
        # torch.export turns into guards that it then cannot prove.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Served(net).eval(),
            (image, hole),
            buffer,
            input_names=["image", "hole"],
            output_names=["filled"],
            dynamic_axes={"image": frame, "hole": frame, "filled": frame},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    if half:
        _store_half(model)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def parity(net: Inpainter, content: bytes, sizes: Sequence[tuple[int, int, int]] = _PARITY_SIZES) -> float:
    """The largest difference between torch and ONNX Runtime over random pictures of ``sizes`` (N, H, W).

    Known pixels must be equal bit for bit; where they are not, the answer is infinity.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    worst = 0.0
    for count, height, width in sizes:
        hole = np.zeros((count, 1, height, width), np.float32)
        hole[:, :, height // 4 : height // 2, width // 8 : width // 2] = 1
        hole[rng.random(hole.shape) < 0.05] = 1
        image = rng.random((count, 3, height, width), np.float32) * (1 - hole)
        (answer,) = session.run(["filled"], {"image": image, "hole": hole})
        with torch.inference_mode():
            wanted = net(torch.from_numpy(image), torch.from_numpy(hole))[0].numpy()
        known = np.broadcast_to(hole == 0, image.shape)
        if not np.array_equal(answer[known], image[known]) or not np.isfinite(answer).all():
            return float("inf")
        worst = max(worst, float(np.abs(answer - wanted).max()))
    return worst


def _card(
    net: Inpainter,
    found: checkpoint.Checkpoint,
    target: Path,
    content: bytes,
    difference: float,
    *,
    half: bool,
    licence: str,
) -> dict[str, Any]:
    state = found.state
    cost = figures(net)
    return {
        "name": target.stem,
        "size_multiple": net.size_multiple,
        "window_px": 512,
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": licence,
        "architecture": state["net"],
        "summary": NETS[state["net"]].summary,
        "reference": NETS[state["net"]].reference,
        "parameters": cost.parameters,
        "gmac_512": round(cost.gmac_512, 2),
        "inputs": {
            "image": "N,3,H,W float32 RGB, 0 to 1, 0 under the hole",
            "hole": "N,1,H,W float32, 1 = fill",
        },
        "outputs": {"filled": "N,3,H,W float32, equal to image where hole is 0"},
        "weights": "fp16 stored, fp32 computed" if half else "fp32",
        "opset": OPSET,
        "recipe": state["recipe"] | {"loss": state["recipe"]["loss"] | {"trunk": _trunk(state["recipe"])}},
        "recipe_sha256": state["recipe_sha256"],
        "samples_seen": state["samples_seen"],
        "data": state["data"],
        "metrics": {"validation": state["scores"]},
        "parity": difference,
    }


def _trunk(recipe: dict[str, Any]) -> str:
    # Where the file lies on the trainer's machine is nobody's business.
    return Path(recipe["loss"]["trunk"]).name


def _round_to_half(net: nn.Module) -> None:
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.numel() >= _HALF_FROM:
                parameter.copy_(parameter.half())


def _store_half(model: Any) -> None:
    """Keep large initialisers as fp16, each behind a Cast that the runtime folds when it loads."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for index, tensor in enumerate(model.graph.initializer):
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) >= _HALF_FROM:
            name = tensor.name
            small = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{name}.half")
            model.graph.initializer[index].CopyFrom(small)
            casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(content)
    draft.replace(path)
