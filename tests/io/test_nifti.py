"""NIfTI, slice by slice: stored values and headers stay, and the file says what was done."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import remend
from remend.cli.repair import repair as command
from remend.errors import DecodeError, FormatError, LimitError
from remend.io.pages import open_document
from remend.options import Bounds

nibabel = pytest.importorskip("nibabel", reason="NIfTI needs an extra: pip install '.[medical]'")

SHAPE = 24, 30, 12  # columns, rows, slices


def values(kind: np.dtype, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Soft, different along all axes, and over much of the type's range."""
    at = np.stack(np.meshgrid(*(np.linspace(0, 3, n) for n in shape), indexing="ij"))
    soft = np.sin(at.sum(axis=0)) + np.cos(at[0] - at[2]) * 0.5
    unit = (soft - soft.min()) / np.ptp(soft)
    if kind.kind == "f":
        return (unit * 3000 - 1000).astype(kind)
    limits = np.iinfo(kind)
    return np.rint(limits.min * 0.4 + unit * (limits.max * 0.4 - limits.min * 0.4)).astype(kind)


def write(path: Path, array: np.ndarray, make: type | None = None) -> Path:
    order = np.dtype(array.dtype).newbyteorder("S").isnative  # big-endian on the usual machines
    make = make or nibabel.Nifti1Image
    head = make.header_class(endianness=">" if order else "<")
    affine = np.array([[-2, 0, 0, 9], [0, 2.5, 0.1, -3], [0, 0.2, 4, 1], [0, 0, 0, 1]])
    image = make(array, affine, head)
    image.set_data_dtype(array.dtype)
    image.header["descrip"] = b"a scan that was made"
    image.header.set_slope_inter(0.5, -7)
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension(6, b"of before"))
    nibabel.save(image, path)
    return path


def raw(path: str | Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).dataobj.get_unscaled())


def a_hole() -> np.ndarray:
    """(slices, rows, columns), as pages lie."""
    hole = np.zeros(SHAPE[::-1], bool)
    hole[4:7, 10:16, 8:15] = True
    return hole


@pytest.mark.parametrize("kind", ["u1", "i1", "i2", ">i2", "u2", "i4", ">u4", "f4", ">f8"])
@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
def test_what_is_not_in_the_hole_stays_bit_for_bit(kind: str, name: str, tmp_path: Path) -> None:
    truth, hole = values(np.dtype(kind)), a_hole()
    damaged = truth.copy()
    damaged[hole.T] = 0
    path = write(tmp_path / name, damaged)
    out = remend.repair(str(path), hole, pages="all")
    assert out == str(tmp_path / name.replace("scan", "scan.repaired"))
    after = raw(out)
    assert after.dtype == raw(path).dtype
    assert after[~hole.T].tobytes() == raw(path)[~hole.T].tobytes()
    assert np.abs(after[hole.T].astype(float) - truth[hole.T]).max() < 0.02 * np.ptp(truth.astype(float))
    was, now = nibabel.load(path), nibabel.load(out)
    assert np.array_equal(was.affine, now.affine)
    for field in was.header:
        if field != "vox_offset":
            assert was.header[field].tobytes() == now.header[field].tobytes(), field
    said = [extension.get_content() for extension in now.header.extensions]
    assert said[0] in (b"of before", "of before")
    assert b"not for diagnosis" in (said[1] if isinstance(said[1], bytes) else said[1].encode())


def test_the_same_repair_is_the_same_file_and_nothing_to_do_is_the_file_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "scan.nii.gz", values(np.dtype("i2")))
    first = Path(remend.repair(str(path), a_hole(), pages="all")).read_bytes()
    again = Path(remend.repair(str(path), a_hole(), pages="all", overwrite=True)).read_bytes()
    assert first == again
    nothing = remend.repair(str(path), a_hole() & False, pages="all", overwrite=True)
    assert gzip.decompress(Path(nothing).read_bytes()) == gzip.decompress(path.read_bytes())


