"""Models and cards that are made to hurt: endless, huge, crashing, lying. A few hundred bytes each."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64
FRAME = ["N", 3, "H", "W"]
Nodes = list[onnx.NodeProto]

SOUND_CARD = {"name": "net", "size_multiple": 8, "window_px": 256, "reach_px": 40}
HOSTILE_CARDS: dict[str, bytes] = {
    name: content if isinstance(content, bytes) else json.dumps(content).encode()
    for name, content in {
        "multiple of 0": {"size_multiple": 0},
        "negative multiple": {"size_multiple": -5},
        "multiple of 1e9": {"size_multiple": 10**9},
        "multiple beyond the window": {"size_multiple": 500, "window_px": 100},
        "half a pixel": {"size_multiple": 7.5},
        "true": {"size_multiple": True},
        "margin of 1e9": {"margin_px": 10**9},
        "margin as wide as the window": {"margin_px": 500},
        "negative reach": {"reach_px": -1},
        "reach of 0": {"reach_px": 0},
        "window of 1": {"window_px": 1},
        "window in words": {"window_px": "512"},
        "reach not a number": b'{"reach_px": NaN}',
        "reach infinite": b'{"reach_px": 1e999}',
        "a number of ten thousand digits": b'{"window_px": 1' + b"0" * 10_000 + b"}",
        "a hash that is a number": {"sha256": 5},
        "a hash that is none": {"sha256": "0" * 63 + "x"},
        "another file's hash": {"sha256": "0" * 64},
        "a name that clears the screen": {"name": "\x1b[2J"},
        "a name of a megabyte": {"name": "n" * 1_000_000},
        "a licence that is a list": {"licence": []},
        "a list": [],
        "not JSON": b"\xff\xfe{",
        "nested beyond reason": b"[" * 200_000,
        "larger than it may be": b'{"x": "' + b"x" * (2 << 20) + b'"}',
    }.items()
}


def _model(
    path: Path,
    nodes: Nodes,
    constants: dict[str, np.ndarray] | None = None,
    *,
    inputs: dict[str, tuple[int, list]] | None = None,
    output: tuple[str, int, list] = ("filled", FLOAT, FRAME),
) -> Path:
    wanted = {"image": (FLOAT, FRAME), "hole": (FLOAT, ["N", 1, "H", "W"])} if inputs is None else inputs
    graph = helper.make_graph(
        nodes,
        "hostile",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in wanted.items()],
        [helper.make_tensor_value_info(*output)],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def _node(kind: str, inputs: str, output: str, **more: object) -> onnx.NodeProto:
    return helper.make_node(kind, inputs.split(), [output], **more)


def _loop(path: Path, body: Nodes, trips: int, state: str = "image") -> Path:
    """A loop over ``body``, which makes ``next`` from ``held``."""
    graph = helper.make_graph(
        [*body, _node("Identity", "on", "still")],
        "body",
        [
            helper.make_tensor_value_info("trip", INT, []),
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("held", FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", FLOAT, None),
        ],
    )
    constants = {"trips": np.array(trips, np.int64), "yes": np.array(True)}
    return _model(path, [_node("Loop", f"trips yes {state}", "filled", body=graph)], constants)


def _resize(path: Path) -> Path:
    node = helper.make_node("Resize", ["image", "", "scales"], ["filled"], mode="nearest")
    return _model(path, [node], {"scales": np.array([1, 1, 2000, 2000], np.float32)})


def _huge_constant(path: Path, sides: list[int]) -> Path:
    nodes = [
        _node("ConstantOfShape", "shape", "huge"),
        _node("ReduceSum", "huge", "sum", keepdims=0),
        _node("Add", "image sum", "filled"),
    ]
    return _model(path, nodes, {"shape": np.array(sides, np.int64)})


def _product(path: Path) -> Path:
    """One multiplication of 60,000² by 60,000²: 14 GB, or 4e14 operations in one step."""
    nodes = [
        _node("ConstantOfShape", "shape", "a"),
        _node("MatMul", "a a", "b"),
        _node("ReduceSum", "b", "sum", keepdims=0),
        _node("Add", "image sum", "filled"),
    ]
    return _model(path, nodes, {"shape": np.array([60_000, 60_000], np.int64)})


def _long_product(path: Path) -> Path:
    """Hours in one step that needs little memory: 8,000² times itself, four thousand times."""
    nodes = [_node("ConstantOfShape", "shape", "a0")]
    nodes += [_node("MatMul", f"a{k} a0", f"a{k + 1}") for k in range(4000)]
    nodes += [_node("ReduceSum", "a4000", "sum", keepdims=0), _node("Add", "image sum", "filled")]
    return _model(path, nodes, {"shape": np.array([8000, 8000], np.int64)})


def _tiled(path: Path) -> Path:
    nodes = [
        _node("Tile", "image times", "wide"),
        _node("ReduceSum", "wide", "sum", keepdims=0),
        _node("Add", "image sum", "filled"),
    ]
    return _model(path, nodes, {"times": np.array([1, 1, 3000, 3000], np.int64)})


def _chain(path: Path) -> Path:
    """Each node doubles: 2^40 samples."""
    nodes = [
        _node("Concat", f"{'image' if k == 0 else f'd{k}'} " * 2, f"d{k + 1}", axis=0) for k in range(40)
    ]
    nodes += [_node("ReduceSum", "d40", "sum", keepdims=0), _node("Add", "image sum", "filled")]
    return _model(path, nodes)


def _nested(path: Path) -> Path:
    """Graphs within graphs, a thousand deep: readers that call themselves run out of stack."""
    inner = helper.make_graph(
        [_node("Identity", "image", "o")], "g", [], [helper.make_tensor_value_info("o", FLOAT, None)]
    )
    content = inner.SerializeToString()
    for _ in range(1000):  # too deep for the library that makes them, so by hand
        attribute = _field(1, b"then_branch") + _field(6, content) + b"\xa0\x01\x05"
        other = (
            _field(1, b"else_branch") + _field(6, content[:0] + inner.SerializeToString()) + b"\xa0\x01\x05"
        )
        node = (
            _field(1, b"yes") + _field(2, b"o") + _field(4, b"If") + _field(5, attribute) + _field(5, other)
        )
        content = _field(1, node) + _field(2, b"g") + _field(12, _field(1, b"o"))
    value = lambda name: helper.make_tensor_value_info(name, FLOAT, FRAME).SerializeToString()  # noqa: E731
    graph = content + _field(11, value("image")) + _field(11, value("hole")) + _field(12, value("filled"))
    path.write_bytes(b"\x08\x08" + _field(7, graph) + _field(8, b"\x10\x11"))
    return path


def _field(number: int, content: bytes) -> bytes:
    """A protobuf field that holds bytes."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    return bytes([*digits, number])


