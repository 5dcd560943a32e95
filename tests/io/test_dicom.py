"""DICOM: values outside the hole stay, a repaired object is a new one, what cannot be read says so."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import remend
from made_dicoms import made_dicom
from remend.cli.repair import repair as command
from remend.errors import DecodeError, FormatError, RemendError
from remend.io.pages import open_document
from remend.io.read import read_header

pydicom = pytest.importorskip("pydicom", reason="DICOM needs an extra: pip install '.[medical]'")

IMPLICIT, EXPLICIT, BIG, DEFLATED = (f"1.2.840.10008.1.2{end}" for end in ("", ".1", ".2", ".1.99"))
RLE, JPEG_LS, J2K = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"
SIDE = 32


def soft(kind: type, frames: int = 1, colours: int = 0) -> np.ndarray:
    """Frames that follow one another smoothly, over half of the type's range."""
    k, y, x = np.mgrid[:frames, :SIDE, :SIDE].astype(float)
    unit = 0.5 + 0.25 * np.sin(x / 9 + k / 5) + 0.25 * np.cos(y / 8 - k / 6)
    if colours:
        unit = np.stack([unit, unit**2, 1 - unit], axis=3)
    limits = np.iinfo(kind)
    low, high = limits.min * 0.4, min(limits.max, 1 << 30) * 0.4
    return np.rint(low + unit * (high - low)).astype(kind)


def a_hole() -> np.ndarray:
    hole = np.zeros((SIDE, SIDE), bool)
    hole[12:18, 10:20] = True
    return hole


def pixels(path: str | Path) -> np.ndarray:
    dataset = pydicom.dcmread(path)
    return np.asarray(dataset.pixel_array).reshape(-1, SIDE, SIDE, int(dataset.SamplesPerPixel))


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32])
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG, DEFLATED])
def test_values_of_every_width_stay_outside_the_hole(kind: type, syntax: str, tmp_path: Path) -> None:
    truth, hole = soft(kind, 6), a_hole()
    damaged = np.where(hole, 0, truth).astype(kind)
    path = made_dicom(tmp_path / "scan.dcm", damaged, syntax=syntax)
    out = remend.repair(str(path), hole, pages="all")
    after = pixels(out)[..., 0]
    assert pydicom.dcmread(out).file_meta.TransferSyntaxUID == syntax
    assert np.array_equal(after[:, ~hole], truth[:, ~hole])
    assert np.abs(after.astype(float) - truth)[:, hole].max() < 0.03 * np.ptp(truth.astype(float))


@pytest.mark.parametrize(("syntax", "kind"), [(RLE, np.int16), (JPEG_LS, np.uint16), (J2K, np.int16)])
def test_what_was_compressed_without_loss_is_compressed_so_again(syntax, kind, tmp_path: Path) -> None:
    if syntax == JPEG_LS:
        pytest.importorskip("jpeg_ls", reason="JPEG-LS needs pyjpegls, of the extra")
    if syntax == J2K:
        pytest.importorskip("openjpeg", reason="JPEG 2000 needs pylibjpeg-openjpeg, of the extra")
    truth, hole = soft(kind, 3), a_hole()
    path = made_dicom(tmp_path / "scan.dcm", truth, syntax=syntax)
    out = remend.repair(str(path), hole, pages="2")
    after = pydicom.dcmread(out)
    assert after.file_meta.TransferSyntaxUID == syntax
    assert np.array_equal(pixels(out)[[0, 2]], pixels(path)[[0, 2]])
    assert np.array_equal(pixels(out)[1, ~hole], pixels(path)[1, ~hole])
    assert after.get("LossyImageCompression") is None


@pytest.mark.parametrize("more", [{}, {"PlanarConfiguration": 1}])
def test_colours(more: dict[str, int], tmp_path: Path) -> None:
    truth, hole = soft(np.uint8, 1, colours=3), a_hole()
    path = made_dicom(tmp_path / "scan.dcm", truth, **more)
    out = remend.repair(str(path), hole)
    assert np.array_equal(pixels(out)[:, ~hole], truth[:, ~hole])
    assert np.abs(pixels(out).astype(int) - truth)[:, hole].max() < 20


