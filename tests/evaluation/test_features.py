"""Feature nets in ONNX files, arrays made elsewhere, and what runs make of them."""

from pathlib import Path

import numpy as np
import pytest

from remend.errors import EvaluationError, ModelError
from remend.evaluation.distributions import fid, kid
from remend.evaluation.features import FeatureArrays, OnnxDistance, OnnxFeatures, figures
from remend.evaluation.learned import judges
from remend.evaluation.pairs import find_pairs
from remend.evaluation.run import evaluate
from remend.evaluation.shown import shown
from remend.evaluation.tables import as_json, caveats


@pytest.fixture
def net(tmp_path: Path):
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto as T
    from onnx import helper

    def write(name: str, size=("H", "W"), *, kind: int = T.FLOAT, channels: int = 3) -> Path:
        """Means of each channel over positions, and of their squares."""
        cast = helper.make_node("Cast", ["image"], ["x"], to=T.FLOAT)
        square = helper.make_node("Mul", ["x", "x"], ["xx"])
        both = helper.make_node("Concat", ["x", "xx"], ["maps"], axis=1)
        graph = helper.make_graph(
            [cast, square, both],
            "g",
            [helper.make_tensor_value_info("image", kind, ["N", channels, *size])],
            [helper.make_tensor_value_info("maps", T.FLOAT, ["N", 2 * channels, *size])],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        onnx.save(model, str(tmp_path / name))
        return tmp_path / name

    write.uint8 = T.UINT8
    return write


@pytest.fixture
def pairs(tmp_path: Path, save, picture, hole):
    for seed, name in enumerate("abcd"):
        save(f"p/{name}.png", picture(seed))
        save(f"p/{name}_mask.png", hole)
    return find_pairs(tmp_path / "p").pairs


def grey(image, where, method):
    out = image.copy()
    out[where] = int(method)
    return out


def test_maps_are_averaged_and_the_range_is_what_it_says(net, picture):
    image = picture(0)
    found = OnnxFeatures(net("Mean-v1.onnx"))
    assert found.name == "mean_v1"
    x = image.astype(np.float64) / 255
    wanted = np.concatenate([x.mean((0, 1)), np.square(x).mean((0, 1))])
    np.testing.assert_allclose(found.features(image), wanted, rtol=1e-5)
    bytes_ = OnnxFeatures(net("b.onnx", kind=net.uint8)).features(image)
    np.testing.assert_allclose(bytes_[:3], image.mean((0, 1)), rtol=1e-5)


def test_a_fixed_size_is_resized_to(net):
    ramp = np.broadcast_to(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], (48, 64, 3))
    found = OnnxFeatures(net("f.onnx", (16, 16)))
    assert "16x16" in found.rules["features_f"]
    np.testing.assert_allclose(found.features(np.ascontiguousarray(ramp))[:3], 0.5, atol=0.01)


def test_other_files_are_refused(tmp_path, net):
    (tmp_path / "no.onnx").write_bytes(b"no")
    with pytest.raises(ModelError, match="cannot be loaded"):
        OnnxFeatures(tmp_path / "no.onnx")
    with pytest.raises(ModelError, match="takes one"):
        OnnxFeatures(net("grey.onnx", channels=1))


def test_a_run_computes_them_over_pairs_that_all_answered(net, pairs, picture):
    judge = OnnxFeatures(net("m.onnx"))

    def moody(image, where, method):
        moody.calls += 1
        if moody.calls == 2:
            raise ValueError("not today")
        return grey(image, where, method)

    moody.calls = 0
    plain = evaluate(pairs, ["100", "200"], restore=grey)
    result = evaluate(pairs, ["100", "200"], restore=moody, features=[judge])
    assert result.common == ("b", "c", "d")
    assert set(result.sets["100"]) == {"fid_m", "kid_m", "pids_m", "uids_m"}
    truths = np.stack([judge.features(picture(seed)) for seed in (1, 2, 3)])
    where = np.zeros((24, 32), bool)
    where[6:18, 8:16] = True
    made = np.stack([judge.features(grey(picture(seed), where, "200")) for seed in (1, 2, 3)])
    assert result.sets["200"]["fid_m"] == pytest.approx(fid(truths, made))
    assert result.sets["200"]["kid_m"] == pytest.approx(kid(truths, made))
    assert result.protocol.sha256 != plain.protocol.sha256
    assert caveats(result)[0].startswith("FID, KID, P-IDS and U-IDS of N = 3 pictures, fewer than 2048")
    assert as_json(result)["sets"][0]["protocol"] == result.protocol.short
    assert caveats(plain) == ()


