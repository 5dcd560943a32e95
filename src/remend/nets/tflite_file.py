"""A net as a file of TensorFlow Lite, and the proof that it answers what torch does.

For phones, and for programs on TensorFlow. Sizes are fixed, since such files have none that are free, and
channels come last, as everywhere in TensorFlow.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from remend.errors import ModelError, UsageError
from remend.nets.inpainter import Inpainter

__all__ = ["parity_db", "to_tflite"]

_MISSING = "a .tflite file needs {name}, which is not installed: pip install 'remend[tensorflow]'"
_TRIED = 3

Feed = tuple[NDArray[np.float32], NDArray[np.float32]]


class _ChannelsLast(nn.Module):
    """The net as TensorFlow's programs ask it: (1, H, W, 3) and (1, H, W, 1) in, (1, H, W, 3) out."""

    def __init__(self, net: Inpainter) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor, hole: Tensor) -> Tensor:
        filled: Tensor = self.net(image.permute(0, 3, 1, 2), hole.permute(0, 3, 1, 2))[0]
        return filled.permute(0, 2, 3, 1)


def to_tflite(net: Inpainter, side_px: int) -> bytes:
    """The net as the content of a ``.tflite`` file, for one picture of ``side_px`` squared at a time.

    Args:
        net: ready to fill (``eval``).
        side_px: a multiple of its ``size_multiple``.

    Raises:
        UsageError: another size, what converts is not installed, or a net that is told more than picture and
            hole.
        ModelError: it cannot be converted.

    Cost: half a minute, a few minutes for large nets.
    """
    if side_px < 1 or side_px % net.size_multiple:
        raise UsageError(f"--side is a multiple of {net.size_multiple} for this net, got {side_px}")
    if net.noise_size or net.draws is not None:
        raise UsageError(
            "this net is told noise, or draws no pictures: export it as .onnx, which has inputs for it"
        )
    try:
        import litert_torch
    except ModuleNotFoundError as error:
        raise UsageError(_MISSING.format(name=error.name)) from error
    served = _ChannelsLast(net.folded()).eval()
    examples = tuple(torch.from_numpy(planes) for planes in _feed(side_px, 0))
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "net.tflite"
        try:
            litert_torch.convert(served, examples).export(str(path))
        except Exception as error:  # the converter raises a dozen classes of its own
            reason = str(error).strip().partition("\n")[0][:160]
            raise ModelError(
                f"the net cannot be written as .tflite ({reason}): export it as .onnx"
            ) from error
        return path.read_bytes()


def parity_db(net: Inpainter, content: bytes, side_px: int) -> float:
    """The lowest PSNR of the file's answers against torch's, over random pictures and holes, in dB.

    Infinite where they are equal; minus infinity where an answer is not finite.

    Raises:
        UsageError: what runs such files is not installed.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ModuleNotFoundError as error:
        raise UsageError(_MISSING.format(name=error.name)) from error
    runner: Any = Interpreter(model_content=content).get_signature_runner()
    names = sorted(runner.get_input_details())
    served = _ChannelsLast(net).eval()
    worst = float("inf")
    for number in range(_TRIED):
        feed = _feed(side_px, number)
        (answer,) = runner(**dict(zip(names, feed, strict=True))).values()
        with torch.inference_mode():
            wanted = served(*(torch.from_numpy(planes) for planes in feed)).numpy()
        squared = float(np.square(answer - wanted).mean())
        if not np.isfinite(squared):
            return float("-inf")
        worst = min(worst, float("inf") if squared == 0 else -10 * float(np.log10(squared)))
    return worst


def _feed(side: int, number: int) -> Feed:
    rng = np.random.default_rng(number)
    hole = np.zeros((1, side, side, 1), np.float32)
    hole[:, side // 4 : side // 2, side // 8 : side // 2] = 1
    hole[rng.random(hole.shape) < 0.05] = 1
    return rng.random((1, side, side, 3), np.float32) * (1 - hole), hole
