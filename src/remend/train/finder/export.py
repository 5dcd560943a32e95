"""From a trained finder to ``damage.onnx`` in 8 bits, and its card."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from remend.damage.chances import forget
from remend.errors import ModelError, UsageError
from remend.nets.finder import CLASSES, Finder
from remend.nets.weights.portable import load_portable
from remend.quantize import in_8_bits
from remend.runtime import open_session
from remend.train.finder.loop import fonts_in, pictures_of
from remend.train.finder.maps import Outlines
from remend.train.finder.recipe import recipe_of
from remend.train.finder.weighing import fit_judge, judged_pictures, weighed

__all__ = ["export_finder", "finder_onnx"]

OPSET = 18
CALIBRATION = 64  # crops
MOST_LOST = 0.1  # of a chance, on average where something is marked


class _Served(nn.Module):
    """Bytes in, bytes out: (N, H, W, 3) RGB to (N, classes but none, H, W), chance in 255ths."""

    def __init__(self, net: Finder) -> None:
        super().__init__()
        self.body = net

    def forward(self, image: Tensor) -> Tensor:
        # Chances are made at half size, by exponentials and a sum: ONNX Runtime's softmax over planes of full
        # size, and shuffling them as floats, took nearly half of the time. Clamped, nothing overflows.
        logits = self.body.folded(image.float().permute(0, 3, 1, 2) / 255)
        odds = logits.clamp(-30, 30).exp()
        classes = len(CLASSES)
        parts = [odds[:, 4 * k : 4 * k + 4] for k in range(classes)]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        scale = 255 / total
        chance = torch.cat([part * scale for part in parts[1:]], dim=1)
        return functional.pixel_shuffle((chance + 0.5).to(torch.uint8), 2)


def finder_onnx(net: Finder) -> bytes:
    """The net as an ONNX file's content, in fp32; H and W free, multiples of 32."""
    buffer = io.BytesIO()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated
        torch.onnx.export(
            _Served(net).eval(),
            (torch.zeros(1, 64, 96, 3, dtype=torch.uint8),),
            buffer,
            input_names=["image"],
            output_names=["chance"],
            dynamic_axes={"image": {0: "N", 1: "H", 2: "W"}, "chance": {0: "N", 2: "H", 3: "W"}},
            opset_version=OPSET,
            dynamo=False,
        )
    return buffer.getvalue()


def _small(content: bytes, crops: Iterable[NDArray[np.uint8]]) -> bytes:
    """Convolutions in 8 bits but the first and the last, calibrated on (N, H, W, 3) batches of crops."""
    import onnx

    nodes = onnx.load_from_string(content).graph.node
    body = [
        node.name
        for node in nodes
        if node.op_type == "Conv" and "/stem/" not in node.name and "/head/" not in node.name
    ]
    return in_8_bits(content, ({"image": batch} for batch in crops), body)


