"""Tiny ONNX models that keep the contract, or break it in a chosen way; made, never stored."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_mean_filler(
    path: Path,
    *,
    constant: float | None = None,
    output: str = "filled",
    prior: bool = False,
    guide: bool = False,
    card: dict | None = None,
) -> Path:
    """A model that fills the hole with the known pixels' mean (or ``constant``, or its prior).

    With ``guide`` it takes lines, and answers 1 where they are.

    ``filled = image * (1 - hole) + value * hole``: a real composition, inside the graph.
    """
    frame = ["N", 3, "H", "W"]
    inputs = [
        helper.make_tensor_value_info("image", TensorProto.FLOAT, frame),
        helper.make_tensor_value_info("hole", TensorProto.FLOAT, ["N", 1, "H", "W"]),
    ]
    one = numpy_helper.from_array(np.float32(1), "one")
    axes = numpy_helper.from_array(np.array([2, 3], np.int64), "axes")
    nodes = [
        helper.make_node("Sub", ["one", "hole"], ["known"]),
        helper.make_node("Mul", ["image", "known"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "axes"], ["total"], keepdims=1),
        helper.make_node("ReduceSum", ["known", "axes"], ["count"], keepdims=1),
        helper.make_node("Div", ["total", "count"], ["mean"]),
    ]
    constants = [one, axes]
    value = "mean"
    if constant is not None:
        constants.append(numpy_helper.from_array(np.full((1, 3, 1, 1), constant, np.float32), "constant"))
        value = "constant"
    if prior:
        inputs.append(helper.make_tensor_value_info("prior", TensorProto.FLOAT, frame))
        value = "prior"
    if guide:
        inputs.append(helper.make_tensor_value_info("guide", TensorProto.FLOAT, ["N", 1, "H", "W"]))
        nodes.append(helper.make_node("Max", [value, "guide"], ["drawn"]))
        value = "drawn"
    nodes += [
        helper.make_node("Mul", [value, "hole"], ["made"]),
        helper.make_node("Add", ["kept", "made"], [output]),
    ]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, frame)]
    graph = helper.make_graph(nodes, "mean", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    if card is not None:
        content = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), **card}
        path.with_suffix(".json").write_text(json.dumps(content))
    return path


def write_lama_like(path: Path, *, side: int | None = 256, largest: float = 255.0) -> Path:
    """What people export of LaMa: ``image`` and ``mask``, one size or any, an answer from 0 to ``largest``.

    It answers blue, everywhere, and black where the mask was not read as 1 = fill.
    """
    size = [side or "height", side or "width"]
    inputs = [
        helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, *size]),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["batch", 1, *size]),
    ]
    blue = np.array([0.1, 0.2, 0.8], np.float32).reshape(1, 3, 1, 1) * np.float32(largest)
    nodes = [
        helper.make_node("Mul", ["image", "zero"], ["nothing"]),
        helper.make_node("Mul", ["mask", "blue"], ["drawn"]),
        helper.make_node("Add", ["nothing", "drawn"], ["output"]),
    ]
    constants = [numpy_helper.from_array(np.float32(0), "zero"), numpy_helper.from_array(blue, "blue")]
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 3, *size])
    return _write(path, nodes, inputs, output, constants)


def write_migan_like(path: Path) -> Path:
    """MI-GAN's pipeline: whole numbers, white is kept; it answers what is kept, and blue elsewhere."""
    size = ["batch", 3, "height", "width"]
    inputs = [
        helper.make_tensor_value_info("image", TensorProto.UINT8, size),
        helper.make_tensor_value_info("mask", TensorProto.UINT8, ["batch", 1, "height", "width"]),
    ]
    blue = np.array([25, 51, 204], np.uint8).reshape(1, 3, 1, 1)
    nodes = [
        helper.make_node("Cast", ["mask"], ["kept"], to=TensorProto.BOOL),
        helper.make_node("Where", ["kept", "image", "blue"], ["result"]),
    ]
    output = helper.make_tensor_value_info("result", TensorProto.UINT8, size)
    return _write(path, nodes, inputs, output, [numpy_helper.from_array(blue, "blue")])


def _write(path: Path, nodes: list, inputs: list, output, constants: list) -> Path:
    graph = helper.make_graph(nodes, "foreign", inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
