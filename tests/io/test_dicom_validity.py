"""What a repaired DICOM must hold, by PS3.3: what it held before, and what makes it a derived image.

Where dciodvfy of dicom3tools is on the path, that judges, too: it may find nothing that is not in the source.
"""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from made_dicoms import made_dicom
from remend.errors import RemendError
from remend.io import read_picture
from remend.options.restoration import RestoreOptions
from remend.repairing import repair_file
from remend.restoring import restore_file

pydicom = pytest.importorskip("pydicom", reason="DICOM needs an extra: pip install '.[medical]'")
pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom's, of what is odd in its own files
FILES = Path(pydicom.__file__).parent / "data"
# Of Patient, Study, Series, Image Pixel and SOP Common: types 1, and 2 that may be empty.
REQUIRED = [
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "SamplesPerPixel",
    "Rows",
    "Columns",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
]
MADE_ANEW = {"SOPInstanceUID", "SeriesInstanceUID", "PixelData", "ImageType", "SourceImageSequence"}
MADE_ANEW |= {"DerivationDescription", "SeriesDescription"}
DECOMPRESSED = {"PhotometricInterpretation", "PlanarConfiguration"}  # are other ones then
MADE_ANEW |= {"SmallestImagePixelValue", "LargestImagePixelValue", "IconImageSequence"}


def repaired_files(tmp_path):
    """(source, repaired) of all that can be repaired among pydicom's own files."""
    for source in sorted(FILES.rglob("*")):
        if not source.is_file():
            continue
        try:
            picture = read_picture(source)
            if picture.container.format != "dicom":
                continue
            mask = np.zeros(picture.size, bool)
            middle = picture.height // 2, picture.width // 2
            mask[middle[0] : middle[0] + 3, middle[1] : middle[1] + 3] = True
            target = tmp_path / f"{source.stem}.dcm"
            repair_file(source, target, mask=mask, overwrite=True)
        except RemendError:
            continue  # refused: tests/io/test_dicom.py looks at how
        yield source, target


def checked(before, after):
    """See that nothing required was lost, and that the derived image says what it must."""
    for keyword in REQUIRED:
        if keyword in before and before[keyword].value not in (None, ""):
            assert after[keyword].value not in (None, ""), keyword
    lost = {one.keyword for one in before if one.keyword and one.keyword not in after}
    assert not lost - {"IconImageSequence", "DigitalSignaturesSequence", "MACParametersSequence"}
    syntax = [one.file_meta.get("TransferSyntaxUID") for one in (before, after)]
    anew = MADE_ANEW | (DECOMPRESSED if syntax[0] != syntax[1] else set())
    for one in before:
        if one.keyword and one.keyword not in anew and one.keyword in after:
            assert after[one.keyword].value == one.value, one.keyword
    kinds = after.ImageType
    assert list(kinds[:2]) == ["DERIVED", "SECONDARY"]
    assert after.SOPInstanceUID.is_valid
    assert after.SOPInstanceUID != before.get("SOPInstanceUID")
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    if "SeriesInstanceUID" in before and before.SeriesInstanceUID:
        assert after.SeriesInstanceUID.is_valid
        assert after.SeriesInstanceUID != before.SeriesInstanceUID
    if before.get("SOPInstanceUID"):
        (source, *_) = after.SourceImageSequence
        assert source.ReferencedSOPInstanceUID == before.SOPInstanceUID
        (purpose,) = source.PurposeOfReferenceCodeSequence
        assert all(purpose.get(key) for key in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning"))
    assert 0 < len(after.DerivationDescription) <= 1024
    assert len(after.SeriesDescription) <= 64


def test_what_a_derived_image_must_hold(tmp_path):
    count = 0
    for source, target in repaired_files(tmp_path):
        before, after = (pydicom.dcmread(path, force=True) for path in (source, target))
        checked(before, after)
        count += 1
    assert count >= 40


@pytest.mark.parametrize("only", ["noise", "streaks"])
def test_so_must_a_restored_one(tmp_path, only):
    rng = np.random.default_rng(0)
    slice_ = (1000 + 40 * rng.normal(size=(96, 96))).astype(np.int16)
    slice_[40:46, 40:46] = 6000
    made_dicom(tmp_path / "in.dcm", slice_[None], RescaleSlope=1)
    restore_file(tmp_path / "in.dcm", tmp_path / "out.dcm", options=RestoreOptions(only=only))
    checked(*(pydicom.dcmread(tmp_path / name) for name in ("in.dcm", "out.dcm")))


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not on the path")
def test_a_validator_finds_nothing_new(tmp_path):
    def errors(path):
        judged = subprocess.run(["dciodvfy", str(path)], capture_output=True, timeout=60, check=False)
        lines = (judged.stdout + judged.stderr).decode("utf-8", "replace").splitlines()
        return Counter(re.sub(r"<[^>]*>", "*", line) for line in lines if line.startswith("Error"))

    count = 0
    for source, target in repaired_files(tmp_path):
        assert not errors(target) - errors(source), source.name
        count += 1
    assert count >= 40
