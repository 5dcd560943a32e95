"""From a checkpoint to the file that repair runs: ONNX, its card, and the proof that both agree."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remend.errors import ModelError, UsageError, WriteError
from remend.nets.inpainter import Inpainter
from remend.nets.onnx_file import OPSET, parity, round_to_half, same_over_threads, to_onnx
from remend.nets.registry import NETS, figures
from remend.nets.tflite_file import parity_db, to_tflite
from remend.nets.weights.trained import load_net, which_state
from remend.quantize import lost_in_holes, quantize
from remend.train.config import without_folders
from remend.train.data.calibration import calibration_feeds, calibration_samples
from remend.train.data.samples import Sample

__all__ = ["Exported", "export", "export_tflite"]

_TOLERANCE = 1e-4
# Of 8 bits against fp32, mean in the holes of the calibration: 0.001 to 0.003 for trained nets.
_LOST = 0.02
_COMPARED = 6
_LEAST_DB = 45.0  # of a .tflite file against torch


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        model: the ONNX file.
        card: its card.
        parity: largest difference between torch and ONNX Runtime, of pictures in [0, 1]; before 8 bits.
        state: which state of the run was taken, and why.
        lost: mean difference in holes between 8 bits and fp32; None = all is in fp32.
    """

    model: Path
    card: Path
    parity: float
    state: str
    lost: float | None = None


