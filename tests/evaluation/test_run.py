"""Runs: what methods get, what is measured, what happens when one fails, and the frozen protocol."""

from pathlib import Path

import numpy as np
import pytest

from remend.errors import EvaluationError, UsageError
from remend.evaluation.pairs import find_pairs
from remend.evaluation.run import _labels, evaluate
from remend.metrics import compose, psnr


@pytest.fixture
def pairs(tmp_path: Path, save, picture, hole):
    for seed, name in enumerate("abc"):
        save(f"p/{name}.png", picture(seed))
        save(f"p/{name}_mask.png", hole)
    return find_pairs(tmp_path / "p").pairs


def grey(image: np.ndarray, hole: np.ndarray, method: str) -> np.ndarray:
    """Fills with the level that its name says."""
    out = image.copy()
    out[hole] = int(method)
    return out


def test_scores_are_those_of_the_composed_picture(pairs, picture, hole) -> None:
    result = evaluate(pairs, ["100", "200"], restore=grey)
    assert [(score.pair, score.method) for score in result.scores] == [
        (pair, method) for pair in "abc" for method in ("100", "200")
    ]
    truth, where = picture(0), hole == 255
    filled = np.where(where[..., None], np.uint8(100), truth)
    assert result.scores[0].metrics["psnr_hole"] == pytest.approx(psnr(filled, truth, where))
    assert result.scores[0].metrics["psnr"] == pytest.approx(psnr(filled, truth))
    assert result.scores[0].hole_ratio == pytest.approx(where.mean())
    assert result.scores[0].seconds is not None
    assert result.failures == ()


def test_methods_cannot_see_the_truth_nor_spoil_it(pairs, hole) -> None:
    def peek(image: np.ndarray, where: np.ndarray, method: str) -> np.ndarray:
        assert (image[where] == 128).all()
        np.testing.assert_array_equal(where, hole == 255)
        with pytest.raises(ValueError, match="read-only"):
            image[0, 0] = 1
        return image

    assert not evaluate(pairs, ["m"], restore=peek).failures


def test_changes_outside_the_hole_are_told_and_do_not_count(pairs) -> None:
    def careless(image: np.ndarray, where: np.ndarray, method: str) -> np.ndarray:
        out = grey(image, where, "100")
        out[0, 0] ^= 64
        return out

    careful, other = evaluate(pairs, ["100"], restore=grey), evaluate(pairs, ["100"], restore=careless)
    assert [score.metrics for score in other.scores] == [score.metrics for score in careful.scores]
    assert careful.summaries[0].outside_levels == 0
    assert other.summaries[0].outside_levels == 64


def test_means_are_over_pairs_that_all_answered(pairs) -> None:
    def moody(image: np.ndarray, where: np.ndarray, method: str) -> np.ndarray:
        moody.calls += 1
        if method == "200" and moody.calls == 4:  # on pair b
            raise UsageError("not today")
        return grey(image, where, method)

    moody.calls = 0
    result = evaluate(pairs, ["100", "200"], restore=moody)
    first, second = result.summaries
    assert (first.pictures, first.failed, second.pictures, second.failed) == (2, 0, 2, 1)
    by = {(score.pair, score.method): score for score in result.scores}
    assert by["b", "200"].error == "not today"
    both = (by["a", "100"].metrics["psnr"] + by["c", "100"].metrics["psnr"]) / 2
    assert first.means["psnr"] == pytest.approx(both)


def test_a_method_that_never_answers_does_not_empty_the_others(pairs) -> None:
    result = evaluate(pairs, ["100", "nonsense"], restore=grey)
    good, bad = result.summaries
    assert good.pictures == 3
    assert bad.pictures == 0
    assert bad.failed == 3
    assert np.isnan(bad.means["psnr"])
    assert all(score.error.startswith("ValueError: ") for score in result.failures)


def test_a_wrong_answer_is_a_failure(pairs) -> None:
    result = evaluate(pairs, ["m"], restore=lambda image, hole, method: image[:10])
    assert result.scores[0].error == "the output is 32×10 and the target 32×24: they must be equal"


def test_one_bad_pair_does_not_stop_the_rest(tmp_path: Path, pairs, save, hole) -> None:
    (tmp_path / "p" / "b.png").write_bytes(b"broken")
    result = evaluate(pairs, ["100"], restore=grey)
    assert [score.pair for score in result.scores] == ["a", "c"]
    assert list(result.skipped) == ["b"]
    assert [pair.name for pair in result.protocol.pairs] == ["a", "c"]
    for name in "ac":
        (tmp_path / "p" / f"{name}.png").write_bytes(b"broken")
    with pytest.raises(EvaluationError, match="none of 3 pairs"):
        evaluate(pairs, ["100"], restore=grey)


