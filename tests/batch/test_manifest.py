"""What a batch knows of its pictures, and what a second run does with it."""

import json
import os
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from made_albums import hashes, make_album, make_mask
from remend.album import Job, LeftOut
from remend.batch.manifest import Known, Manifest, manifest_in
from remend.cli.repair import repair
from remend.errors import UsageError, WriteError


@pytest.fixture
def album(tmp_path: Path) -> Path:
    make_album(tmp_path / "album", 4)
    make_mask(tmp_path / "m.png")
    return tmp_path / "album"


def run(album: Path, *more: str, code: int = 0):
    out = album.parent / "out"
    command = [str(album), "-o", str(out), "-m", str(album.parent / "m.png"), "--method", "telea", *more]
    result = CliRunner().invoke(repair, command)
    assert result.exit_code == code, result.output
    return result


def states(folder: Path) -> dict[str, tuple[str, str]]:
    base = sqlite3.connect(manifest_in(folder))
    rows = base.execute("SELECT file, state, reason FROM files").fetchall()
    base.close()
    return {Path(file).name: (state, reason) for file, state, reason in rows}


def test_a_second_run_of_a_folder_is_no_error_and_does_nothing(album):
    run(album)
    out = album.parent / "out"
    before, written = hashes(out), {path: path.stat().st_mtime_ns for path in out.glob("p*")}
    result = run(album)
    assert "4 done already" in result.stderr
    assert hashes(out) == before
    assert {path: path.stat().st_mtime_ns for path in out.glob("p*")} == written


def test_resume_trusts_hashes_and_not_existence(album):
    run(album)
    out = album.parent / "out"
    right = hashes(out)
    (out / "p0001.png").write_bytes(b"cut short")
    (out / "p0002.jpg").unlink()
    # Without being asked nothing is overwritten.
    assert "p0001.png exists, and the result changed" in run(album, code=1).stderr
    result = run(album, "--resume")
    assert hashes(out) == right
    assert "3 done already" in result.stderr


def test_a_picture_or_an_option_that_changed_is_done_again_under_resume(album):
    run(album)
    out = album.parent / "out"
    make_album(album.parent / "other", 6)
    (album / "p0003.png").write_bytes((album.parent / "other" / "p0005.png").read_bytes())
    before = hashes(out)
    assert "the picture changed" in run(album, code=1).stderr
    assert hashes(out) == before
    assert "3 done already" in run(album, "--resume").stderr
    after = hashes(out)
    assert [name for name in after if after[name] != before[name]] == ["p0003.png"]
    # Another seed is another result, as far as anybody knows.
    assert "done already" not in run(album, "--resume", "--dilate-px", "2").stderr
    assert all(one != other for one, other in zip(hashes(out).values(), after.values(), strict=True))
    # What failed because of a change is still known as ours.
    run(album, code=4)
    assert "4 done already" in run(album, "--dilate-px", "2").stderr


def test_a_file_that_nobody_wrote_down_is_never_replaced(album):
    out = album.parent / "out"
    out.mkdir()
    (out / "p0000.jpg").write_bytes(b"somebody's own")
    for flags in ((), ("--resume",)):
        assert "p0000.jpg exists" in run(album, *flags, code=1).stderr
        assert (out / "p0000.jpg").read_bytes() == b"somebody's own"
    assert "1 a file is there already, 3 done already" in run(album, "--skip-existing").stderr
    run(album, "--overwrite")
    assert (out / "p0000.jpg").read_bytes() != b"somebody's own"


def test_every_file_of_a_folder_is_accounted_for(album):
    for name in ("._p0000.jpg", "notes.txt", "raw.nef", "p0001_mask.png", "p0001.repaired.png", ".hidden"):
        (album / name).write_bytes((album / "p0001.png").read_bytes())
    for name in ("@eaDir", ".thumbnails"):
        (album / name).mkdir()
        (album / name / "p0000.jpg").write_bytes(b"small")
    (album / "p0002.jpg").write_bytes(b"broken")
    run(album, "--recursive", code=1)
    found = states(album.parent / "out")
    assert set(found) == {path.name for path in album.iterdir()}
    assert {name for name, (state, _) in found.items() if state == "repaired"} == {
        "p0000.jpg",
        "p0001.png",
        "p0003.png",
    }
    assert found["p0002.jpg"][0] == "failed" and "p0002.jpg" in found["p0002.jpg"][1]
    assert found["p0001_mask.png"] == ("skipped", "masks beside their pictures (-m FOLDER takes them)")
    assert found["notes.txt"] == ("skipped", "no picture")
    assert found["@eaDir"] == ("skipped", "folders @eaDir")
    assert found[".thumbnails"] == ("skipped", "hidden")


