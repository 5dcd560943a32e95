"""Broken files of every container through a whole repair: written whole, or refused in one line."""

import importlib.util
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import broken_containers
import broken_files
from benchmarks.fuzz_child import attempted, plain_png
from remend.errors import DecodeError
from remend.io import encode_picture, read_picture

ROLES = ("picture", "pages", "mask")
MEDICAL = pytest.mark.skipif(
    importlib.util.find_spec("pydicom") is None, reason="DICOM needs an extra: pip install '.[medical]'"
)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "m.png").write_bytes(plain_png((64, 48), hole=True))
    (tmp_path / "p.png").write_bytes(plain_png((64, 48), hole=False))
    return tmp_path


@pytest.mark.parametrize("family", (*broken_files.FORMATS, *broken_containers.formats()))
def test_a_few_mutants_as_picture_as_pages_and_as_mask(place, family):
    make = broken_containers.broken if family in broken_containers.NEEDS else broken_files.broken
    done = 0
    for seed in range(12):
        path = place / f"{family}-{seed}"
        path.write_bytes(make(family, seed))
        for role in ROLES:
            kind, said = attempted(path, role, place)
            assert kind in ("done", "refused"), f"seed {seed} as {role}: {said}"
            done += kind == "done"
    if family not in ("jpeg", "avif"):  # of those nearly every change is beyond reading
        assert done, "a generator whose files are all refused tests the first check alone"


@pytest.mark.parametrize("family", broken_containers.formats())
def test_what_mutants_are_made_of_is_sound(place, family):
    for number, content in enumerate(broken_containers.sound(family)):
        path = place / f"{number}"
        path.write_bytes(content)
        for role in ("picture", "pages"):
            assert attempted(path, role, place) == ("done", "")


def test_a_new_colour_does_not_overwrite_the_tags_that_lie_under_the_palette():
    """A palette whose offset leads into the directory: what is new goes to the end of the file."""
    image = Image.fromarray(np.add.outer(np.arange(33), np.arange(40)).astype(np.uint8) % 16, "L").convert(
        "P"
    )
    file = io.BytesIO()
    image.save(file, "TIFF")
    data = bytearray(file.getvalue())
    at = int.from_bytes(data[4:8], "little")
    for entry in range(at + 2, at + 2 + 12 * int.from_bytes(data[at : at + 2], "little"), 12):
        if int.from_bytes(data[entry : entry + 2], "little") == 320:
            data[entry + 8 : entry + 12] = struct.pack("<I", at + 3)
    picture = read_picture(bytes(data))
    assert picture.palette is not None
    changed = np.zeros(picture.size, np.bool_)
    changed[5:8, 5:8] = True
    picture.palette[int(picture.samples[5, 5, 0])] = (1, 2, 3, 255)
    again = read_picture(encode_picture(picture, changed=changed).data)
    np.testing.assert_array_equal(again.samples, picture.samples)


@pytest.mark.skipif("bands" not in broken_containers.formats(), reason="needs tifffile")
def test_bands_that_hold_bits_where_bytes_should_be_are_refused(place):
    """Found by mutant bands-2284: several strips of bytes that are said to be coded as a fax is."""
    data = bytearray(broken_containers.sound("bands")[1])  # a strip a band
    at = int.from_bytes(data[4:8], "little")
    for entry in range(at + 2, at + 2 + 12 * int.from_bytes(data[at : at + 2], "little"), 12):
        if int.from_bytes(data[entry : entry + 2], "little") == 259:
            data[entry + 8 : entry + 10] = struct.pack("<H", 2)
    path = place / "a.tif"
    path.write_bytes(data)
    kind, said = attempted(path, "picture", place)
    assert kind == "refused"
    assert "truncated TIFF" in said


def test_a_still_picture_behind_frames_is_refused(place):
    """Found by mutant apng-3104: it was taken for a frame, and the result had no picture beside frames."""
    data = broken_containers.sound("apng")[0]
    at = data.index(b"IDAT") - 4
    length = int.from_bytes(data[at : at + 4], "big")
    moved = b"fdAT" + struct.pack(">I", 2) + data[at + 8 : at + 8 + length]
    frame = struct.pack(">I", length + 4) + moved + struct.pack(">I", zlib.crc32(moved))
    later = data.index(b"fdAT") - 4
    size = int.from_bytes(data[later : later + 4], "big")
    still = b"IDAT" + data[later + 12 : later + 8 + size]
    picture = struct.pack(">I", size - 4) + still + struct.pack(">I", zlib.crc32(still))
    path = place / "a.png"
    path.write_bytes(data[:at] + frame + data[at + 12 + length : later] + picture + data[later + 12 + size :])
    kind, said = attempted(path, "pages", place)
    assert kind == "refused", said
    assert "behind frames" in said


