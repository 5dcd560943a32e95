"""A net as an ONNX file, and the proof that ONNX Runtime answers what torch does."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from remend.errors import ModelError, UsageError
from remend.nets.inpainter import Inpainter
from remend.runtime import open_plain_session

__all__ = [
    "OPSET",
    "PARITY_SIZES",
    "parity",
    "round_to_half",
    "same_over_threads",
    "store_half",
    "to_onnx",
]

OPSET = 18
PARITY_SIZES = ((1, 1, 1), (1, 4, 4), (1, 6, 10), (2, 13, 9), (1, 3, 16), (1, 16, 16))
"""(N, H, W), H and W counted in the net's ``size_multiple``."""

_LARGEST_PX = 512
_HALF_FROM = 1024

Feed = dict[str, NDArray[np.float32]]


class _Served(nn.Module):
    """The net as it is served: what it fills, without what losses need besides; inputs by position."""

    def __init__(self, net: Inpainter, names: Sequence[str]) -> None:
        super().__init__()
        self.net, self.names = net, tuple(names)

    def forward(self, *inputs: Tensor) -> Tensor:
        filled: Tensor = self.net(**dict(zip(self.names, inputs, strict=True)))[0]
        return filled


def to_onnx(net: Inpainter, *, half: bool = False, prior: bool = False) -> bytes:
    """The net as an ONNX file's content: N, H and W free, H and W multiples of the net's size multiple.

    Inputs are ``image`` and ``hole``, then ``prior`` if asked for, ``guide`` if the net follows lines, and
    ``noise`` (N, D) if noise chooses among its answers.

    Args:
        net: ready to fill (``eval``).
        half: store large weights in fp16; they are computed with in fp32.
        prior: give the file the input ``prior``: a coarse fill, or for a picture that has none, negative.

    Raises:
        UsageError: a prior is asked for, and the net would not read it.
        ModelError: the net uses what ONNX does not have.
    """
    import onnx

    if prior and not net.takes_prior:
        raise UsageError(
            "this net draws the picture without a base fill, so a prior would change nothing: leave it out"
        )
    if net.draws is not None:
        raise UsageError("this net draws what another one goes on from, not pictures: export that one")
    (feed,) = _feeds(net, [(2, 4, 6)], prior=prior, kinds=1)
    frame = {0: "N", 2: "H", 3: "W"}
    axes = {name: frame if planes.ndim == 4 else {0: "N"} for name, planes in feed.items()}
    buffer = io.BytesIO()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            # The tracing exporter is deprecated. The other one (dynamo=True, sizes as 16 * Dim) gives the
            # same answers, but takes twenty times as long over the base fill's many small steps.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _Served(net.folded(), list(feed)).eval(),
                tuple(torch.from_numpy(planes) for planes in feed.values()),
                buffer,
                input_names=list(feed),
                output_names=["filled"],
                dynamic_axes={**axes, "filled": frame},
                opset_version=OPSET,
                dynamo=False,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"the net cannot be written as ONNX ({reason}): take another encoder, or other options"
        ) from error
    model = onnx.load_from_string(buffer.getvalue())
    if half:
        store_half(model)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def parity(
    net: Inpainter,
    content: bytes,
    sizes: Sequence[tuple[int, int, int]] = PARITY_SIZES,
    *,
    prior: bool = False,
    relative: bool = False,
) -> float:
    """The largest difference between torch and ONNX Runtime over random pictures.

    With a prior each size is tried with one that is given to every picture, to none, and to every other one.
    Known pixels must be equal bit for bit; where they are not, or an answer is not finite, this is infinity.

    Args:
        net: to be compared with.
        content: of the ONNX file.
        sizes: (N, H, W), H and W counted in the net's ``size_multiple``.
        prior: the file takes one.
        relative: as a share of the largest answer, where that is above 1: nets that have learned nothing may
            answer hundreds, and their sums are rounded accordingly.

    Cost: about 10 s for the largest nets.
    """
    session = open_plain_session(content)
    worst = 0.0
    for feed in _feeds(net, sizes, prior=prior):
        (answer,) = session.run(["filled"], feed)
        with torch.inference_mode():
            wanted = net(**{name: torch.from_numpy(planes) for name, planes in feed.items()})[0].numpy()
        known = np.broadcast_to(feed["hole"] == 0, answer.shape)
        if not np.array_equal(answer[known], feed["image"][known]) or not np.isfinite(answer).all():
            return float("inf")
        largest = max(1.0, float(np.abs(wanted).max())) if relative else 1.0
        worst = max(worst, float(np.abs(answer - wanted).max()) / largest)
    return worst


def same_over_threads(net: Inpainter, content: bytes, *, prior: bool = False) -> bool:
    """Whether the file answers the same bits on one and on two threads."""
    (feed,) = _feeds(net, [(1, 13, 16)], prior=prior, kinds=1)
    first, second = (
        open_plain_session(content, threads=threads).run(["filled"], feed)[0] for threads in (1, 2)
    )
    return bool(np.array_equal(first, second))


def round_to_half(net: nn.Module) -> None:
    """Round the weights to what ``to_onnx(half=True)`` stores."""
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.numel() >= _HALF_FROM:
                parameter.copy_(parameter.half())


def _feeds(
    net: Inpainter, sizes: Sequence[tuple[int, int, int]], *, prior: bool, kinds: int = 3
) -> Iterator[Feed]:
    """Random pictures and holes of these sizes, and whatever else the net takes, in that order.

    Nets of a large size multiple are not asked for more than ``_LARGEST_PX`` a side.
    """
    rng = np.random.default_rng(0)
    most = max(2, _LARGEST_PX // net.size_multiple)
    for count, rows, columns in sizes:
        height, width = (min(side, most) * net.size_multiple for side in (rows, columns))
        hole = np.zeros((count, 1, height, width), np.float32)
        hole[:, :, height // 4 : height // 2, width // 8 : width // 2] = 1
        hole[rng.random(hole.shape) < 0.05] = 1
        image = rng.random((count, 3, height, width), np.float32) * (1 - hole)
        feed, further = {"image": image, "hole": hole}, {}
        if net.takes_guide:
            further["guide"] = (rng.random(hole.shape) < 0.1).astype(np.float32)
        if net.noise_size:
            further["noise"] = rng.standard_normal((count, net.noise_size), np.float32)
        if not prior:
            yield {**feed, **further}
            continue
        given = rng.random(image.shape, np.float32)
        alternating = np.where(np.arange(count)[:, None, None, None] % 2 == 1, given, np.float32(-1))
        for kind in (given, np.full_like(given, -1), alternating)[:kinds]:
            yield {**feed, "prior": kind, **further}


def store_half(model: Any) -> None:
    """Keep a model's large initialisers as fp16, each behind a Cast that the runtime folds when it loads."""
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