def test_a_clean_picture_is_called_clean(tmp_path):
    make_album(tmp_path / "album", 1)
    result = CliRunner().invoke(
        repair, [str(tmp_path / "album"), "-o", str(tmp_path / "out"), "--find", "crack"]
    )
    assert result.exit_code == 0
    assert states(tmp_path / "out") == {"p0000.jpg": ("clean", "")}
    assert hashes(tmp_path / "out") == hashes(tmp_path / "album")


def test_results_in_place_of_their_pictures_are_done_once(album):
    command = [str(album), "-o", str(album), "-m", str(album.parent / "m.png"), "--method", "telea"]
    assert CliRunner().invoke(repair, [*command, "--overwrite"]).exit_code == 0
    before = hashes(album)
    result = CliRunner().invoke(repair, [*command, "--overwrite", "--resume"])
    assert "4 done already" in result.stderr
    assert hashes(album) == before


def test_json_tells_what_is_left_and_what_was_skipped(album):
    lines = [json.loads(line) for line in run(album, "--json").stdout.splitlines()]
    assert [Path(line["input"]).name for line in lines] == sorted(path.name for path in album.iterdir())
    assert [(line["done"], line["of"]) for line in lines] == [(number, 4) for number in (1, 2, 3, 4)]
    assert lines[-1]["left_s"] == 0
    again = [json.loads(line) for line in run(album, "--json").stdout.splitlines()]
    assert {line["skipped"] for line in again} == {"done already"}


def test_folders_that_move_with_their_results_keep_their_manifest(album):
    run(album)
    album.parent.joinpath("out").rename(album.parent / "moved")
    command = [str(album), "-o", str(album.parent / "moved"), "-m", str(album.parent / "m.png")]
    result = CliRunner().invoke(repair, [*command, "--method", "telea"])
    assert "4 done already" in result.stderr


def test_two_batches_do_not_write_one_manifest(tmp_path):
    with Manifest(tmp_path / "m.sqlite"), pytest.raises(UsageError, match="another batch"):
        Manifest(tmp_path / "m.sqlite")
    Manifest(tmp_path / "m.sqlite").close()


def test_names_that_are_no_text_and_manifests_that_are_none(tmp_path):
    job = Job(Path(os.fsdecode(b"\xff.png")), tmp_path / os.fsdecode(b"\xfe\n.png"))
    with Manifest(tmp_path / "m.sqlite") as manifest:
        manifest.begin(job)
        assert manifest.known(job).state == "running"
        manifest.end(job, Known("failed", reason="broken"))
        manifest.leave_out([LeftOut(job.source, "no picture")])
        assert manifest.counts() == {"failed": 1, "skipped": 1}
    (tmp_path / "bad.sqlite").write_bytes(b"no data base at all" * 100)
    with pytest.raises(WriteError, match="--manifest"):
        Manifest(tmp_path / "bad.sqlite")
    base = sqlite3.connect(tmp_path / "m.sqlite")
    base.execute("PRAGMA user_version=99")
    base.close()
    with pytest.raises(UsageError, match="later Remend"):
        Manifest(tmp_path / "m.sqlite")


def test_a_picture_or_a_dry_run_leaves_no_manifest(album):
    run(album, "--dry-run")
    assert not (album.parent / "out").exists()
    command = [
        str(album / "p0000.jpg"),
        "-o",
        str(album.parent / "one.jpg"),
        "-m",
        str(album.parent / "m.png"),
    ]
    assert CliRunner().invoke(repair, command).exit_code == 0
    assert not list(album.parent.rglob(".remend"))