def _noise(path: Path, size: int) -> Path:
    inputs = {"image": (FLOAT, FRAME), "hole": (FLOAT, ["N", 1, "H", "W"]), "noise": (FLOAT, ["N", size])}
    return _model(path, [_node("Identity", "image", "filled")], inputs=inputs)


def _outside_data(path: Path) -> Path:
    """Weights that lie in a file of the machine's own."""
    _model(path, [_node("Add", "image w", "filled")], {"w": np.zeros(4, np.float32)})
    model = onnx.load_from_string(path.read_bytes())
    weight = model.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="/etc/passwd")
    path.write_bytes(model.SerializeToString())
    return path


def _many_inputs(path: Path) -> Path:
    inputs = {f"i{k}": (FLOAT, [1]) for k in range(20_000)}
    return _model(path, [_node("Identity", "i0", "filled")], inputs=inputs, output=("filled", FLOAT, [1]))


def _written(content: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return write


def _sparse(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(20 << 30)
    return path


def _doubling(path: Path) -> Path:
    return _loop(path, [helper.make_node("Concat", ["held", "held"], ["next"], axis=0)], 64)


def _whole_numbers(path: Path) -> Path:
    output = ("filled", INT, FRAME)
    return _model(path, [_node("Cast", "image", "filled", to=INT)], output=output)


def _four_numbers(path: Path) -> Path:
    nodes = [_node("Shape", "image", "s"), _node("Cast", "s", "filled", to=FLOAT)]
    return _model(path, nodes, output=("filled", FLOAT, [4]))


def _not_a_number(path: Path) -> Path:
    nodes = [_node("Div", "hole zero", "n"), _node("Sub", "n n", "m"), _node("Add", "image m", "filled")]
    return _model(path, nodes, {"zero": np.zeros(1, np.float32)})


def _doubles(path: Path) -> Path:
    inputs = {"image": (TensorProto.DOUBLE, FRAME), "hole": (FLOAT, ["N", 1, "H", "W"])}
    return _model(path, [_node("Cast", "image", "filled", to=FLOAT)], inputs=inputs)


def _foreign_node(path: Path) -> Path:
    return _model(path, [_node("Evil\x1b[2J", "image", "filled", domain="evil")])


HOSTILE_MODELS: dict[str, Callable[[Path], Path]] = {
    "a loop without end": lambda path: _loop(path, [_node("Identity", "held", "next")], 2**62),
    "a loop that doubles": _doubling,
    "an output 2,000 times as wide": _resize,
    "a constant of 400 GB": lambda path: _huge_constant(path, [100_000, 1_000_000]),
    "a constant of 4 GB": lambda path: _huge_constant(path, [1000, 1_000_000]),
    "a constant of negative size": lambda path: _huge_constant(path, [-5, 7]),
    "a product of 14 GB": _product,
    "hours of products": _long_product,
    "an image tiled nine million times": _tiled,
    "forty doublings": _chain,
    "graphs a thousand deep": _nested,
    "noise of a thousand million numbers": lambda path: _noise(path, 10**9),
    "an output of another kind": _whole_numbers,
    "an output of another shape": _four_numbers,
    "not a number": _not_a_number,
    "an image of doubles": _doubles,
    "no inputs that belong": _many_inputs,
    "a node that nobody has": _foreign_node,
    "weights in a file of the machine": _outside_data,
    "nothing": _written(b""),
    "words": _written(b"not a model\n" * 100),
    "zeros, 20 GiB of them": _sparse,
}


def hostile_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """All of them, each in a folder of its own, with its name."""
    for number, (name, content) in enumerate(HOSTILE_CARDS.items()):
        place = folder / f"card{number}"
        place.mkdir()
        _model(place / "net.onnx", [_node("Identity", "image", "filled")])
        (place / "net.json").write_bytes(content)
        yield f"card: {name}", place / "net.onnx"
    for number, (name, make) in enumerate(HOSTILE_MODELS.items()):
        place = folder / f"model{number}"
        place.mkdir()
        yield f"model: {name}", make(place / "net.onnx")
