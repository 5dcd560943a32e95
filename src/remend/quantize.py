"""An exported model in 8 bits: a quarter of the size, and two to four times as fast where the processor has
dot products of bytes."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.errors import ModelError
from remend.runtime import load_onnxruntime, open_plain_session

__all__ = ["in_8_bits", "lost_in_holes", "quantize"]

Feed = Mapping[str, NDArray[Any]]

# What touches pixels stays in fp32: eight bits of a feature are enough, eight bits of a picture are not.
_KEPT = ("stem", "head")
_PLANES, _SUB_PIXELS = 8, 3  # what a body is given, and the least that it answers
_BODY = "/body/"
_IN_RANGE = 99.99  # per cent of features


def quantize(content: bytes, calibration: Iterable[Feed]) -> bytes:
    """Convert the convolutions of a net's body to int8, all else stays in fp32.

    Weights are quantised channel by channel and symmetrically, features by the range that 99.99 % of them
    took over the calibration; both stand in the graph as pairs of QuantizeLinear and DequantizeLinear, which
    ONNX Runtime fuses.

    Args:
        content: an ONNX file that ``remend.export.to_onnx`` wrote, with weights in fp32.
        calibration: inputs of typical pictures, some dozens; none of those that it will be measured on.

    Raises:
        ModelError: nothing in the file can be quantised, or no calibration was given.

    Cost: about 1 s a calibration picture of 176², and memory for all features of one.

    Reference: Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference", CVPR 2018. The work is ONNX Runtime's.
    """
    import onnx

    model = onnx.load_from_string(content)
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    body = [
        node.name
        for node in model.graph.node
        if node.op_type == "Conv"
        and _BODY in node.name
        and not any(part in node.name for part in _KEPT)
        and not _touches_pixels(node, weights.get(node.input[1]))
    ]
    if not body:
        raise ModelError("the model has no body whose convolutions could be in 8 bits: export it anew")
    return in_8_bits(content, calibration, body)


def in_8_bits(content: bytes, calibration: Iterable[Feed], nodes: Sequence[str]) -> bytes:
    """Convert the convolutions of these names; see ``quantize``.

    Args:
        content: an ONNX file, weights in fp32.
        calibration: inputs of typical pictures.
        nodes: what is converted; all else stays as it is.

    Raises:
        ModelError: no calibration was given.
    """
    ort = load_onnxruntime("quantization")
    feeds = iter(calibration)
    first = next(feeds, None)
    if first is None:
        raise ModelError("8 bits need pictures to calibrate with: give some dozens")
    with tempfile.TemporaryDirectory() as folder, _quiet():
        source, target = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        source.write_bytes(content)
        ort.quantize_static(
            source,
            target,
            _Reader(first, feeds),
            quant_format=ort.QuantFormat.QDQ,
            per_channel=True,
            weight_type=ort.QuantType.QInt8,
            activation_type=ort.QuantType.QUInt8,
            nodes_to_quantize=list(nodes),
            # A net that learned against a critic has a few features far out: with all of them in range the
            # others get steps so wide that fills lose a tenth of their sharpness.
            calibrate_method=ort.CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": _IN_RANGE},
        )
        return target.read_bytes()


def lost_in_holes(content: bytes, small: bytes, feeds: Iterable[Feed]) -> float:
    """The mean absolute difference in holes between two files of one net, of pictures in [0, 1].

    Infinite where the second one does not leave known pixels bit for bit, or is not finite.

    Args:
        content: in fp32.
        small: in 8 bits.
        feeds: at least one.
    """
    one, other = (open_plain_session(file) for file in (content, small))
    differences = []
    for feed in feeds:
        (wanted,), (got,) = (session.run(["filled"], dict(feed)) for session in (one, other))
        missing = np.broadcast_to(feed["hole"] > 0, got.shape)
        if not np.array_equal(got[~missing], feed["image"][~missing]) or not np.isfinite(got).all():
            return float("inf")
        differences.append(float(np.abs(got - wanted)[missing].mean()))
    return float(np.mean(differences))


def _touches_pixels(node: Any, weights: tuple[int, ...] | None) -> bool:
    """Whether a convolution reads the planes or answers pixels; or has no weights of its own to convert."""
    if weights is None:
        return True
    groups = next((a.i for a in node.attribute if a.name == "group"), 1)
    return weights[1] * groups <= _PLANES or weights[0] <= _SUB_PIXELS


@contextmanager
def _quiet() -> Iterator[None]:
    """No advice on pre-processing, which free sizes rule out, from a library that logs at the root; and
    nothing on standard output, where it prints how far it has come."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


class _Reader:
    """Feeds, as ONNX Runtime's calibration asks for them."""

    def __init__(self, first: Feed, others: Iterator[Feed]) -> None:
        self._first: Feed | None = first
        self._others = others

    def get_next(self) -> Any:
        """The next feed, None at the end."""
        if self._first is not None:
            feed, self._first = self._first, None
            return dict(feed)
        feed_or_end = next(self._others, None)
        return None if feed_or_end is None else dict(feed_or_end)
