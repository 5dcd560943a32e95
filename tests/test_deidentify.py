"""Burnt-in annotation is blanked, as a whole and with nothing in its place."""

import cv2
import numpy as np
import pytest

import remend
from made_dicoms import made_dicom
from remend.errors import UsageError
from remend.options import Settings
from remend.repairing import repair_file

WORDS = "DOE^JOHN 1961-03-04"


def scan_with_a_name() -> tuple[np.ndarray, np.ndarray]:
    """(300, 420) uint8 of a soft disc, and where letters are burnt into it."""
    y, x = np.mgrid[:300, :420]
    scan = np.clip(150 - np.hypot(y - 160, x - 210) * 0.8, 20, None)
    scan += np.random.default_rng(0).normal(0, 2, scan.shape)
    scan = np.clip(scan, 10, 200).astype(np.uint8)
    letters = np.zeros_like(scan)
    cv2.putText(letters, WORDS, (15, 40), 0, 0.9, 255, 2)
    return np.where(letters > 100, 255, scan).astype(np.uint8), letters > 0


def test_lettering_that_was_found_is_one_black_bar() -> None:
    scan, letters = scan_with_a_name()
    blanked = remend.repair(scan, deidentify=True)
    changed = blanked != scan
    assert (blanked[letters] == 0).all()
    assert (blanked[changed] == 0).all()  # nothing was drawn
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    bar = blanked[rows[0] + 3 : rows[-1] - 2, columns[0] + 3 : columns[-1] - 2]
    assert (bar == 0).all()  # no outline of a letter is left


def test_what_a_mask_marks_is_blanked() -> None:
    scan, letters = scan_with_a_name()
    mask = np.zeros_like(letters)
    mask[10:60, 5:415] = True
    blanked = remend.repair(scan, mask, deidentify=True)
    assert np.array_equal(blanked[~mask], scan[~mask])
    assert (blanked[mask] == 0).all()


def test_a_palette_and_a_transparency_stay() -> None:
    from PIL import Image

    scan, _ = scan_with_a_name()
    mask = np.zeros(scan.shape, bool)
    mask[10:60, 5:415] = True
    clear = np.dstack([scan, np.full_like(scan, 200)])
    assert (remend.repair(clear, mask, deidentify=True)[mask] == (0, 200)).all()
    drawn = Image.fromarray(scan).convert("P")
    after = remend.repair(drawn, mask, deidentify=True)
    assert (np.asarray(after.convert("L"))[mask] <= 4).all()


@pytest.mark.parametrize(("colours", "least"), [("MONOCHROME2", True), ("MONOCHROME1", False)])
def test_a_dicom_says_what_was_done(colours: str, least: bool, tmp_path) -> None:
    pydicom = pytest.importorskip("pydicom", reason="DICOM needs an extra: pip install '.[medical]'")
    scan, letters = scan_with_a_name()
    values = scan.astype(np.int16) * 9 - 1000
    if not least:
        values = -values
    path = made_dicom(tmp_path / "scan.dcm", values[None], PhotometricInterpretation=colours)
    report = repair_file(path, tmp_path / "out.dcm", settings=Settings(deidentify=True))
    assert report.found == {"text": 1}
    assert any("was not found is still there" in note for note in report.notes)
    now = pydicom.dcmread(tmp_path / "out.dcm")
    kept = values[~(now.pixel_array != values)]
    assert (now.pixel_array[letters] == (kept.min() if least else kept.max())).all()
    assert "pixels were blanked by Remend" in now.DerivationDescription
    assert now.PatientName == "Made^Up"  # the header is another tool's work, which is said


def test_it_fills_nothing() -> None:
    for more in ({"method": "telea"}, {"denoise": 0.5}, {"repair_alpha": True}):
        with pytest.raises(UsageError, match="blanks and fills nothing"):
            Settings(deidentify=True, **more)
