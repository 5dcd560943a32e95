"""How far apart the answers of a net that takes noise are."""

import json
import math

import numpy as np
import pytest

pytest.importorskip("benchmarks.diversity", reason="benchmarks lie in the root of the checkout")

from benchmarks import diversity
from benchmarks.diversity import draw_row, draw_sheet, spread
from made_models import write_mean_filler
from remend.errors import UsageError

HOLE = np.zeros((20, 24), bool)
HOLE[4:12, 6:18] = True


def grey(value: int) -> np.ndarray:
    return np.full((20, 24, 3), value, np.uint8)


def levels(one, other, hole):
    """A distance that can be counted in one's head."""
    return float(np.abs(one.astype(int) - other)[hole].mean())


def test_fills_are_compared_pair_by_pair_and_with_the_truth():
    found = spread([grey(110), grey(130), grey(100)], grey(120), HOLE, levels)
    assert found.between == pytest.approx((20 + 10 + 30) / 3)
    assert found.from_truth == pytest.approx((10 + 10 + 20) / 3)
    assert found.distinct == 3
    assert found.psnr_best == pytest.approx(20 * math.log10(255 / 10))
    assert found.psnr_mean == pytest.approx((2 * found.psnr_best + 20 * math.log10(255 / 20)) / 3)


def test_fills_that_differ_outside_of_the_hole_alone_are_one_answer():
    one, other = grey(110), grey(110)
    other[~HOLE] = 7
    found = spread([one, other, one], grey(120), HOLE, levels)
    assert found.distinct == 1
    assert found.between == 0
    other[5, 7, 1] += 1  # a single bit
    assert spread([one, other, one], grey(120), HOLE, levels).distinct == 2


def test_a_single_fill_differs_from_nothing():
    with pytest.raises(UsageError, match="--seeds"):
        spread([grey(1)], grey(1), HOLE, levels)


def test_the_sheet_shows_picture_hole_and_fills_beside_each_other():
    row = draw_row(grey(200), HOLE, [grey(10), grey(20)], side_px=12)
    wide = draw_sheet([row, draw_row(grey(200), HOLE, [grey(10)] * 5, side_px=24)])
    assert row.shape == (10 + 6, 4 * (12 + 6), 3)
    assert (row[0, 0] == 200).all()
    assert (row[5, 18 + 6] == 128).all()
    assert (row[5, 2 * 18] == 10).all()
    assert (row[5, 3 * 18] == 20).all()
    assert wide.shape == (16 + 26, 7 * 30, 3)


def test_a_model_without_noise_is_told_apart(tmp_path, monkeypatch, save):
    monkeypatch.setattr(diversity, "perceptual_distance", lambda path: levels)
    save("pairs/a.png", grey(90))
    save("pairs/a_mask.png", HOLE.astype(np.uint8) * 255)
    model = write_mean_filler(tmp_path / "net.onnx")
    with pytest.raises(UsageError, match="takes no noise"):
        diversity.main([str(model), str(tmp_path / "pairs"), "--features", "none.h5"])


def test_the_line_of_an_untrained_net_that_takes_noise(tmp_path, monkeypatch, save, capsys):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    pytest.importorskip("onnx", reason="onnx is not installed")
    from remend.nets.onnx_file import to_onnx
    from remend.nets.registry import build
    from tiny_nets import TINY

    torch.manual_seed(0)
    net = build("comod_gan", TINY["comod_gan"]).eval()
    (tmp_path / "comod.onnx").write_bytes(to_onnx(net))
    (tmp_path / "comod.json").write_text(json.dumps({"size_multiple": net.size_multiple}))
    monkeypatch.setattr(diversity, "perceptual_distance", lambda path: levels)
    save("pairs/a.png", np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8))
    save("pairs/a_mask.png", HOLE.astype(np.uint8) * 255)
    sheet = tmp_path / "sheet.png"
    arguments = [str(tmp_path / "comod.onnx"), str(tmp_path / "pairs"), "--features", "none.h5"]
    line = diversity.main([*arguments, "--sheet", str(sheet)])
    assert json.loads(capsys.readouterr().out) == line
    assert (line["pictures"], line["noise"], line["distinct_fills"]) == (1, 6, 5)
    assert line["pd_between_fills"] > 0
    assert line["psnr_hole_best"] > line["psnr_hole_mean"]
    assert sheet.is_file()
