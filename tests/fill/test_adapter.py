"""ONNX files as they circulate: told by what they take, and run with the right colours, masks and sizes."""

import numpy as np
import pytest

import remend
from made_models import write_lama_like, write_mean_filler, write_migan_like
from remend.errors import ModelError
from remend.fill.adapter import adapter_of
from remend.fill.model_check import verify_model
from remend.fill.model_file import ModelFile

BLUE = np.array([0.1, 0.2, 0.8]) * 255


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """How long a process takes to start on a busy machine is no matter of these tests."""
    monkeypatch.setattr("remend.fill.outside.LOAD_SECONDS", 60.0)


def photo(height: int = 90, width: int = 120):
    rng = np.random.default_rng(0)
    image = rng.integers(60, 200, (height, width, 3), np.uint8)
    mask = np.zeros((height, width), bool)
    mask[20:60, 30:80] = True
    return image, mask


@pytest.mark.parametrize(
    "made",
    [
        lambda path: write_lama_like(path),
        lambda path: write_lama_like(path, side=None),
        lambda path: write_lama_like(path, side=320, largest=1.0),
        write_migan_like,
    ],
)
def test_what_circulates_fills_the_hole_and_nothing_else(tmp_path, made):
    image, mask = photo()
    path = made(tmp_path / "net.onnx")
    repaired = remend.repair(image, mask, method=str(path))
    assert np.array_equal(repaired[~mask], image[~mask])
    inner = repaired[30:50, 45:65].reshape(-1, 3).astype(float)
    assert np.abs(np.median(inner, axis=0) - BLUE).max() < 12, "blue, and not black, white or another range"
    assert verify_model(path).model.adapter is not None


def test_the_window_is_the_files_own(tmp_path):
    fixed = ModelFile.open(write_lama_like(tmp_path / "a.onnx", side=256))
    assert (fixed.card.size_multiple, fixed.card.window_px) == (256, 256)
    assert fixed.adapter.largest == 255
    free = ModelFile.open(write_migan_like(tmp_path / "b.onnx"))
    assert (free.card.size_multiple, free.card.window_px) == (8, 512)
    ours = ModelFile.open(write_mean_filler(tmp_path / "c.onnx"))
    assert ours.adapter is None


FLOAT, BYTES = "tensor(float)", "tensor(uint8)"
PICTURE, PLANE = ["N", 3, 512, 512], ["N", 1, 512, 512]


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ({"image": (PICTURE, FLOAT), "hole": (PLANE, FLOAT)}, ["filled"]),
        ({"image": (PICTURE, FLOAT), "mask": (PLANE, BYTES)}, ["output"]),
        ({"image": (PICTURE, FLOAT), "mask": (PLANE, FLOAT)}, ["output", "more"]),
        ({"image": (["N", 4, 512, 512], FLOAT), "mask": (PLANE, FLOAT)}, ["output"]),
        ({"image": (["N", 3, 512, 256], FLOAT), "mask": (["N", 1, 512, 256], FLOAT)}, ["output"]),
        ({"image": (["N", 3, 4096, 4096], FLOAT), "mask": (["N", 1, 4096, 4096], FLOAT)}, ["output"]),
    ],
)
def test_others_are_not_guessed_at(inputs, outputs):
    assert adapter_of(inputs, outputs) is None


def test_a_file_that_only_looks_like_one_says_so(tmp_path):
    from onnx import TensorProto, helper

    from made_models import _write

    inputs = [
        helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, 256, 256]),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["N", 1, 256, 256]),
    ]
    output = helper.make_tensor_value_info("depth", TensorProto.FLOAT, ["N", 1, 256, 256])
    node = helper.make_node("Identity", ["mask"], ["depth"])
    path = _write(tmp_path / "depth.onnx", [node], inputs, output, [])
    with pytest.raises(ModelError, match=r"taken for LaMa .* failed on a grey window .*: it is another one"):
        ModelFile.open(path)