def export(
    source: Path,
    target: Path,
    *,
    half: bool = False,
    prior: bool = False,
    calibrate: Path | Sequence[Sample] | None = None,
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
        calibrate: a folder of pictures like those that will be repaired, or samples of them: the net's
            convolutions are converted to 8 bits by what they answer there. None = all stays in fp32.
        licence: of the weights, for the card.
        overwrite: replace files that exist.

    Raises:
        UsageError: a target that is not ``.onnx``, or exists; a prior for a net that reads none; both half
            and 8 bits, or no pictures to calibrate with.
        ModelError: no whole checkpoint, or the ONNX file does not answer what torch does.
        WriteError: a file cannot be written.

    Cost: about 20 s; with ``calibrate`` twice that.
    """
    card_path = _targets(target, ".onnx", overwrite)
    if half and calibrate is not None:
        raise UsageError("weights are stored in 16 bits or in 8, not in both: give --half or --int8")
    net, state = load_net(source)
    taken = which_state(source, state)
    if net.sees_hole and calibrate is not None:
        raise UsageError(
            "8 bits are fitted to pictures with holes, and this net makes worn ones clean: leave out --int8, "
            "or give --half"
        )
    samples = calibration_samples(calibrate, net) if isinstance(calibrate, Path) else list(calibrate or ())
    if half:
        net = net.folded()
        round_to_half(net)
    content = to_onnx(net, half=half, prior=prior)
    difference = parity(net, content, prior=prior)
    if not difference <= _TOLERANCE:
        raise ModelError(
            f"ONNX Runtime and torch differ by {difference:.2g}, allowed are {_TOLERANCE:g}: not exported; "
            "are the weights finite?"
        )
    eight_bits: dict[str, Any] = {}
    if samples:
        content, eight_bits = _in_eight_bits(content, net, samples, prior=prior)
    card = {
        "name": target.stem,
        "size_multiple": net.size_multiple,
        **({"sees_hole": True} if net.sees_hole else {}),
        "window_px": 512,
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": licence,
        **_about(net, state),
        "state": taken,
        "inputs": _inputs(net, prior=prior),
        "outputs": {"filled": "N,3,H,W float32, equal to image where hole is 0"},
        "weights": "fp16 stored, fp32 computed" if half else "fp32",
        "opset": OPSET,
        "parity": difference,
        **eight_bits,
        "same_bits_on_1_and_2_threads": same_over_threads(net, content, prior=prior),
    }
    _write(target, content, card_path, card)
    lost = eight_bits.get("int8_mean_difference_in_holes")
    return Exported(target, card_path, difference, taken, lost)


def export_tflite(
    source: Path, target: Path, *, side_px: int = 256, licence: str = "not stated", overwrite: bool = False
) -> Exported:
    """Write a checkpoint's averaged weights as a file of TensorFlow Lite with its card beside it.

    It takes one picture of ``side_px`` squared at a time, channels last: ``image`` (1, H, W, 3) and ``hole``
    (1, H, W, 1) in that order, and answers (1, H, W, 3). `remend repair` runs ``.onnx`` files alone.

    Args:
        source: as for ``export``.
        target: the ``.tflite`` file.
        side_px: of its pictures.
        licence: of the weights, for the card.
        overwrite: replace files that exist.

    Returns:
        What was written; ``parity`` is the lowest PSNR against torch, in dB.

    Raises:
        UsageError: a target that does not end so, or exists; a size that the net does not take; what converts
            is not installed.
        ModelError: no whole checkpoint, or the file is further than 45 dB from torch.
        WriteError: a file cannot be written.

    Cost: half a minute to some minutes.
    """
    card_path = _targets(target, ".tflite", overwrite)
    net, state = load_net(source)
    content = to_tflite(net, side_px)
    difference = parity_db(net, content, side_px)
    if not difference >= _LEAST_DB:
        raise ModelError(
            f"the .tflite file is {difference:.1f} dB from torch, {_LEAST_DB:g} are the least: not exported; "
            "are the weights finite?"
        )
    taken = which_state(source, state)
    shown = "worn under the hole" if net.sees_hole else "0 under the hole"
    card = {
        "name": target.stem,
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": licence,
        **_about(net, state),
        "state": taken,
        "inputs": {
            "image": f"1,{side_px},{side_px},3 float32 RGB, 0 to 1, {shown}",
            "hole": f"1,{side_px},{side_px},1 float32, 1 = fill",
        },
        "outputs": {"filled": f"1,{side_px},{side_px},3 float32, equal to image where hole is 0"},
        "weights": "fp32",
        "parity_db": difference if math.isfinite(difference) else None,
    }
    _write(target, content, card_path, card)
    return Exported(target, card_path, difference, taken)


def _targets(target: Path, suffix: str, overwrite: bool) -> Path:
    """Where the card goes, once it is clear that both may be written."""
    if target.suffix != suffix:
        raise UsageError(f"the exported file ends in {suffix}, got {target.name}")
    card_path = target.with_suffix(".json")
    for path in (target, card_path):
        if path.exists() and not overwrite:
            raise UsageError(f"{path} exists: give another -o, or --overwrite")
    return card_path


def _write(target: Path, content: bytes, card_path: Path, card: Mapping[str, Any]) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, content)
        _replace(card_path, (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise WriteError(f"{target} cannot be written ({error.strerror}): choose another place") from error


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


def _in_eight_bits(
    content: bytes, net: Inpainter, samples: list[Sample], *, prior: bool
) -> tuple[bytes, dict[str, Any]]:
    """The file in 8 bits, and what the card says of it.

    Raises:
        ModelError: it fills holes differently from the file in fp32.
    """
    feeds = list(calibration_feeds(samples, net, prior=prior))
    small = quantize(content, feeds)
    lost = lost_in_holes(content, small, feeds[:_COMPARED])
    if not lost <= _LOST:
        raise ModelError(
            f"in 8 bits the holes differ by {lost:.2g} on average, allowed are {_LOST:g}: not exported; "
            "give other pictures to --calibrate, or leave --int8 out"
        )
    return small, {
        "weights": "int8 and fp32, see the graph",
        "calibration": {"pictures": len(samples), "crop_px": int(samples[0].hole.shape[0])},
        "int8_mean_difference_in_holes": lost,
    }


def _inputs(net: Inpainter, *, prior: bool) -> dict[str, str]:
    inputs = {
        "image": "N,3,H,W float32 RGB, 0 to 1, "
        + ("worn under the hole" if net.sees_hole else "0 under the hole"),
        "hole": "N,1,H,W float32, 1 = fill",
    }
    if prior:
        inputs["prior"] = "N,3,H,W float32, a coarse fill to start from; negative for a picture without one"
    if net.takes_guide:
        inputs["guide"] = "N,1,H,W float32, lines to follow: 1 = line, 0 everywhere = none"
    if net.noise_size:
        inputs["noise"] = f"N,{net.noise_size} float32, standard normal: chooses one of several answers"
    return inputs


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(content)
    draft.replace(path)
