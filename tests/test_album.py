"""Folders as people have them: masks beside pictures, thumbnails, names by case, half-done batches."""

import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

from remend import album
from remend.album import counted, plan_jobs
from remend.batch import BatchOptions, Failure, run_jobs
from remend.cli.repair import repair
from remend.errors import UsageError
from remend.options import MaskOptions, Settings
from remend.report import RepairReport

SHARED = BatchOptions(settings=Settings(method="telea"), options=MaskOptions())


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    PIL.Image.fromarray(noise).save(path, path.suffix.lstrip(".").lower().replace("jpg", "jpeg"))
    return path


def mask(path: Path, top: int = 8) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.zeros((24, 32), np.uint8)
    array[top : top + 4, 8:20] = 255
    PIL.Image.fromarray(array).save(path)
    return path


def plan(folder, out, mask=None, **more):
    left = []
    jobs = plan_jobs([folder], output=out, mask=mask, recursive=True, left_out=left.append, **more)
    return jobs, [told] if (told := counted(left)) else []


def pairs(jobs):
    return {(job.source.name, job.mask and job.mask.name, job.target.name) for job in jobs}


def test_masks_beside_their_pictures_as_lama_has_them(tmp_path):
    folder = tmp_path / "set"
    for name in ("a.png", "b.png", "c.png"):
        picture(folder / name)
    mask(folder / "a_mask001.png")
    mask(folder / "b_mask.png")
    jobs, said = plan(folder, tmp_path / "out", folder)
    assert pairs(jobs) == {
        ("a.png", "a_mask001.png", "a.png"),
        ("b.png", "b_mask.png", "b.png"),
        ("c.png", "c_mask.png", "c.png"),
    }
    assert said == []
    outcomes = {job.source.name: outcome for job, outcome in run_jobs(jobs, SHARED)}
    assert isinstance(outcomes["a.png"], RepairReport)
    assert outcomes["a.png"].hole_ratio == pytest.approx(48 / 768)
    assert isinstance(outcomes["c.png"], Failure)  # never its own mask
    assert not (tmp_path / "out" / "a_mask001.png").exists()


def test_several_masks_of_one_picture_give_a_result_each(tmp_path):
    folder = tmp_path / "set"
    picture(folder / "a.jpg")
    mask(folder / "a_mask000.png")
    mask(folder / "a_mask001.png", 14)
    jobs, _ = plan(folder, tmp_path / "out", folder)
    assert pairs(jobs) == {
        ("a.jpg", "a_mask000.png", "a_mask000.jpg"),
        ("a.jpg", "a_mask001.png", "a_mask001.jpg"),
    }


def test_without_a_mask_folder_masks_are_no_pictures_either(tmp_path):
    picture(tmp_path / "a.png")
    mask(tmp_path / "a_mask001.png")
    picture(tmp_path / "costume_mask.png")
    jobs, said = plan(tmp_path, tmp_path / "out")
    assert [job.source.name for job in jobs] == ["a.png", "costume_mask.png"]
    assert said == ["left out 1 masks beside their pictures (-m FOLDER takes them)"]


def test_a_mask_inside_the_album_is_not_repaired(tmp_path):
    picture(tmp_path / "album" / "a.png")
    one = mask(tmp_path / "album" / "wanted.png")
    assert [job.source.name for job in plan(tmp_path / "album", tmp_path / "out", one)[0]] == ["a.png"]
    several = mask(tmp_path / "album" / "masks" / "a.png").parent
    jobs, _ = plan(tmp_path / "album", tmp_path / "out", several)
    assert [str(job.place) for job in jobs] == ["a.png", "wanted.png"]


@pytest.mark.parametrize("name", ["A_MASK.PNG", "A.mask.png", "A-mask.png", "A_Mask001.png"])
def test_masks_however_they_are_called(tmp_path, name):
    picture(tmp_path / "set" / "A.jpg")
    mask(tmp_path / "set" / name)
    jobs, _ = plan(tmp_path / "set", tmp_path / "out", tmp_path / "set")
    assert [(job.source.name, job.mask.name) for job in jobs] == [("A.jpg", name)]
    jobs, said = plan(tmp_path / "set", tmp_path / "out")
    assert [job.source.name for job in jobs] == ["A.jpg"]
    assert "masks beside their pictures" in said[0]


def test_what_detect_writes_are_masks_of_their_pictures(tmp_path):
    for name in ("a.jpg", "a.png", "b.jpg"):
        picture(tmp_path / "album" / name)
        mask(tmp_path / "masks" / f"{name}.mask.png")
        mask(tmp_path / "beside" / f"{name}.mask.png")
        picture(tmp_path / "beside" / name)
    wanted = {(name, f"{name}.mask.png", name) for name in ("a.jpg", "a.png", "b.jpg")}
    assert pairs(plan(tmp_path / "album", tmp_path / "out", tmp_path / "masks")[0]) == wanted
    assert pairs(plan(tmp_path / "beside", tmp_path / "out", tmp_path / "beside")[0]) == wanted
    assert len(plan(tmp_path / "beside", tmp_path / "out")[0]) == 3


def test_a_picture_is_not_its_own_mask(tmp_path):
    path = picture(tmp_path / "a.png")
    (job,) = plan_jobs([path], output=tmp_path / "b.png", mask=path, recursive=False)
    ((_, outcome),) = run_jobs([job], SHARED)
    assert isinstance(outcome, Failure) and "the mask is the picture itself" in outcome.message


