"""Restoring of measured values: noise by how it grows with them, metal's streaks by its rays."""

import importlib.util
import json

import cv2
import numpy as np
import pytest

import remend
from made_dicoms import made_dicom
from remend.errors import UsageError
from remend.options.restoration import RestoreOptions
from remend.restoration.metal import metal_in, project, reconstruct, without_streaks
from remend.restoration.values import Counts, Rician, denoised, estimate_counts, estimate_rician
from remend.restoring import restore_file

SIDE = 192


def head(side=SIDE):
    """(side, side) Hounsfield units of a made head."""
    y, x = np.mgrid[:side, :side] / (side - 1) * 2 - 1

    def within(cx, cy, a, b):
        return ((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 < 1

    made = np.full((side, side), -1000.0)
    for value, where in (
        (900, within(0, 0, 0.72, 0.9)),
        (35, within(0, 0, 0.66, 0.84)),
        (8, within(-0.22, 0, 0.11, 0.3)),
        (8, within(0.22, -0.1, 0.11, 0.25)),
        (60, within(0, 0.4, 0.2, 0.12)),
        (-60, within(-0.3, -0.5, 0.1, 0.05)),
    ):
        made[where] = value
    return made


def metal(side=SIDE):
    y, x = np.mgrid[:side, :side]
    return ((y - 90) ** 2 + (x - 68) ** 2 < 20) | ((y - 105) ** 2 + (x - 128) ** 2 < 16)


def scanned(hounsfield, metal, seed=0):
    """(side, side) of a scanner whose tube sends three energies; projected by scikit-image, not by us."""
    from skimage.transform import iradon, radon

    angles = np.arange(480) * 180 / 480
    tissue = np.where(metal, 0, hounsfield / 1000 + 1) * 0.02
    through = [radon(part, angles, circle=True) for part in (tissue, metal.astype(float))]
    energies = ((0.3, 1.25, 1.2), (0.4, 1.0, 0.5), (0.3, 0.85, 0.25))
    left = sum(share * np.exp(-a * through[0] - b * through[1]) for share, a, b in energies)
    counted = np.maximum(np.random.default_rng(seed).poisson(2e6 * left), 1) / 2e6
    return (iradon(-np.log(counted) / 0.02, angles, filter_name="hann", circle=True) - 1) * 1000


@pytest.fixture(scope="module")
def ct():
    """The same head without and with metal."""
    return scanned(head(), metal() & False), scanned(head(), metal())


def near(mask, px):
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * px + 1,) * 2)) > 0


def test_a_disc_projects_as_it_must_and_comes_back():
    y, x = np.mgrid[:480, :480] / 5 - 47.9
    fine = np.where((y - 12) ** 2 + (x + 9) ** 2 < 300, 1.0, 0).astype(np.float32)
    plane = cv2.resize(fine, (96, 96), interpolation=cv2.INTER_AREA)
    rays = project(plane, 90)
    for view in range(0, 90, 7):
        angle = np.pi * view / 90
        away = np.arange(96) - 47.5 - (-9 * np.cos(angle) + 12 * np.sin(angle))
        assert np.abs(rays[view] - 2 * np.sqrt(np.maximum(300 - away**2, 0))).mean() < 0.3
    inner = plane.astype(bool) & ~near(plane < 1, 3)
    assert np.abs(reconstruct(rays)[inner] - 1).mean() < 0.03


def test_metals_streaks_are_more_than_halved(ct):
    clean, hurt = ct
    found = metal_in(hurt)
    assert (found & metal()).sum() > 0.9 * metal().sum()
    done = without_streaks(hurt, found)
    rim = near(found | metal(), 3)
    around = near(metal(), 30) & ~rim & (head() > -900)
    error = [np.abs(one - clean)[around].mean() for one in (hurt, done)]
    assert error[1] < 0.5 * error[0]
    inside = ~rim & (head() > -900)
    assert np.abs(done - clean)[inside].mean() < 0.6 * np.abs(hurt - clean)[inside].mean()
    assert (done[found] == hurt.astype(np.float32)[found]).all()


needs_dicom = pytest.mark.skipif(
    importlib.util.find_spec("pydicom") is None, reason="DICOM needs an extra: pip install '.[medical]'"
)


@needs_dicom
def test_a_ct_slice_in_its_file(tmp_path, ct):
    clean, hurt = ct
    stored = np.clip(np.rint(hurt + 1024), -2000, 30000).astype(np.int16)
    made_dicom(tmp_path / "in.dcm", stored[None], RescaleSlope=1, RescaleIntercept=-1024)
    report = restore_file(tmp_path / "in.dcm", tmp_path / "out.dcm", options=RestoreOptions(only="streaks"))
    import pydicom

    after = pydicom.dcmread(tmp_path / "out.dcm")
    done = after.pixel_array.astype(float) - 1024
    around = near(metal(), 30) & ~near(metal_in(hurt), 3) & (head() > -900)
    assert np.abs(done - clean)[around].mean() < 0.5 * np.abs(hurt - clean)[around].mean()
    assert "metal's streaks lessened" in after.DerivationDescription
    assert list(after.ImageType)[:2] == ["DERIVED", "SECONDARY"]
    assert any("not for diagnosis" in note for note in report.notes)
    told = {step.kind: step for step in report.steps}
    assert told["streaks"].strength == 1
    assert told["noise"].strength == 0