def test_bits_that_belong_to_others_stay_and_fills_keep_to_theirs(tmp_path: Path) -> None:
    truth, hole = soft(np.uint16), a_hole()
    truth = (truth // 17) | 0x0800  # twelve bits, the values near their top
    truth[0, hole] = 0x0FFF
    overlay = np.where(np.arange(SIDE) % 3 == 0, 0x8000, 0).astype(np.uint16)
    path = made_dicom(tmp_path / "scan.dcm", truth | overlay, BitsStored=12, HighBit=11)
    out = remend.repair(str(path), hole)
    raw = np.frombuffer(pydicom.dcmread(out).PixelData, "<u2").reshape(SIDE, SIDE)
    assert np.array_equal(raw[~hole], (truth | overlay)[0][~hole])
    assert np.array_equal(raw & 0xF000, np.broadcast_to(overlay, raw.shape))


def test_a_repaired_object_is_a_new_one_and_says_so(tmp_path: Path) -> None:
    icon = pydicom.Dataset()
    icon.Rows = icon.Columns = 2
    path = made_dicom(
        tmp_path / "scan.dcm",
        soft(np.int16),
        IconImageSequence=[icon],
        DigitalSignaturesSequence=[pydicom.Dataset()],
        SmallestImagePixelValue=0,
        LargestImagePixelValue=3,
        DerivationDescription="smoothed before",
        LossyImageCompression="01",
    )
    ran = CliRunner().invoke(command, [str(path), "-m", str(_mask(tmp_path)), "--json"])
    assert ran.exit_code == 0, ran.output
    assert "not for diagnosis" in ran.output
    assert "icon" in ran.output and "signatures" in ran.output
    was, now = pydicom.dcmread(path), pydicom.dcmread(tmp_path / "scan.repaired.dcm")
    assert now.SOPInstanceUID != was.SOPInstanceUID
    assert now.file_meta.MediaStorageSOPInstanceUID == now.SOPInstanceUID
    assert now.SeriesInstanceUID != was.SeriesInstanceUID
    assert now.StudyInstanceUID == was.StudyInstanceUID
    assert list(now.ImageType) == ["DERIVED", "SECONDARY", "AXIAL"]
    source = now.SourceImageSequence[0]
    assert (source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID) == (
        was.SOPClassUID,
        was.SOPInstanceUID,
    )
    assert source.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
    assert now.DerivationDescription.startswith("60 pixels were filled in by Remend.")
    assert now.DerivationDescription.endswith("not for diagnosis. smoothed before")
    assert now.SeriesDescription == "made by code, repaired, not for diagnosis"
    assert now.LossyImageCompression == "01"
    assert "IconImageSequence" not in now and "DigitalSignaturesSequence" not in now
    assert now.LargestImagePixelValue > 3
    told = {
        "SOPInstanceUID",
        "SeriesInstanceUID",
        "ImageType",
        "SourceImageSequence",
        "DerivationDescription",
        "SeriesDescription",
        "LargestImagePixelValue",
        "SmallestImagePixelValue",
        "PixelData",
    }
    gone = {"IconImageSequence", "DigitalSignaturesSequence"}
    for element in was:
        if element.keyword not in told | gone:
            assert now[element.tag] == element
    assert {e.keyword for e in now} - {e.keyword for e in was} == {"SourceImageSequence"}


def _mask(folder: Path) -> Path:
    from PIL import Image

    Image.fromarray(a_hole()).save(folder / "mask.png")
    return folder / "mask.png"


def test_one_series_stays_one_and_the_same_repair_is_the_same_object(tmp_path: Path) -> None:
    first = made_dicom(tmp_path / "1.dcm", soft(np.int16), SOPInstanceUID="1.2.3.1")
    second = made_dicom(tmp_path / "2.dcm", soft(np.int16) + np.int16(5), SOPInstanceUID="1.2.3.2")
    outs = [pydicom.dcmread(remend.repair(str(path), a_hole())) for path in (first, second)]
    assert outs[0].SeriesInstanceUID == outs[1].SeriesInstanceUID
    assert outs[0].SOPInstanceUID != outs[1].SOPInstanceUID
    again = remend.repair(str(first), a_hole(), output=tmp_path / "again.dcm")
    assert Path(again).read_bytes() == (tmp_path / "1.repaired.dcm").read_bytes()
    nothing = remend.repair(str(first), a_hole() & False, output=tmp_path / "nothing.dcm")
    assert Path(nothing).read_bytes() == first.read_bytes()


def test_padding_is_not_read_and_not_written(tmp_path: Path) -> None:
    truth, hole = soft(np.int16), a_hole()
    truth[:, :, :10] = -32000
    path = made_dicom(tmp_path / "scan.dcm", truth, PixelPaddingValue=-32000)
    filled = pixels(remend.repair(str(path), hole))[0, hole, 0]
    assert filled.min() > truth[truth > -32000].min() - 3000


def test_frames_in_time_are_frames_and_others_slices(tmp_path: Path) -> None:
    document = open_document(made_dicom(tmp_path / "volume.dcm", soft(np.int16, 4)))
    assert (document.axis, document.spacing_mm) == ("slice", (2.5, 0.8, 0.9))
    document = open_document(made_dicom(tmp_path / "cine.dcm", soft(np.uint8, 4), FrameTime=40))
    assert (document.axis, document.durations_s) == ("frame", (0.04,) * 4)


def test_what_may_begin_as_a_tiff_is_a_dicom_all_the_same(tmp_path: Path) -> None:
    path = made_dicom(tmp_path / "scan.dcm", soft(np.int16))
    path.write_bytes(b"II*\0" + path.read_bytes()[4:])
    assert read_header(path)[0] == "dicom"


def test_what_is_refused_says_why(tmp_path: Path) -> None:
    cases = {
        "bits.dcm": ({"BitsAllocated": 1, "BitsStored": 1}, FormatError, "1 bits a sample"),
        "palette.dcm": ({"PhotometricInterpretation": "PALETTE COLOR"}, FormatError, "PALETTE COLOR"),
        "size.dcm": ({"Rows": 0}, DecodeError, "its size"),
        "short.dcm": ({"Rows": 33}, DecodeError, "cut short"),
    }
    for name, (more, kind, said) in cases.items():
        path = made_dicom(tmp_path / name, soft(np.int16), **more)
        with pytest.raises(kind, match=said):
            remend.repair(str(path), np.ones((33 if "Rows" in more else 32, 32), bool), yes=True)
    report = pydicom.dcmread(tmp_path / "short.dcm")
    del report.PixelData, report.Rows
    report.save_as(tmp_path / "report.dcm")
    with pytest.raises(FormatError, match="without a picture"):
        read_header(tmp_path / "report.dcm")


def test_measured_values_are_filled_smoothly_without_grain_or_nets(tmp_path: Path) -> None:
    noisy = soft(np.int16) + np.random.default_rng(0).integers(-900, 900, (1, SIDE, SIDE)).astype(np.int16)
    path = made_dicom(tmp_path / "scan.dcm", noisy)
    plain = pixels(remend.repair(str(path), a_hole(), method="smooth", grain=0))
    assert np.array_equal(plain, pixels(remend.repair(str(path), a_hole(), overwrite=True)))


def test_measured_values_are_neither_searched_nor_restored_unasked(tmp_path: Path) -> None:
    from remend.repairing import repair_file

    scratched = soft(np.int16)
    scratched[0, :, 14:16] = scratched.max()
    path = made_dicom(tmp_path / "scan.dcm", scratched)
    report = repair_file(path, tmp_path / "out.dcm")
    assert any("give a mask" in note for note in report.notes)
    assert (tmp_path / "out.dcm").read_bytes() == path.read_bytes()
    restored = remend.restore(str(path), output=tmp_path / "restored.dcm", force=True)
    assert Path(restored).read_bytes() == path.read_bytes()


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made_dicom(tmp_path / "scan.dcm", soft(np.int16))
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    with pytest.raises(FormatError, match=r"remend\[medical\]"):
        read_header(path)


def wheels_files() -> list[Path]:
    return sorted(p for p in (Path(pydicom.__file__).parent / "data").rglob("*") if p.is_file())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_file_of_the_wheel_comes_back_or_is_refused_in_one_line(tmp_path: Path) -> None:
    back = 0
    for path in wheels_files():
        out = tmp_path / f"{back}.dcm"
        try:
            _, header = read_header(path)
            hole = np.zeros((header.height, header.width), bool)
            hole[header.height // 3 :, header.width // 3 :][:3, :4] = True
            remend.repair(str(path), hole, output=out, pages="all")
        except RemendError as error:
            assert "\n" not in str(error)
            assert "fault of Remend's own" not in str(error), path
            continue
        was, now = (pydicom.dcmread(p) for p in (path, out))
        before, after = (
            np.asarray(d.pixel_array).reshape(-1, *hole.shape, d.SamplesPerPixel) for d in (was, now)
        )
        assert np.array_equal(before[:, ~hole], after[:, ~hole]), path
        back += 1
    assert back >= 60
