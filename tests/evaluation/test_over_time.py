"""Clips over time: every figure of a made clip is known beforehand."""

import csv
import json
from itertools import pairwise

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from made_clips import panned, texture
from remend.cli.main import remend
from remend.errors import EvaluationError, MaskError, UsageError
from remend.evaluation.clips import evaluate_clips
from remend.evaluation.over_time import measure_clip
from remend.metrics import psnr, ssim, ws_psnr

SIZE = (48, 64)
NOWHERE = np.zeros(SIZE, np.bool_)


def still(count):
    return [texture()[:48, :64] // 2 + 40] * count  # all of 40 to 168, so that a few levels more fit


def measured(truth, output, holes=None, **options):
    pairs = zip(truth, holes or [NOWHERE] * len(truth), strict=True)
    return measure_clip(pairs, {"ours": output}, masked=holes is not None, **options)


def shifted(frames, levels):
    return [frame + np.uint8(level) for frame, level in zip(frames, levels, strict=True)]


def test_each_frame_has_the_figures_of_the_picture():
    truth = panned(3, size=SIZE)
    output = shifted(still(1), [8]) + truth[1:]
    found = measured(truth, output, equirect=True)["ours"]
    for name, metric in (("psnr", psnr), ("ssim", ssim), ("ws_psnr", ws_psnr)):
        assert found.frames[name] == [metric(a, b) for a, b in zip(output, truth, strict=True)]
    assert found.frames["psnr"][1:] == [100.0, 100.0]
    assert found.means()["psnr"] == pytest.approx(np.mean(found.frames["psnr"]))


def test_the_truth_is_as_steady_as_itself():
    truth = panned(5, size=SIZE)
    found = measured(truth, truth)
    assert found["ours"].warping == found["truth"].warping
    assert found["ours"].flicker == 0


def test_what_blinks_has_all_its_flicker_at_half_a_cycle():
    truth = still(17)  # sixteen differences
    found = measured(truth, shifted(truth, [0, 10] * 8 + [0]))["ours"]
    assert found.flicker == pytest.approx(10.0)
    assert found.frequencies[-1] == 0.5
    assert found.spectrum[-1] == pytest.approx(100.0)
    assert sum(found.spectrum[:-1]) == pytest.approx(0.0, abs=1e-9)
    # Nothing moves: a pixel differs from the next by ten levels, always.
    assert found.warping == pytest.approx([(10 / 255) ** 2] * 16)


def test_what_wavers_has_its_flicker_at_its_frequency():
    truth = still(33)
    levels = [round(20 + 18 * np.sin(2 * np.pi * t / 8)) for t in range(33)]
    found = measured(truth, shifted(truth, levels))["ours"]
    steps = np.diff(np.array(levels, float))
    assert found.flicker == pytest.approx(np.sqrt(np.mean(steps**2)))
    strongest = int(np.argmax(found.spectrum))
    assert found.frequencies[strongest] == pytest.approx(1 / 8)
    assert found.spectrum[strongest] > 0.99 * sum(found.spectrum)
    # A sine of amplitude a changes by a mean square of 2 a² sin²(π f); levels are rounded.
    assert found.spectrum[strongest] == pytest.approx(2 * 18**2 * np.sin(np.pi / 8) ** 2, rel=0.03)


def test_what_is_wrong_but_steady_does_not_flicker():
    truth = panned(6, size=SIZE)
    bent = [frame // 2 for frame in still(6)]
    assert measured(still(6), bent)["ours"].flicker == 0
    assert measured(truth, [cv2.GaussianBlur(frame, (0, 0), 3) for frame in truth])["ours"].flicker > 0


def test_long_clips_are_measured_in_pieces(monkeypatch):
    monkeypatch.setattr("remend.evaluation.over_time.PIECE", 8)
    truth = still(21)  # twenty differences: two pieces, and four that are left out
    found = measured(truth, shifted(truth, [0, 10] * 10 + [0]))["ours"]
    assert len(found.spectrum) == 5 and found.spectrum[-1] == pytest.approx(100.0)


def test_with_masks_only_holes_count():
    truth = still(5)
    hole = NOWHERE.copy()
    hole[16:32, 16:40] = True
    output = [np.where(hole[..., None], frame, 0) for frame in shifted(truth, [0, 6, 0, 6, 0])]
    found = measured(truth, output, [hole] * 5)["ours"]
    assert found.frames["psnr_hole"][0] == 100 and found.frames["psnr_hole"][1] == pytest.approx(
        10 * np.log10(255**2 / 36)
    )
    assert found.flicker == pytest.approx(6.0)
    assert found.warping == pytest.approx([(6 / 255) ** 2] * 4)
    none = measured(truth, output, [NOWHERE] * 5)["ours"]
    assert np.isnan(none.means()["psnr_hole"]) and np.isnan(none.means()["e_warp"]) and none.flicker == 0


def test_the_warping_error_follows_motion():
    """A pan leaves next to nothing where it is followed, and much where it is not."""
    truth = panned(6, size=SIZE, speed=(2.0, 0.0))
    unfollowed = np.mean([np.square((a - b.astype(float)) / 255).mean() for a, b in pairwise(truth)])
    own = measured(truth, truth)["truth"].warping
    assert max(own) < 0.1 * unfollowed


def test_clips_of_other_lengths_and_sizes_are_refused():
    truth = still(4)
    with pytest.raises(EvaluationError, match="ours ends before frame 4"):
        measured(truth, truth[:3])
    with pytest.raises(EvaluationError, match="ours has more frames than the truth"):
        measured(truth, [*truth, truth[0]])
    with pytest.raises(EvaluationError, match="ours, frame 2"):
        measured(truth, [truth[0], truth[0][1:], *truth[2:]])
    with pytest.raises(EvaluationError, match="two frames and more"):
        measured(truth[:1], truth[:1])


def folder(path, frames):
    path.mkdir()
    for number, frame in enumerate(frames, 1):
        cv2.imwrite(str(path / f"{number}.png"), frame[..., ::-1])
    return path


@pytest.fixture
def clips(tmp_path):
    truth = still(5)
    folder(tmp_path / "truth-frames", truth)
    folder(tmp_path / "ours", shifted(truth, [0, 10, 0, 10, 0]))
    folder(tmp_path / "theirs", shifted(truth, [4] * 5))
    hole = NOWHERE.copy()
    hole[16:32, 16:40] = True
    cv2.imwrite(str(tmp_path / "mask.png"), hole.view(np.uint8) * 255)
    return tmp_path


def test_the_command_writes_a_table_numbers_and_curves(clips):
    given = [str(clips / "truth-frames"), "--over-time", "-o", str(clips / "report")]
    given += ["--outputs", str(clips / "ours"), "--outputs", str(clips / "theirs")]
    answer = CliRunner().invoke(remend, ["evaluate", *given], catch_exceptions=False)
    assert answer.exit_code == 0
    assert "E_warp" in answer.stdout and "theirs" in answer.stdout
    told = json.loads((clips / "report" / "report.json").read_text())
    assert told["frames"] == 5
    assert told["clips"]["ours"]["means"]["flicker"] == pytest.approx(10.0)
    assert told["clips"]["theirs"]["means"]["flicker"] == 0
    assert told["clips"]["ours"]["frames"]["psnr"][0] == 100
    rows = list(csv.DictReader((clips / "report" / "scores.csv").read_text().splitlines()))
    assert len(rows) == 15 and rows[1]["clip"] == "ours" and rows[1]["frame"] == "2"
    assert float(rows[1]["psnr"]) == pytest.approx(10 * np.log10(255**2 / 100))
    page = (clips / "report" / "report.html").read_text()
    assert page.count("<svg") == 4 and "theirs" in page and "<script" not in page
    again = CliRunner().invoke(remend, ["evaluate", *given])
    assert again.exit_code != 0 and "exists already" in str(again.exception)


def test_masks_say_where_and_lines_come_as_json(clips):
    given = [str(clips / "truth-frames"), "--over-time", "-o", str(clips / "r.json"), "--json"]
    given += ["--outputs", str(clips / "ours"), "--masks", str(clips / "mask.png")]
    answer = CliRunner().invoke(remend, ["evaluate", *given], catch_exceptions=False)
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [line["clip"] for line in lines] == ["ours", "truth"]
    assert lines[0]["psnr_hole"] < lines[0]["psnr"]


def test_what_does_not_go_with_clips_is_refused(clips):
    given = ["evaluate", str(clips / "truth-frames"), "--over-time", "-o", str(clips / "r")]
    answer = CliRunner().invoke(remend, [*given, "--method", "auto"])
    assert isinstance(answer.exception, UsageError) and "remend video" in str(answer.exception)
    with pytest.raises(EvaluationError, match="give a repaired clip by --outputs"):
        evaluate_clips(clips / "truth-frames", [])
    with pytest.raises(EvaluationError, match="there is no such file"):
        evaluate_clips(clips / "truth-frames", [clips / "nothing"])
    with pytest.raises(EvaluationError, match="two clips of one name"):
        evaluate_clips(clips / "ours", [clips / "theirs", clips / "theirs"])
    with pytest.raises(MaskError, match="masks in"):
        evaluate_clips(clips / "truth-frames", [clips / "ours"], masks=folder(clips / "m", still(2)))


def test_videos_are_measured_like_folders(clips):
    pytest.importorskip("av", reason="video files need PyAV: pip install '.[video]'")
    from made_videos import make_video

    frames = panned(6, size=SIZE)
    exact = {"crf": "0"}
    make_video(clips / "in.mkv", frames, options=exact)
    make_video(clips / "out.mkv", frames[:2] + frames[1:2] + frames[3:], options=exact)
    given = [str(clips / "in.mkv"), "--outputs", str(clips / "out.mkv"), "-o", str(clips / "r"), "--json"]
    answer = CliRunner().invoke(remend, ["evaluate", *given], catch_exceptions=False)
    ours = json.loads((clips / "r" / "report.json").read_text())["clips"]["out.mkv"]
    assert answer.exit_code == 0
    assert np.argmin(ours["frames"]["psnr"]) == 2  # a frame that was shown twice
    assert np.argmax(ours["e_warp"]) in (1, 2)
