import cv2
import numpy as np
import pytest

from made_models import write_mean_filler
from remend.errors import ModelError
from remend.fill.filler import Filler
from remend.fill.model_card import Card
from remend.fill.neural import WEIGHTS, Neural, wide


def window(height: int, width: int):
    rng = np.random.default_rng(0)
    image = rng.random((height, width, 3), np.float32)
    hole = np.zeros((height, width), bool)
    hole[height // 3 : height // 2, width // 4 : width // 2] = True
    image[hole] = np.nan
    return image, hole


@pytest.mark.parametrize("size", [(64, 64), (37, 53), (5, 9)])
def test_any_size_is_padded_to_the_multiple_and_cropped_back(tmp_path, size):
    net = Neural.load(write_mean_filler(tmp_path / "net.onnx", card={"size_multiple": 32}))
    image, hole = window(*size)
    filled = net.fill(image, hole, usable=~hole)
    assert filled.pixels.shape == (*size, 3)
    # The mean is over the padded window: near the known mean, and the same everywhere in the hole.
    assert np.ptp(filled.pixels[hole], axis=0).max() < 1e-6
    np.testing.assert_allclose(filled.pixels[hole][0], image[~hole].mean(axis=0), atol=0.08)


def test_pixels_that_may_not_be_read_do_not_reach_the_net(tmp_path):
    net = Neural.load(write_mean_filler(tmp_path / "net.onnx"))
    image = np.full((32, 32, 3), 0.25, np.float32)
    hole = np.zeros((32, 32), bool)
    hole[10:14, 10:14] = True
    usable = ~hole
    usable[0:8] = False
    image[0:8] = 1.0
    filled = net.fill(image, hole, usable=usable)
    np.testing.assert_allclose(filled.pixels[hole], 0.25, atol=1e-6)


def test_a_prior_reaches_a_net_that_takes_one(tmp_path):
    net = Neural.load(write_mean_filler(tmp_path / "net.onnx", prior=True))
    image, hole = window(32, 32)
    prior = np.full((32, 32, 3), 0.75, np.float32)
    np.testing.assert_allclose(net.fill(image, hole, usable=~hole, prior=prior).pixels[hole], 0.75)
    # Without one it is told so: the model of this test answers what it was told.
    np.testing.assert_allclose(net.fill(image, hole, usable=~hole).pixels[hole], -1)


class Asked:
    """A model file that notes what it was asked and answers its prior, or a constant."""

    takes_prior = True
    takes_guide = True

    def __init__(self, card: Card) -> None:
        self.card = card
        self.calls: list[tuple[tuple[int, int], bool]] = []
        self.lines: list[np.ndarray | None] = []

    def run(self, window, known, prior=None, *, guide=None, seed=0):
        self.calls.append((known.shape, prior is not None))
        self.lines.append(guide)
        filled = np.full_like(window, 0.5) if prior is None else prior
        return np.where(known[..., None], window, filled)


def asked(**card) -> Neural:
    model = Asked(Card("asked", **card))
    return Neural(model)


def test_a_wide_hole_is_filled_small_first_and_each_answer_is_the_next_prior():
    net = asked(reach_px=20)
    image, hole = np.full((256, 320, 3), 0.25, np.float32), np.zeros((256, 320), bool)
    hole[60:200, 60:200] = True  # radius 70: within reach at a quarter of the size
    filled = net.fill(image, hole, usable=~hole)
    assert [prior for _, prior in net.model.calls] == [False, True, True]
    assert [shape[0] for shape, _ in net.model.calls] == sorted(shape[0] for shape, _ in net.model.calls)
    np.testing.assert_allclose(filled.pixels[80:180, 80:180], 0.5, atol=1e-5)


def test_a_hole_within_reach_is_filled_at_once():
    net = asked(reach_px=20)
    image, hole = window(256, 320)
    hole = np.zeros_like(hole)
    hole[100:130, 20:300] = True
    net.fill(np.nan_to_num(image), hole, usable=~hole)
    assert len(net.model.calls) == 1


def test_a_window_beyond_the_nets_own_is_filled_in_tiles_that_leave_no_trace():
    net = asked(window_px=256)
    height, width = 200, 900
    image = np.broadcast_to(np.linspace(0, 1, width, dtype=np.float32)[None, :, None], (height, width, 3))
    hole = np.zeros((height, width), bool)
    hole[90:110, 10:890] = True
    prior = image.copy()
    filled = net.fill(image.copy(), hole, usable=~hole, prior=prior)
    assert len(net.model.calls) > 3
    assert all(max(shape) <= 256 for shape, _ in net.model.calls)
    np.testing.assert_allclose(filled.pixels, image, atol=1e-6)


def test_lines_reach_a_net_that_takes_some_in_the_hole_alone(tmp_path):
    net = Neural.load(write_mean_filler(tmp_path / "net.onnx", guide=True))
    assert net.capabilities.takes_guide
    image, hole = np.full((40, 50, 3), 0.25, np.float32), np.zeros((40, 50), bool)
    hole[10:30, 10:40] = True
    lines = np.zeros_like(hole)
    lines[20] = True
    filled = net.fill(image, hole, usable=~hole, guide=lines).pixels
    np.testing.assert_allclose(filled[hole & lines], 1)
    np.testing.assert_allclose(filled[hole & ~lines], 0.25, atol=1e-6)
    np.testing.assert_allclose(net.fill(image, hole, usable=~hole).pixels[hole], 0.25, atol=1e-6)


def test_lines_of_a_pixel_reach_every_scale_and_every_tile():
    coarse = asked(reach_px=20)
    image, hole = np.full((256, 320, 3), 0.25, np.float32), np.zeros((256, 320), bool)
    hole[60:200, 60:200] = True
    lines = np.zeros_like(hole)
    lines[:, 131] = True
    coarse.fill(image, hole, usable=~hole, guide=lines)
    assert len(coarse.model.lines) == 3
    for (shape, _), drawn in zip(coarse.model.calls, coarse.model.lines, strict=True):
        rows = drawn.any(axis=1)
        assert drawn.shape == shape
        assert rows.sum() > 0.5 * shape[0]  # unbroken through the hole
        assert set(np.unique(drawn)) == {0, 1}
    tiled = asked(window_px=256)
    hole = np.zeros((200, 900), bool)
    hole[90:110, 10:890] = True
    tiled.fill(
        np.full((200, 900, 3), 0.25, np.float32), hole, usable=~hole, guide=hole & (np.arange(900) == 700)
    )
    with_lines = [drawn.any() for drawn in tiled.model.lines]
    assert 0 < sum(with_lines) < len(with_lines)


def test_it_keeps_the_fillers_contract_and_its_card_speaks(tmp_path):
    card = {"name": "tiny", "size_multiple": 8, "window_px": 96, "reach_px": 20}
    net = Neural.load(write_mean_filler(tmp_path / "net.onnx", card=card))
    assert isinstance(net, Filler)
    assert net.name == "tiny"
    assert net.capabilities.window_px == 96  # it takes no prior


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        Neural.load(tmp_path / "nowhere.onnx")


def test_a_file_that_is_no_model(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"not a model at all")
    with pytest.raises(ModelError, match="damaged or no ONNX"):
        Neural.load(path)


def test_a_truncated_model(tmp_path):
    path = write_mean_filler(tmp_path / "net.onnx")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ModelError):
        Neural.load(path)