def test_arrays_made_elsewhere(tmp_path, pairs):
    rng = np.random.default_rng(0)
    folder = tmp_path / "inception"
    folder.mkdir()
    truth, made = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    np.save(folder / "truth.npy", truth)
    np.save(folder / "100.npy", made)
    result = evaluate(pairs, ["100"], restore=grey, features=[FeatureArrays(folder)])
    assert result.sets["100"]["fid_inception"] == pytest.approx(fid(truth, made))
    np.save(folder / "100.npy", made[:3])
    with pytest.raises(EvaluationError, match="has 3 rows for 4 pairs"):
        evaluate(pairs, ["100"], restore=grey, features=[FeatureArrays(folder)])
    np.save(folder / "truth.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(EvaluationError, match="cannot be read"):
        FeatureArrays(folder)


def test_one_picture_is_no_set():
    one = np.ones((1, 4))
    assert all(np.isnan(value) for value in figures("m", one, one).values())


def test_several_maps_are_a_distance_of_their_own(tmp_path, picture, hole):
    """Of two maps that are known, reckoned here by hand: the picture, and its means over squares of 2 px."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto as T
    from onnx import helper

    halved = helper.make_node("AveragePool", ["image"], ["small"], kernel_shape=[2, 2], strides=[2, 2])
    same = helper.make_node("Identity", ["image"], ["large"])
    frames = [
        helper.make_tensor_value_info(name, T.FLOAT, ["N", 3, None, None]) for name in ("large", "small")
    ]
    image = helper.make_tensor_value_info("image", T.FLOAT, ["N", 3, "H", "W"])
    graph = helper.make_graph([halved, same], "g", [image], frames)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, str(tmp_path / "Two maps.onnx"))
    (judge,), nets = judges(features=[tmp_path / "Two maps.onnx"])
    assert not nets and judge.names == ("pd_two_maps",) and shown("pd_two_maps").heading == "PD (two maps)"
    truth, other = picture(0)[:24, :32], picture(1)[:24, :32]
    where = np.ascontiguousarray(hole[:24, :32])
    where[4:9, 4:9] = True
    output = np.where(where[..., None], other, truth)

    def unit(x):
        return x / np.linalg.norm(x, axis=2, keepdims=True)

    def half(x):
        return x.reshape(12, 2, 16, 2, -1).mean(axis=(1, 3))

    a, b = (x.astype(np.float64) / 255 + 1e-12 for x in (output, truth))
    wanted = []
    for scale in (lambda x: x, half):
        apart = np.square(unit(scale(a)) - unit(scale(b))).sum(axis=2)
        wanted.append(np.average(apart, weights=scale(where[..., None].astype(float))[..., 0]))
    assert judge.measure(output, truth, where)["pd_two_maps"] == pytest.approx(np.mean(wanted), rel=1e-4)
    assert judge.measure(truth, truth, where)["pd_two_maps"] == 0
    assert np.isnan(judge.measure(output, truth, np.zeros_like(where))["pd_two_maps"])


def test_a_distance_needs_maps(tmp_path, net):
    with pytest.raises(ModelError, match="answers no map"):
        OnnxDistance(_flat(tmp_path))


def _flat(folder: Path) -> Path:
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto as T
    from onnx import helper

    node = helper.make_node("Flatten", ["image"], ["vector"])
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("image", T.FLOAT, ["N", 3, "H", "W"])],
        [helper.make_tensor_value_info("vector", T.FLOAT, ["N", None])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, str(folder / "flat.onnx"))
    return folder / "flat.onnx"