def test_other_tools_outputs(tmp_path: Path, pairs, save, picture, hole) -> None:
    save("tool/a.png", picture(0))
    save("tool/b_mask.png", np.full((24, 32, 3), 100, np.uint8))
    result = evaluate(pairs, ["100"], outputs=[tmp_path / "tool"], restore=grey)
    assert result.methods == ("100", "tool")
    by = {score.pair: score for score in result.scores if score.method == "tool"}
    assert by["a"].metrics["psnr_hole"] == 100
    assert by["a"].seconds is None
    same = next(score for score in result.scores if (score.pair, score.method) == ("b", "100"))
    assert by["b"].metrics == same.metrics
    assert by["c"].error == "no output for c"


def test_observer_sees_composed_pictures(pairs, picture, hole) -> None:
    seen = []
    evaluate(pairs, ["7"], restore=grey, observer=seen.append)
    assert [one.pair.name for one in seen] == ["a", "b", "c"]
    where = hole == 255
    expected = compose(np.full((24, 32, 3), 7, np.uint8), picture(1), where)
    np.testing.assert_array_equal(seen[1].outputs["7"], expected)


def test_the_protocol_is_pictures_and_masks_not_methods(tmp_path: Path, pairs, save, picture, hole) -> None:
    base = evaluate(pairs, ["1"], restore=grey).protocol
    assert base == evaluate(pairs[::-1], ["2"], quality="best", restore=grey).protocol
    assert len(base.short) == 12
    assert base.sha256.startswith(base.short)
    other = hole.copy()
    other[6, 8] = 0
    save("p/a_mask.png", other)
    masked = evaluate(pairs, ["1"], restore=grey).protocol
    save("p/a_mask.png", hole)
    changed = picture(0)
    changed[0, 0, 0] ^= 1
    save("p/a.png", changed)
    pictured = evaluate(pairs, ["1"], restore=grey).protocol
    fewer = evaluate(pairs[1:], ["1"], restore=grey).protocol
    seeded = evaluate(pairs, ["1"], seed=4, restore=grey).protocol
    assert len({p.sha256 for p in (base, masked, pictured, fewer, seeded)}) == 5


def test_the_same_pixels_in_another_format_are_the_same_protocol(
    tmp_path: Path, pairs, save, picture
) -> None:
    base = evaluate(pairs, ["1"], restore=grey).protocol
    (tmp_path / "p" / "a.png").unlink()
    save("p/a.tif", picture(0))
    assert evaluate(find_pairs(tmp_path / "p").pairs, ["1"], restore=grey).protocol == base


def test_a_run_and_its_export_are_told_apart(pairs, tmp_path: Path) -> None:
    methods = [str(tmp_path / "x"), "x.onnx", "other"]
    (tmp_path / "x").mkdir()
    labels, folders = _labels(methods, [])
    assert list(labels.values()) == methods
    assert list(labels) == [f"x ({tmp_path / 'x'})", "x (x.onnx)", "other"]
    assert folders == {}


@pytest.mark.parametrize(
    ("methods", "outputs", "words"),
    [
        ([], [], "nothing to measure"),
        (["m", "m"], [], r"m \(m\) is given twice"),
        (["a/net.onnx", "a/net.onnx"], [], r"net \(a/net.onnx\) is given twice"),
    ],
)
def test_what_cannot_be_meant(pairs, methods, outputs, words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        evaluate(pairs, methods, outputs=outputs, restore=grey)


def test_a_folder_is_taken_as_it_is(tmp_path: Path, pairs, save, picture) -> None:
    save("p/lonely.png", picture(9))
    result = evaluate(tmp_path / "p", ["100"], restore=grey)
    assert result.protocol == evaluate(pairs, ["100"], restore=grey).protocol
    assert result.unpaired == ("lonely.png: no mask of this picture",)


def test_no_pairs() -> None:
    with pytest.raises(EvaluationError, match="no pairs"):
        evaluate([], ["m"], restore=grey)


def test_panoramas_get_ws_psnr_and_methods_hear_of_them(tmp_path: Path, save, monkeypatch) -> None:
    import remend.api

    heard = []
    truly = remend.api.repair_picture

    def repair_picture(picture, mask, settings, **more):
        heard.append(picture.projection)
        return truly(picture, mask, settings, **more)

    monkeypatch.setattr(remend.api, "repair_picture", repair_picture)
    y, x = np.mgrid[:64, :128]
    hole = np.zeros((64, 128), np.uint8)
    hole[20:30, :10] = 255
    save("round/a.png", np.stack([2 * y, x, 2 * y], axis=2).astype(np.uint8))
    save("round/a_mask.png", hole)
    result = evaluate(tmp_path / "round", ["smooth"], projection="equirect")
    assert heard == ["equirect"]
    assert {"ws_psnr", "ws_psnr_hole"} <= set(result.metrics)
    assert result.scores[0].metrics["ws_psnr"] > result.scores[0].metrics["ws_psnr_hole"] > 5
    assert "ws_psnr" not in evaluate(tmp_path / "round", ["smooth"]).metrics