def test_another_sha_than_the_cards(tmp_path):
    path = write_mean_filler(tmp_path / "net.onnx", card={"sha256": "0" * 64})
    with pytest.raises(ModelError, match="SHA-256"):
        Neural.load(path)


def test_a_card_that_cannot_be_read(tmp_path):
    path = write_mean_filler(tmp_path / "net.onnx")
    path.with_suffix(".json").write_text("[1, 2")
    with pytest.raises(ModelError, match="card"):
        Neural.load(path)


def test_other_outputs_than_the_contracts(tmp_path):
    with pytest.raises(ModelError, match="filled out"):
        Neural.load(write_mean_filler(tmp_path / "net.onnx", output="result"))


def test_weights_that_are_not_finite(tmp_path):
    net = Neural.load(write_mean_filler(tmp_path / "net.onnx", constant=float("nan")))
    image, hole = window(32, 32)
    with pytest.raises(ModelError, match="not finite"):
        net.fill(image, hole, usable=~hole)


def test_without_an_embedded_model_the_message_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("remend.fill.neural.WEIGHTS", tmp_path)
    with pytest.raises(ModelError, match=r"--method FILE\.onnx"):
        wide()


def test_a_file_in_8_bits_fills_alike_on_a_processor_that_multiplies_none(monkeypatch):
    path = WEIGHTS / "inpaint-thin.onnx"
    rng = np.random.default_rng(0)
    image = cv2.resize(rng.random((8, 8, 3), np.float32), (96, 96), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    hole = np.zeros((96, 96), np.bool_)
    hole[40:44] = True
    fills = {}
    for fast in (True, False):
        monkeypatch.setattr("remend.runtime.multiplies_bytes", lambda fast=fast: fast)
        fills[fast] = Neural.load(path, trusted=True).fill(image, hole, usable=~hole).pixels
    difference = np.abs(fills[True] - fills[False])
    assert 0 < difference.max() < 0.03