def export_finder(
    checkpoint: Path,
    target: Path,
    *,
    sources: Sequence[Path],
    licence: str = "not stated",
    pictures: int = 3000,
    overwrite: bool = False,
    say: Callable[[str], None] = print,
) -> Path:
    """Write ``target`` (.onnx, 8 bits), and beside it the card with the judge of pieces in it.

    Args:
        checkpoint: a run's ``best.safetensors``, or the run's folder.
        target: of the ONNX file.
        sources: the pictures that the run was given; those that it set aside serve to calibrate and to judge.
        licence: of the weights, for the card.
        pictures: how many are made for the judge.
        overwrite: replace files that exist.
        say: told what happens.

    Raises:
        UsageError: a target that exists, or is no .onnx; no pictures.
        ModelError: 8 bits answer something else.

    Cost: some six minutes.
    """
    if target.suffix != ".onnx":
        raise UsageError(f"the exported file ends in .onnx, got {target.name}")
    if target.exists() and not overwrite:
        raise UsageError(f"{target} exists: give another -o, or --overwrite")
    checkpoint = checkpoint / "best.safetensors" if checkpoint.is_dir() else checkpoint
    tensors, state = load_portable(checkpoint)
    recipe = recipe_of(state["recipe"])
    net = Finder()
    net.load_state_dict(tensors)
    learned, aside = pictures_of(recipe, list(sources), say)
    if not aside:
        raise UsageError("no pictures were set aside: give the run's own pictures, a hundred or more")
    outlines = Outlines(Path(recipe.shapes)) if recipe.shapes else None
    common: dict[str, Any] = {"seed": recipe.seed + 99, "outlines": outlines, "fonts": fonts_in(recipe.fonts)}
    content = finder_onnx(net.eval())
    shown = _middles([one.image for one in judged_pictures(learned, CALIBRATION, **common)])
    small = _small(content, shown)
    lost = _difference(content, small, shown[:16])
    if lost > MOST_LOST:
        raise ModelError(
            f"in 8 bits the net answers {lost:.3f} off on average: calibrate with other pictures"
        )
    target.write_bytes(small)
    stated = state["recipe"].items()  # where files lie on this machine is nobody's business
    card: dict[str, Any] = {
        "name": "damage",
        "architecture": "finder",
        "summary": "dense U-Net on unshuffled pixels, context at 1/32, seven classes by pixel",
        "classes": list(CLASSES[1:]),
        "size_multiple": Finder.size_multiple,
        "sha256": hashlib.sha256(small).hexdigest(),
        "licence": licence,
        "parameters": sum(p.numel() for p in net.parameters()),
        "samples_seen": state["samples_seen"],
        "recipe": {
            key: Path(value).name if key in ("shapes", "fonts", "weights") else value for key, value in stated
        },
        "groups": sorted({path.name for path in sources}),
        "lost_in_8_bits": round(lost, 5),
        "inputs": {"image": "(N, H, W, 3) uint8 RGB, H and W multiples of 32"},
        "outputs": {"chance": "(N, 6, H, W) uint8, chance in 255ths of each class"},
    }
    place = target.with_suffix(".json")
    place.write_text(json.dumps(card), encoding="utf-8")  # chances_of wants a card to check against
    forget()
    say(f"8 bits differ by {lost:.4f}; makes {pictures} pictures to judge by")
    signs, right, clean, drawn, picture = [], [], [], [], []
    for number, one in enumerate(judged_pictures(aside, pictures, **common)):
        of_one, is_one = weighed(one, target)
        signs.append(of_one)
        right.append(is_one)
        clean.append(np.full(len(is_one), not one.truth.any()))
        drawn.append(np.full(len(is_one), one.drawn))
        picture.append(np.full(len(is_one), number))
    of_all = (np.concatenate(part) for part in (signs, right, clean, drawn, picture))
    card["judge"] = fit_judge(*of_all, say=say)
    place.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    forget()
    return target


def _middles(images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """(1, S, S, 3) from the middle of each, S at most 256 and what all of them hold."""
    side = min(
        256, *(min(image.shape[:2]) // Finder.size_multiple * Finder.size_multiple for image in images)
    )
    found = []
    for image in images:
        top, left = ((n - side) // 2 for n in image.shape[:2])
        found.append(np.ascontiguousarray(image[top : top + side, left : left + side])[None])
    return found


def _difference(content: bytes, small: bytes, crops: Iterable[NDArray[np.uint8]]) -> float:
    """The mean absolute difference of chances between two files of one net, over what either marks."""
    sessions = [open_session(file, name="damage", threads=1) for file in (content, small)]
    found = []
    for crop in crops:
        one, other = (session.run(["chance"], {"image": crop})[0].astype(np.float32) for session in sessions)
        marked = np.maximum(one, other) > 25
        if marked.any():
            found.append(float(np.abs(one - other)[marked].mean()) / 255)
    return float(np.mean(found)) if found else 0.0