def test_frames_under_a_control_of_another_size_are_refused(place):
    """What stands behind it was taken for data of a frame, and the still picture went missing."""
    data = broken_containers.sound("apng")[0]
    at = data.index(b"fcTL") - 4
    short = struct.pack(">I", 15) + data[at + 4 : at + 23]
    path = place / "a.png"
    path.write_bytes(data[:at] + short + struct.pack(">I", zlib.crc32(short[4:])) + data[at + 38 :])
    kind, said = attempted(path, "pages", place)
    assert kind == "refused", said
    assert "control of a frame has 15 bytes" in said
    assert attempted(path, "picture", place) == ("done", "")


def dicom(place, **more):
    from made_dicoms import made_dicom

    frames = broken_containers.waves(1, 24, 28, kind=np.uint16)
    return made_dicom(place / "a.dcm", frames, **more)


@MEDICAL
def test_a_dicom_that_leaves_bits_stored_out_is_written_back(place):
    import pydicom

    path = dicom(place)
    dataset = pydicom.dcmread(path)
    del dataset.BitsStored
    dataset.save_as(path)
    assert attempted(path, "picture", place) == ("done", "")


@MEDICAL
def test_a_dicom_of_a_kind_with_line_breaks_is_refused_in_one_line(place):
    """Found by atheris: the name of its kind came out as the file has it, line breaks and all."""
    path = dicom(place)
    data = path.read_bytes()
    at = data.rindex(b"1.2.840.10008.5.1.4.1.1.")  # of the data set, not of its head
    data = data[:at] + b"\r\n\x1b[2Ja line\n" + data[at + 13 :]
    rows = data.index(struct.pack("<HH", 0x28, 0x10))
    path.write_bytes(data[:rows] + struct.pack("<HH", 0x28, 0x12) + data[rows + 4 :])
    kind, said = attempted(path, "picture", place)
    assert kind == "refused"
    assert "a DICOM without a picture" in said
    assert said.isprintable()


@MEDICAL
def test_a_dicom_that_claims_more_frames_than_it_has(place):
    path = dicom(place, NumberOfFrames=99)
    for role in ROLES:
        assert attempted(path, role, place)[0] == "refused"


@MEDICAL
@pytest.mark.parametrize("change", [(b"US", b"FS"), (b"US", b"LO")])
def test_a_dicom_whose_types_are_none_is_refused_in_one_line(place, change):
    """pydicom reads values when they are asked for, and raises what it likes then."""
    path = dicom(place)
    rows = struct.pack("<HH", 0x28, 0x10)
    data = path.read_bytes()
    at = data.index(rows + b"US")
    path.write_bytes(data[:at] + data[at : at + 8].replace(*change) + data[at + 8 :])
    for role in ROLES:
        kind, said = attempted(path, role, place)
        assert kind == "refused", said


@pytest.mark.parametrize("offset", [float("nan"), float("inf"), 1e30, -5.0])
def test_voxels_that_begin_nowhere_are_one_line(place, offset):
    pytest.importorskip("nibabel", reason="NIfTI needs an extra: pip install '.[medical]'")
    data = bytearray(broken_containers.sound("nifti")[0])
    data[108:112] = struct.pack("<f", offset)
    path = place / "a.nii"
    path.write_bytes(data)
    for role in ROLES:
        kind, said = attempted(path, role, place)
        assert kind == "refused", said


@MEDICAL
def test_frames_that_are_no_number_are_one_line(place):
    path = dicom(place)
    data = path.read_bytes()
    element = struct.pack("<HH2sH", 0x28, 8, b"IS", 2) + b"\n "
    at = data.index(struct.pack("<HH", 0x28, 0x10))
    path.write_bytes(data[:at] + element + data[at:])
    with pytest.raises(DecodeError) as said:
        read_picture(path)
    assert "\n" not in str(said.value)
