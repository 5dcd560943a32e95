import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from remend.batch import BatchOptions, Failure, plan_jobs, run_jobs
from remend.errors import UsageError
from remend.options import MaskOptions, Settings
from remend.report import RepairReport

SHARED = BatchOptions(settings=Settings(method="telea"), options=MaskOptions())


def picture(path: Path, value: int = 90) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(np.full((24, 32, 3), value, np.uint8)).save(path)
    return path


def mask(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.zeros((24, 32), np.uint8)
    array[8:12, 8:20] = 255
    PIL.Image.fromarray(array).save(path)
    return path


def targets(jobs) -> list[str]:
    return [str(job.target) for job in jobs]


def test_one_file_is_written_beside_itself_or_where_it_is_told(tmp_path):
    file = picture(tmp_path / "a.jpg")
    assert targets(plan_jobs([file], output=None, mask=None, recursive=False)) == [
        str(tmp_path / "a.repaired.jpg")
    ]
    out = str(tmp_path / "b.jpg")
    assert targets(plan_jobs([file], output=out, mask=None, recursive=False)) == [out]
    into = str(tmp_path / "new") + os.sep
    assert targets(plan_jobs([file], output=into, mask=None, recursive=False)) == [
        str(tmp_path / "new" / "a.jpg")
    ]


def test_folders_mirror_their_tree_and_leave_out_what_is_no_input(tmp_path):
    album = tmp_path / "album"
    for name in ("b.png", "sub/a.jpg", ".hidden.png", "b.repaired.png"):
        picture(album / name)
    (album / "notes.txt").write_text("not a picture")
    flat = plan_jobs([album], output=str(tmp_path / "out"), mask=None, recursive=False)
    assert [job.place for job in flat] == [Path("b.png")]
    deep = plan_jobs([album], output=str(tmp_path / "out"), mask=None, recursive=True)
    assert targets(deep) == [str(tmp_path / "out" / "b.png"), str(tmp_path / "out" / "sub" / "a.jpg")]


def test_equal_stems_do_not_collide_and_equal_targets_are_refused(tmp_path):
    jpg, png = picture(tmp_path / "x" / "a.jpg"), picture(tmp_path / "x" / "a.png")
    assert len(set(targets(plan_jobs([jpg, png], output=None, mask=None, recursive=False)))) == 2
    other = picture(tmp_path / "y" / "a.jpg")
    with pytest.raises(UsageError, match="both be written"):
        plan_jobs([jpg, other], output=str(tmp_path / "out"), mask=None, recursive=False)


def test_a_result_never_replaces_another_input(tmp_path):
    first, second = picture(tmp_path / "a.png"), picture(tmp_path / "a.repaired.png")
    with pytest.raises(UsageError, match="replace the input"):
        plan_jobs([first, second], output=None, mask=None, recursive=False)


def test_an_empty_folder_and_a_file_for_many(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no picture"):
        plan_jobs([tmp_path / "empty"], output=None, mask=None, recursive=False)
    one, two = picture(tmp_path / "a.png"), picture(tmp_path / "b.png")
    with pytest.raises(UsageError, match="is a file"):
        plan_jobs([one, two], output=str(one), mask=None, recursive=False)


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_links_that_lead_round_do_not_hang(tmp_path):
    album = tmp_path / "album"
    picture(album / "a.png")
    (album / "loop").symlink_to(album, target_is_directory=True)
    (album / "self.png").symlink_to(album / "self.png")
    jobs = plan_jobs([album], output=str(tmp_path / "out"), mask=None, recursive=True)
    assert [job.source.name for job in jobs] == ["a.png", "self.png"]
    outcomes = {job.source.name: outcome for job, outcome in run_jobs(jobs, SHARED)}
    assert isinstance(outcomes["self.png"], Failure)
    assert isinstance(outcomes["a.png"], RepairReport)


def test_masks_of_a_folder_are_matched_by_place_and_stem(tmp_path):
    album, masks = tmp_path / "album", tmp_path / "masks"
    for name in ("a.jpg", "sub/b.jpg", "c.png", "d.png"):
        picture(album / name)
    mask(masks / "a.png")
    mask(masks / "sub" / "b_mask.png")
    mask(masks / "c.png")
    jobs = plan_jobs([album], output=str(tmp_path / "out"), mask=masks, recursive=True)
    found = {job.place.name: job.mask for job in jobs}
    assert found["a.jpg"] == masks / "a.png"
    assert found["b.jpg"] == masks / "sub" / "b_mask.png"
    assert found["c.png"] == masks / "c.png"
    # The one without a mask fails by itself, the others are repaired.
    outcomes = {job.place.name: outcome for job, outcome in run_jobs(jobs, SHARED)}
    assert isinstance(outcomes["d.png"], Failure)
    assert sum(isinstance(outcome, RepairReport) for outcome in outcomes.values()) == 3


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_bad_picture_never_stops_the_rest(tmp_path, processes):
    album = tmp_path / "album"
    for name in ("a.png", "c.png", "d.png"):
        picture(album / name)
    (album / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    jobs = plan_jobs([album], output=str(tmp_path / "out"), mask=mask(tmp_path / "m.png"), recursive=False)
    outcomes = dict(run_jobs(jobs, SHARED, processes=processes))
    assert [job.place.name for job, o in outcomes.items() if isinstance(o, Failure)] == ["b.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "c.png", "d.png"]


def test_a_dry_run_writes_nothing_and_tells_the_plan(tmp_path):
    file = picture(tmp_path / "a.png")
    shared = BatchOptions(settings=Settings(), options=MaskOptions(), dry_run=True)
    jobs = plan_jobs([file], output=None, mask=mask(tmp_path / "m.png"), recursive=False)
    ((_, report),) = run_jobs(jobs, shared)
    assert report.target is None
    assert report.plan.steps
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "m.png"]
