"""Measuring a net on fixed samples while it learns: hole PSNR and sharpness by kind of hole, and a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from remend.errors import WriteError
from remend.metrics import psnr, sharp
from remend.nets.inpainter import Inpainter
from remend.nets.push_pull import push_pull
from remend.train.data.loader import collate
from remend.train.data.samples import Sample
from remend.train.loss.perceptual import feature_distance

__all__ = ["as_wanted", "base_scores", "distances", "fill_samples", "grid", "scores", "write_grid"]

Pixels = NDArray[np.uint8]

_BATCH = 10


def fill_samples(net: Inpainter, samples: Sequence[Sample], device: torch.device) -> list[Pixels]:
    """Fill every sample (all of one size) in fp32: a list of (H, W, 3) uint8."""
    outputs: list[Pixels] = []
    for first in range(0, len(samples), _BATCH):
        batch = collate(list(samples[first : first + _BATCH])).to(device).shown()
        with torch.inference_mode():
            filled, *_ = net(batch.image, batch.hole)
        outputs += _pixels(filled)
    return outputs


def as_wanted(net: Inpainter, samples: Sequence[Sample]) -> Sequence[Sample]:
    """The samples with what ``net`` is to draw as targets: as they are, if it draws pictures."""
    if net.draws is None:
        return samples
    wanted: list[Sample] = []
    for sample in samples:
        (drawn,) = _pixels(net.draws(collate([sample]).target))
        wanted.append(replace(sample, target=drawn))
    return wanted


def scores(samples: Sequence[Sample], outputs: Sequence[Pixels]) -> dict[str, float]:
    """``psnr_GROUP`` and ``sharp_GROUP`` over the holes of each group, and ``psnr``, the mean over groups."""
    by_group: dict[str, list[tuple[float, float]]] = {}
    for sample, output in zip(samples, outputs, strict=True):
        values = (psnr(output, sample.target, sample.hole), sharp(output, sample.target, sample.hole))
        by_group.setdefault(sample.group, []).append(values)
    result = {f"psnr_{name}": float(np.mean([v[0] for v in values])) for name, values in by_group.items()}
    mean = float(np.mean(list(result.values())))
    result |= {f"sharp_{name}": float(np.nanmedian([v[1] for v in vs])) for name, vs in by_group.items()}
    return {"psnr": mean, **result}


def distances(
    backbone: nn.Module, samples: Sequence[Sample], outputs: Sequence[Pixels], device: torch.device
) -> dict[str, float]:
    """``pd_GROUP``, the perceptual distance of the holes of each group, and ``pd``, the mean over groups.

    The distance of ``loss.perceptual`` in units of its own (``features = "unit"``); lower is better.

    Args:
        backbone: of the losses, on ``device``.
        samples: what was filled.
        outputs: the fills.
        device: where it is computed.

    Cost: two passes of the backbone a sample.
    """
    by_group: dict[str, list[float]] = {}
    for sample, output in zip(samples, outputs, strict=True):
        got, wanted = (
            backbone(torch.from_numpy(pixels).permute(2, 0, 1)[None].to(device, torch.float32) / 255)
            for pixels in (output, sample.target)
        )
        area = torch.from_numpy(sample.hole)[None, None].to(device, torch.float32)
        by_group.setdefault(sample.group, []).append(float(feature_distance(got, wanted, area)))
    result = {f"pd_{name}": float(np.mean(values)) for name, values in by_group.items()}
    return {"pd": float(np.mean(list(result.values()))), **result}


def base_scores(samples: Sequence[Sample]) -> dict[str, float]:
    """The same for the base fill alone, or the worn picture as it is shown: what the net has to beat."""
    outputs: list[Pixels] = []
    for sample in samples:
        if sample.seen:
            outputs.append(sample.image)
            continue
        batch = collate([sample]).shown()
        outputs += _pixels(torch.where(batch.hole > 0.5, push_pull(batch.image, batch.hole), batch.image))
    return scores(samples, outputs)


def grid(samples: Sequence[Sample], outputs: Sequence[Pixels], *, each: int = 4) -> Pixels:
    """A sheet of the first ``each`` samples of each group: damaged | filled | wanted, two triples a row."""
    shown: dict[str, int] = {}
    cells = []
    for sample, output in zip(samples, outputs, strict=True):
        shown[sample.group] = shown.get(sample.group, 0) + 1
        if shown[sample.group] <= each:
            damaged = np.where(sample.hole[..., None] & (not sample.seen), np.uint8(255), sample.image)
            cells.append((sample.group, np.concatenate([damaged, output, sample.target], axis=1)))
    ordered = [cell for group in shown for name, cell in cells if name == group]
    if len(ordered) % 2:
        ordered.append(np.zeros_like(ordered[0]))
    rows = [np.concatenate(ordered[i : i + 2], axis=1) for i in range(0, len(ordered), 2)]
    return np.concatenate(rows, axis=0)


def write_grid(path: Path, sheet: Pixels) -> None:
    """Write a sheet as PNG.

    Raises:
        WriteError: it cannot be written.
    """
    _, data = cv2.imencode(".png", sheet[..., ::-1])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise WriteError(
            f"the sheet {path} cannot be written ({error.strerror}): make room; checkpoints are whole"
        ) from error


def _pixels(filled: torch.Tensor) -> list[Pixels]:
    rounded = filled.clamp(0, 1).mul(255).round().to(torch.uint8)
    return list(rounded.permute(0, 2, 3, 1).contiguous().cpu().numpy())