def test_nifti_2_and_four_dimensions_and_a_mask_of_one_volume(tmp_path: Path) -> None:
    truth = values(np.dtype("i2"), (20, 22, 6, 3))
    path = write(tmp_path / "scan.nii", truth, nibabel.Nifti2Image)
    document = open_document(path)
    assert (len(document.pages), document.axis, document.together) == (18, "slice", 6)
    assert document.pages[7].samples[3, 4, 0] == truth[4, 3, 1, 1]
    assert np.allclose(document.spacing_mm, [4.0, 2.5, 2.0], atol=0.02)
    mask = np.zeros((20, 22, 6, 3), np.uint8)
    mask[5:9, 5:9, 2, 1] = 1
    nibabel.save(nibabel.Nifti1Image(mask, np.eye(4)), tmp_path / "mask.nii.gz")
    ran = CliRunner().invoke(
        command, [str(path), "-m", str(tmp_path / "mask.nii.gz"), "--pages", "all", "--json"]
    )
    assert ran.exit_code == 0, ran.output
    assert "not for diagnosis" in ran.output
    after = raw(tmp_path / "scan.repaired.nii")
    assert np.array_equal(after[mask == 0], truth[mask == 0])
    assert (after[mask == 1] != truth[mask == 1]).any()


def test_a_slice_that_is_missing(tmp_path: Path) -> None:
    truth = values(np.dtype("i2"))
    damaged = truth.copy()
    damaged[:, :, 5] = 0
    hole = np.zeros(SHAPE[::-1], bool)
    hole[5] = True
    after = raw(remend.repair(str(write(tmp_path / "scan.nii", damaged)), hole, pages="all"))
    assert np.abs(after[:, :, 5].astype(float) - truth[:, :, 5]).max() < 0.02 * np.ptp(truth.astype(float))


def test_without_pages_the_first_slice_alone_is_repaired_and_that_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "scan.nii", values(np.dtype("i2")))
    from remend.io import read_picture

    picture = read_picture(path)
    assert picture.container is not None
    assert picture.container.notes == (
        "first of 12 slices; the others are kept as they are: --pages all repairs them, too",
    )


def test_what_is_refused_says_why(tmp_path: Path) -> None:
    whole = write(tmp_path / "scan.nii", values(np.dtype("i2"))).read_bytes()
    cases = {
        "short.nii": (whole[:-40], DecodeError, "truncated"),
        "wide.nii": (None, FormatError, "int64"),
        "pair.hdr": (whole.replace(b"n+1\0", b"ni1\0"), FormatError, "save it as one .nii"),
        "bad.nii.gz": (gzip.compress(whole, mtime=0)[:-60], DecodeError, "inflated"),
    }
    nibabel.save(
        nibabel.Nifti1Image(np.zeros((4, 4, 4), np.int64), np.eye(4), dtype=np.int64), tmp_path / "wide.nii"
    )
    for name, (data, kind, said) in cases.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(kind, match=said):
            open_document(tmp_path / name)
    with pytest.raises(FormatError, match="from a DICOM alone"):
        remend.repair(str(tmp_path / "scan.nii"), a_hole()[0], output=tmp_path / "other.dcm")


def test_a_small_file_that_claims_a_large_volume(tmp_path: Path) -> None:
    from remend.budget import Budget

    image = nibabel.Nifti1Image(np.zeros((512, 512, 300), np.uint8), np.eye(4))
    (tmp_path / "bomb.nii.gz").write_bytes(gzip.compress(image.to_bytes()))
    with pytest.raises(LimitError, match="max-ratio"):
        open_document(tmp_path / "bomb.nii.gz", budget=Budget(Bounds()))


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "scan.nii", values(np.dtype("i2")))
    monkeypatch.setitem(__import__("sys").modules, "nibabel", None)
    with pytest.raises(FormatError, match=r"remend\[medical\]"):
        open_document(path)