@needs_dicom
def test_nothing_is_done_unasked_or_without_metal(tmp_path):
    stored = np.rint(head() + 1024).astype(np.int16)
    made_dicom(tmp_path / "in.dcm", stored[None], RescaleSlope=1, RescaleIntercept=-1024)
    for number, only in enumerate(("", "streaks")):
        target = tmp_path / f"{number}.dcm"
        restore_file(tmp_path / "in.dcm", target, options=RestoreOptions(only=only))
        assert target.read_bytes() == (tmp_path / "in.dcm").read_bytes()
    made_dicom(tmp_path / "mr.dcm", stored[None] + 4000, Modality="MR")
    report = restore_file(tmp_path / "mr.dcm", None, options=RestoreOptions(only="streaks"))
    assert any("only computed tomography" in step.reason for step in report.steps)
    with pytest.raises(UsageError, match="streaks"):
        remend.restore(np.zeros((64, 64, 3), np.uint8), only="streaks")


def magnitude(sigma, seed=0):
    """A made slice of magnetic resonance, and the same with Rician noise."""
    truth = np.where(head() > 500, 50, np.maximum(head() + 1000, 0) / 2)
    truth = cv2.GaussianBlur(truth, (0, 0), 1)
    rng = np.random.default_rng(seed)
    return truth, np.hypot(truth + rng.normal(0, sigma, truth.shape), rng.normal(0, sigma, truth.shape))


@pytest.mark.parametrize("sigma", [5, 20, 60])
def test_rician_noise_is_estimated_and_taken_off(sigma):
    truth, hurt = magnitude(sigma)
    model = estimate_rician(hurt)
    assert model.sigma == pytest.approx(sigma, rel=0.1)
    done = denoised(hurt, model)
    error = [np.sqrt(np.mean((one - truth) ** 2)) for one in (hurt, done)]
    assert error[1] < 0.45 * error[0]
    dark = truth < 0.5  # where noise lifts what is nothing
    assert done[dark].mean() < 0.3 * hurt[dark].mean()


@pytest.mark.parametrize(("gain", "floor"), [(1, 4), (4, 100), (0.5, 400)])
def test_counts_noise_is_estimated_and_taken_off(gain, floor):
    truth, _ = magnitude(1)
    rng = np.random.default_rng(1)
    hurt = rng.poisson(truth / gain) * gain + rng.normal(0, floor**0.5, truth.shape)
    model = estimate_counts(hurt)
    variance = model.gain * 500 + model.floor
    assert variance == pytest.approx(gain * 500 + floor, rel=0.2)
    done = denoised(hurt, model)
    error = [np.sqrt(np.mean((one - truth) ** 2)) for one in (hurt, done)]
    assert error[1] < 0.4 * error[0]
    assert abs((done - truth)[truth > 300].mean()) < 0.01 * 500


def test_the_inverse_has_no_bias():
    """A flat field of few counts keeps its mean."""
    rng = np.random.default_rng(2)
    for truth in (3.0, 30.0):
        field = rng.poisson(truth, (128, 128)).astype(float)
        assert denoised(field, Counts(1, 0)).mean() == pytest.approx(truth, rel=0.03)
        noisy = np.hypot(truth + rng.normal(0, 2, (128, 128)), rng.normal(0, 2, (128, 128)))
        assert denoised(noisy, Rician(2)).mean() == pytest.approx(truth, rel=0.05)


def test_nothing_to_tell_noise_by():
    assert estimate_rician(np.full((32, 32), 7)) is None
    assert estimate_counts(np.full((32, 32), 7.0)) is None
    assert estimate_counts(np.full((4, 4), np.nan)) is None


def test_a_volume_slice_by_slice(tmp_path):
    """NIfTI: every slice, in its own type; what was masked to 0 stays 0."""
    nibabel = pytest.importorskip("nibabel")
    truth, _ = magnitude(1)
    slices = [magnitude(20, seed)[1] for seed in range(3)]
    volume = np.rint(np.stack(slices, axis=2)).astype(np.int16)
    volume[:20] = 0
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / "in.nii.gz")
    report = restore_file(
        tmp_path / "in.nii.gz", tmp_path / "out.nii.gz", options=RestoreOptions(only="noise")
    )
    image = nibabel.load(tmp_path / "out.nii.gz")
    done = np.asarray(image.dataobj)
    assert done.dtype == np.int16
    assert (done[:20] == 0).all()
    for number in range(3):
        error = [np.sqrt(np.mean((one[20:, :, number] - truth[20:]) ** 2)) for one in (volume, done)]
        assert error[1] < 0.45 * error[0]
    assert "noise lessened" in image.header.extensions[0].get_content().decode()
    assert any("3 of 3 slices" in note for note in report.notes)
    assert "Rician" in json.dumps(report.as_json())


@needs_dicom
def test_a_dry_run_measures_and_writes_nothing(tmp_path):
    _, hurt = magnitude(20)
    made_dicom(tmp_path / "in.dcm", np.rint(hurt).astype(np.uint16)[None], Modality="MR")
    report = restore_file(tmp_path / "in.dcm", None, options=RestoreOptions(only="noise"))
    assert report.target is None
    assert report.changed_ratio > 0.5