def test_results_inside_the_album_are_no_pictures_of_it(tmp_path):
    for name in ("a.png", "sub/b.png"):
        picture(tmp_path / "album" / name)
    out = tmp_path / "album" / "out"
    for _ in range(2):
        jobs, _ = plan(tmp_path / "album", out)
        assert [job.place.as_posix() for job in jobs] == ["a.png", "sub/b.png"]
        for job in jobs:
            picture(job.target)


def test_two_masks_that_fit_are_refused_for_that_picture_alone(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        picture(tmp_path / "album" / name)
    for name in ("a.png", "a_mask.png", "b.png"):
        mask(tmp_path / "masks" / name)
    jobs, _ = plan(tmp_path / "album", tmp_path / "out", tmp_path / "masks")
    outcomes = {job.source.name: outcome for job, outcome in run_jobs(jobs, SHARED)}
    assert isinstance(outcomes["a.jpg"], Failure)
    assert "a.png, a_mask.png" in outcomes["a.jpg"].message
    assert isinstance(outcomes["b.jpg"], RepairReport)


def test_lists_pair_in_their_order(tmp_path):
    for name in ("b.png", "a.png"):
        picture(tmp_path / "p" / name)
    mask(tmp_path / "m" / "1.png")
    mask(tmp_path / "m" / "2.png")
    (tmp_path / "p.flist").write_text("p/b.png\np/a.png\n")
    (tmp_path / "m.flist").write_text("m/1.png\n\nm/2.png\n")
    jobs, _ = plan(tmp_path / "p.flist", tmp_path / "out", tmp_path / "m.flist")
    assert pairs(jobs) == {("b.png", "1.png", "b.png"), ("a.png", "2.png", "a.png")}
    (tmp_path / "m.flist").write_text("m/1.png\n")
    with pytest.raises(UsageError, match="1 masks for 2 pictures"):
        plan(tmp_path / "p.flist", tmp_path / "out", tmp_path / "m.flist")


def test_names_that_differ_in_case_are_two_files_where_the_disk_says_so(tmp_path, monkeypatch):
    folder = tmp_path / "album"
    for name in ("IMG_1.JPG", "img_1.jpg", "Weiß.jpg", "Weiss.jpg"):
        picture(folder / name)
    if len(list(folder.iterdir())) < 4:
        pytest.skip("this disk takes them for one file")
    jobs, _ = plan(folder, tmp_path / "out")
    assert len({job.target for job in jobs}) == 4
    assert all(job.refused is None for job in jobs)
    assert not list(tmp_path.glob(".remend-*"))
    # Where the target's does not, the pair's second alone fails.
    monkeypatch.setattr(album, "_folds_case", lambda folder: True)
    jobs, _ = plan(folder, tmp_path / "out")
    assert [job.source.name for job in jobs if job.refused] == ["img_1.jpg"]


def test_a_result_whose_name_is_an_inputs_in_another_case_is_refused(tmp_path):
    first, second = picture(tmp_path / "a.jpg"), picture(tmp_path / "B.JPG")
    target = tmp_path / "b.jpg"
    if target.exists():
        pytest.skip("this disk takes them for one file")
    os.link(second, target)  # as if it did
    with pytest.raises(UsageError, match="would replace the input"):
        album._without_collisions([album.Job(first, target), album.Job(second, tmp_path / "out.jpg")])


def test_what_is_left_out_is_counted_and_told(tmp_path):
    folder = tmp_path / "album"
    picture(folder / "x.jpg")
    for name in ("._x.jpg", "raw.nef", "raw2.NEF", "y.jxl", "notes.txt", "x.repaired.jpg"):
        (folder / name).write_bytes(b"?")
    picture(folder / "@eaDir" / "x.jpg" / "SYNOPHOTO_THUMB_XL.jpg")
    picture(folder / ".thumbnails" / "x.jpg")
    jobs, said = plan(folder, tmp_path / "out")
    assert [str(job.place) for job in jobs] == ["x.jpg"]
    (line,) = said
    for part in (
        "1 companions of macOS",
        "1 folders @eaDir",
        "2 .nef files",
        "1 .jxl files",
        "1 earlier results",
    ):
        assert part in line
    assert "txt" not in line


def test_an_interrupted_batch_is_taken_up_again(tmp_path):
    folder, out = tmp_path / "album", tmp_path / "out"
    for name in ("a.jpg", "b.jpg"):
        picture(folder / name)
    picture(out / "a.jpg")
    before = (out / "a.jpg").read_bytes()
    command = [str(folder), "-o", str(out), "-m", str(mask(tmp_path / "m.png")), "--method", "telea"]
    assert CliRunner().invoke(repair, command).exit_code == 1
    (out / "b.jpg").unlink()
    result = CliRunner().invoke(repair, [*command, "--skip-existing"])
    assert result.exit_code == 0
    assert "1 a file is there already" in result.stderr
    assert (out / "b.jpg").exists()
    assert (out / "a.jpg").read_bytes() == before
    assert CliRunner().invoke(repair, [*command, "--skip-existing"]).exit_code == 0


def test_a_stereo_pair_comes_back_as_mpo(tmp_path):
    path = tmp_path / "album" / "s.mpo"
    path.parent.mkdir()
    noise = [PIL.Image.fromarray(np.full((24, 32, 3), value, np.uint8)) for value in (90, 120)]
    noise[0].save(path, "MPO", save_all=True, append_images=noise[1:])
    jobs, _ = plan(path.parent, tmp_path / "out", mask(tmp_path / "m.png"))
    ((_, outcome),) = run_jobs(jobs, SHARED)
    assert isinstance(outcome, RepairReport)
    assert os.path.basename(outcome.target) == "s.mpo"  # noqa: PTH119
