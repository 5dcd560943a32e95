"""A folder of DICOM files as one volume: in the order of space, each written under its own name."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import remend
from made_dicoms import made_dicom
from remend.cli.repair import repair as command
from remend.errors import PictureError, UsageError
from remend.io.pages import open_document

pydicom = pytest.importorskip("pydicom", reason="DICOM needs an extra: pip install '.[medical]'")

COUNT, SIDE = 9, 40


def values() -> np.ndarray:
    k, y, x = np.mgrid[:COUNT, :SIDE, :SIDE].astype(float)
    return np.rint(500 * np.sin(x / 9 + k / 2) + 400 * np.cos(y / 8 - k / 3)).astype(np.int16)


def write_series(folder: Path, slices: np.ndarray, left_out: tuple[int, ...] = ()) -> Path:
    """Names and instance numbers run the other way than space does."""
    folder.mkdir()
    for number, each in enumerate(slices):
        if number not in left_out:
            made_dicom(
                folder / f"{COUNT - number:02d}.dcm",
                each[None],
                SOPInstanceUID=f"1.2.3.{number}",
                InstanceNumber=COUNT - number,
                ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
                ImagePositionPatient=[-10, 5, -30 + 2.5 * number],
            )
    (folder / "notes.txt").write_text("no picture")
    return folder


def a_void() -> np.ndarray:
    k, y, x = np.mgrid[:COUNT, :SIDE, :SIDE]
    return ((k - 4) / 2.5) ** 2 + ((y - 20) / 7) ** 2 + ((x - 20) / 7) ** 2 < 1


def test_slices_come_in_the_order_of_space(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "scan", values())
    document = open_document(folder)
    assert (document.axis, len(document.pages)) == ("slice", COUNT)
    assert document.spacing_mm == (2.5, 0.8, 0.9)
    assert all(np.array_equal(p.samples[..., 0], v) for p, v in zip(document.pages, values(), strict=True))


def test_a_void_is_filled_in_space_and_only_repaired_slices_are_written(tmp_path: Path) -> None:
    truth, hole = values(), a_void()
    folder = write_series(tmp_path / "scan", np.where(hole, 0, truth).astype(np.int16))
    masks = tmp_path / "masks"
    masks.mkdir()
    for number in np.flatnonzero(hole.any(axis=(1, 2))):
        Image.fromarray(hole[number]).save(masks / f"{COUNT - number:02d}.png")
    ran = CliRunner().invoke(
        command, [str(folder), "--volume", "-m", str(masks), "-o", str(tmp_path / "out"), "--json"]
    )
    assert ran.exit_code == 0, ran.output
    assert "5 of 9 slices were repaired and written" in ran.output
    assert "not for diagnosis" in ran.output
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"{n:02d}.dcm" for n in (3, 4, 5, 6, 7)]
    now = [pydicom.dcmread(tmp_path / "out" / name) for name in names]
    assert len({str(one.SeriesInstanceUID) for one in now}) == 1
    assert len({str(one.SOPInstanceUID) for one in now}) == 5
    for one, name in zip(now, names, strict=True):
        number = COUNT - int(name[:2])
        assert np.array_equal(one.pixel_array[~hole[number]], truth[number][~hole[number]])
        assert np.abs(one.pixel_array.astype(float) - truth[number])[hole[number]].max() < 120
    again = CliRunner().invoke(
        command, [str(folder), "--volume", "-m", str(masks), "-o", str(tmp_path / "out")]
    )
    assert again.exit_code != 0
    assert "exists" in again.output


def test_a_slice_that_is_missing_is_told(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "scan", values(), left_out=(3,))
    assert open_document(folder).container.notes[0].startswith("behind slice 3 others seem to be missing")


def test_what_is_no_series_says_why(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no DICOM pictures"):
        open_document(tmp_path / "empty")
    folder = write_series(tmp_path / "scan", values())
    made_dicom(folder / "other.dcm", values()[:1], SeriesInstanceUID="1.9")
    with pytest.raises(UsageError, match="2 series"):
        open_document(folder)
    with pytest.raises(PictureError, match="is a folder"):
        remend.repair(str(folder), np.zeros((SIDE, SIDE), bool))
    for arguments in (["--volume"], ["--volume", "-o", str(folder)]):
        ran = CliRunner().invoke(command, [str(folder), *arguments], standalone_mode=False)
        assert isinstance(ran.exception, UsageError)
