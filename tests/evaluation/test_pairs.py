"""Layouts of pairs, and what does not pair."""

from pathlib import Path

import numpy as np
import pytest

from remend.errors import EvaluationError, MaskError
from remend.evaluation.pairs import find_outputs, find_pairs, read_pair


def names(found) -> list[tuple[str, str, str]]:
    return [(pair.name, pair.image.name, pair.mask.name) for pair in found.pairs]


def test_masks_beside_pictures(tmp_path: Path, save, picture, hole) -> None:
    save("b.png", picture(1)), save("b_mask.png", hole)
    save("a.jpg", picture(2)), save("a_mask.png", hole)
    save("lonely.png", picture(3)), save("ghost_mask.png", hole)
    (tmp_path / "notes.txt").write_text("not a picture")
    found = find_pairs(tmp_path)
    assert names(found) == [("a", "a.jpg", "a_mask.png"), ("b", "b.png", "b_mask.png")]
    assert found.unpaired == (
        "ghost_mask.png: no picture of this mask",
        "lonely.png: no mask of this picture",
    )


def test_lama_several_masks_a_picture(tmp_path: Path, save, picture, hole) -> None:
    save("x.png", picture(1)), save("x_mask001.png", hole), save("x_mask000.png", hole)
    save("y.png", picture(2)), save("y_mask000.png", hole)
    assert [name for name, _, _ in names(find_pairs(tmp_path))] == ["x_mask000", "x_mask001", "y_mask000"]


@pytest.mark.parametrize("given", [True, False])
def test_two_folders_by_stem(tmp_path: Path, save, picture, hole, given: bool) -> None:
    save("images/x.jpg", picture(1)), save("masks/x.png", hole)
    save("images/y.png", picture(1)), save("masks/y_mask.png", hole)
    found = find_pairs(tmp_path / "images", masks=tmp_path / "masks") if given else find_pairs(tmp_path)
    assert names(found) == [("x", "x.jpg", "x.png"), ("y", "y.png", "y_mask.png")]


def test_one_stem_twice_is_left_out_and_told(tmp_path: Path, save, picture, hole) -> None:
    save("x.png", picture(1)), save("x.bmp", picture(2)), save("x_mask.png", hole)
    save("y.png", picture(1)), save("y_mask.png", hole)
    found = find_pairs(tmp_path)
    assert [pair.name for pair in found.pairs] == ["y"]
    assert "x.bmp: another picture has the same stem" in found.unpaired
    assert "x.png: another picture has the same stem" in found.unpaired


def test_nothing_pairs(tmp_path: Path, save, picture) -> None:
    save("x.png", picture(1))
    with pytest.raises(EvaluationError, match=r"holds no pair: name masks x_mask\.png"):
        find_pairs(tmp_path)
    with pytest.raises(EvaluationError, match="not a folder"):
        find_pairs(tmp_path / "x.png")


def test_outputs_named_after_pair_picture_or_mask(tmp_path: Path, save, picture, hole) -> None:
    save("p/x.png", picture(1)), save("p/x_mask.png", hole)
    save("p/y.png", picture(1)), save("p/y_mask.png", hole)
    save("p/z.png", picture(1)), save("p/z_mask000.png", hole), save("p/z_mask001.png", hole)
    pairs = find_pairs(tmp_path / "p").pairs
    save("out/x.jpg", picture(1)), save("out/y_mask.png", picture(1))
    save("out/z.png", picture(1)), save("out/z_mask001.png", picture(1))
    outputs = find_outputs(tmp_path / "out", pairs)
    # z.png could belong to either of z's masks, so it belongs to none.
    assert {name: path.name for name, path in outputs.items()} == {
        "x": "x.jpg",
        "y": "y_mask.png",
        "z_mask001": "z_mask001.png",
    }
    (tmp_path / "empty").mkdir()
    with pytest.raises(EvaluationError, match=r"no file named after a pair, such as x\.png"):
        find_outputs(tmp_path / "empty", pairs)


def test_read_pair_and_polarity(tmp_path: Path, save, picture, hole) -> None:
    image = picture(5)
    save("x.png", image), save("x_mask.png", hole)
    pair = find_pairs(tmp_path).pairs[0]
    truth, white = read_pair(pair)
    np.testing.assert_array_equal(truth, image)
    np.testing.assert_array_equal(white, hole == 255)
    np.testing.assert_array_equal(read_pair(pair, polarity="black")[1], hole == 0)


def test_bad_pairs(tmp_path: Path, save, picture, hole) -> None:
    save("small.png", picture(1)), save("small_mask.png", hole[:10])
    save("void.png", picture(1)), save("void_mask.png", hole * 0)
    by_name = {pair.name: pair for pair in find_pairs(tmp_path).pairs}
    with pytest.raises(MaskError, match="32×10"):
        read_pair(by_name["small"])
    with pytest.raises(EvaluationError, match=r"void_mask\.png marks nothing"):
        read_pair(by_name["void"])
