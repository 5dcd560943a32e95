import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import ModelError  # noqa: E402
from remend.export import to_onnx  # noqa: E402
from remend.nets.registry import build  # noqa: E402
from remend.quantize import quantize  # noqa: E402
from remend.runtime import open_plain_session  # noqa: E402

TINY = {"widths": (16, 24, 32), "dilations": (1, 2)}


@pytest.fixture(scope="module")
def content():
    torch.manual_seed(0)
    net = build("remend", TINY).eval()
    with torch.no_grad():
        for parameter in net.parameters():  # as a trained net has them: no two alike
            parameter.add_(0.02 * torch.randn_like(parameter))
    return to_onnx(net)


def feeds(count, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        hole = np.zeros((1, 1, 64, 96), np.float32)
        hole[:, :, 20:40, 30:70] = 1
        yield {"image": rng.random((1, 3, 64, 96), np.float32) * (1 - hole), "hole": hole}


def answer(content, feed):
    return open_plain_session(content).run(["filled"], feed)[0]


def test_eight_bits_answer_nearly_the_same_and_known_pixels_stay_bit_for_bit(content, capsys):
    small = quantize(content, feeds(4))
    assert capsys.readouterr().out == ""  # what `remend export` prints is its own
    feed = next(feeds(1, seed=1))
    wanted, got = answer(content, feed), answer(small, feed)
    known = np.broadcast_to(feed["hole"] == 0, wanted.shape)
    assert np.array_equal(got[known], feed["image"][known])
    assert 0 < np.abs(got - wanted).max() < 0.05


def test_it_is_smaller_and_the_ends_stay_in_full_precision(content):
    import onnx

    small = quantize(content, feeds(2))
    assert len(small) < 0.7 * len(content)
    model = onnx.load_from_string(small)
    made = {output: node.op_type for node in model.graph.node for output in node.output}
    fed = {node.name: made.get(node.input[0]) for node in model.graph.node if node.op_type == "Conv"}
    assert [kind for name, kind in fed.items() if "stem" in name or "head" in name].count(
        "DequantizeLinear"
    ) == 0
    assert sum(kind == "DequantizeLinear" for kind in fed.values()) > 10


def test_without_pictures_or_without_a_body_it_says_so(content):
    with pytest.raises(ModelError, match="calibrate"):
        quantize(content, iter(()))
    import onnx

    model = onnx.load_from_string(content)
    for node in model.graph.node:
        node.name = ""
    with pytest.raises(ModelError, match="no body"):
        quantize(model.SerializeToString(), feeds(1))
