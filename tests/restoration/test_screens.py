"""Halftone screens: found to the hundredth of their period, taken off where they are, and nowhere else."""

import json

import numpy as np
import PIL.Image
import pytest
from skimage import data

import remend
from made_wear import decibels, photograph
from remend.cli import main
from remend.damage.synth.halftone import screened
from remend.options.restoration import RestoreOptions
from remend.picture import Picture
from remend.restoration.screens import estimate_screen, take_off_screen
from remend.restoring import restore_picture

SIDE = 400


def grey(image):
    return np.repeat(np.rint(image.mean(axis=2, keepdims=True)).astype(np.uint8), 3, axis=2)


@pytest.mark.parametrize(
    ("period", "inks", "angles"),
    [
        (300 / 133, 1, (0, 0, 0, 45)),
        (300 / 85, 4, (15, 75, 0, 45)),
        (600 / 150, 3, (15, 75, 0, 45)),
        (600 / 85, 2, (38, 0, 0, 67)),
    ],
)
def test_period_and_angles(period, inks, angles):
    found = estimate_screen(screened(photograph("astronaut", SIDE), period, inks=inks, angles=angles))
    assert found is not None
    assert found.period_px == pytest.approx(period, rel=0.01)
    plates = {1: (3,), 2: (0, 3), 3: (0, 1, 2), 4: (0, 1, 2, 3)}[inks]
    for one in found.angles:
        gaps = [abs((one - angles[plate] + 45) % 90 - 45) for plate in plates]
        assert min(gaps) < 1
    assert len(found.angles) >= min(len(plates), 2)


@pytest.mark.parametrize("name", ["brick", "grass", "gravel", "astronaut", "coffee", "page", "rocket"])
def test_what_was_not_screened_has_none(name):
    image = getattr(data, name)()
    image = np.ascontiguousarray(
        np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image[..., :3]
    )
    assert estimate_screen(image) is None
    done = restore_picture(Picture(image.copy(), "RGB"), RestoreOptions(only="screen"))
    assert np.array_equal(done.picture.samples, image) and not done.changed.any()


@pytest.mark.parametrize("size", [(1, 1), (40, 300), (255, 255)])
def test_what_is_too_small_has_none(size):
    assert estimate_screen(np.zeros((*size, 3), np.uint8)) is None


@pytest.mark.parametrize(("period", "inks"), [(300 / 85, 1), (300 / 85, 4), (600 / 133, 4)])
def test_dots_go(period, inks):
    image = photograph("coffee", SIDE)
    image = grey(image) if inks == 1 else image
    worn = screened(image, period, inks=inks)
    done = restore_picture(Picture(worn.copy(), "RGB"), RestoreOptions(preset="print", only="screen"))
    assert done.anew
    assert decibels(done.picture.samples, image) > decibels(worn, image) + 7
    half = restore_picture(Picture(worn.copy(), "RGB"), RestoreOptions(only="screen", screen=0.5))
    between = (worn.astype(float) + done.picture.samples) / 2
    assert np.abs(half.picture.samples - between).max() <= 1
    photo = restore_picture(Picture(worn.copy(), "RGB"), RestoreOptions(skip="damage"))
    assert {step.kind: step.strength for step in photo.steps}["screen"] == 0


def test_paper_beside_a_screen_stays():
    sheet = np.full((SIDE, SIDE + 160, 3), 245, np.uint8)
    sheet[:, :SIDE] = screened(photograph("coffee", SIDE), 4.0)
    screen = estimate_screen(sheet)
    assert screen is not None
    picture = Picture(sheet.copy(), "RGB")
    changed = take_off_screen(picture, screen)
    assert changed[:, : SIDE - 20].mean() > 0.9
    assert not changed[:, SIDE + 40 :].any()


@pytest.mark.parametrize(("period", "inks"), [(300 / 85, 1), (300 / 85, 4), (600 / 133, 4)])
def test_lettering_beside_a_screen_stays(period, inks):
    """It has something of the lattice's frequency, and was softened to 20 to 25 dB."""
    image = photograph("coffee", SIDE)
    image = grey(image) if inks == 1 else image
    page = data.page()[:180, :380].astype(int) + 40
    page = np.repeat(np.where(page > 150, 255, page).astype(np.uint8)[..., None], 3, axis=2)
    page = np.asarray(PIL.Image.fromarray(page).resize((SIDE, 190)))
    worn = np.concatenate([screened(image, period, inks=inks), page])
    screen = estimate_screen(worn)
    assert screen is not None
    picture = Picture(worn.copy(), "RGB")
    take_off_screen(picture, screen)
    assert decibels(picture.samples[SIDE + 15 :], page[15:]) > 32
    assert decibels(picture.samples[:SIDE], image) > decibels(worn[:SIDE], image) + 10


def test_grey_alpha_and_depths():
    worn = screened(grey(photograph("coffee", SIDE)), 4.0, inks=1)
    screen = estimate_screen(worn)
    assert screen is not None
    shown = Picture(worn.copy(), "RGB")
    take_off_screen(shown, screen)
    assert (np.ptp(shown.samples, axis=2) == 0).all()
    alpha = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 1), np.uint8)
    alpha[:30] = 0
    picture = Picture(np.concatenate([worn[..., :1], alpha], axis=2), "LA")
    changed = take_off_screen(picture, screen)
    assert np.array_equal(picture.samples[..., 1:], alpha) and not changed[:30].any()
    deep = Picture(worn[..., :1].astype(np.uint16) * 257, "L")
    take_off_screen(deep, screen)
    assert np.abs(deep.samples / 257 - shown.samples[..., :1]).max() <= 0.51


def test_inspect_and_the_command(tmp_path, capsys):
    worn = screened(photograph("coffee", SIDE), 3.0)
    PIL.Image.fromarray(worn).save(tmp_path / "a.png")
    with pytest.raises(SystemExit):
        main(["inspect", str(tmp_path / "a.png"), "--json"])
    assert json.loads(capsys.readouterr().out)["screen"]["period_px"] == pytest.approx(3.0, rel=0.01)
    with pytest.raises(SystemExit):
        main(["inspect", str(tmp_path / "a.png")])
    assert "dots every 3.00 px at" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main(["restore", str(tmp_path / "a.png"), "--only", "screen", "--explain", str(tmp_path / "why")])
    assert stop.value.code == 0
    assert sorted(path.name for path in (tmp_path / "why").iterdir()) == [
        "a.png.0-before.png",
        "a.png.1-screen.png",
    ]
    written = np.array(PIL.Image.open(tmp_path / "a.restored.png"))
    assert np.array_equal(np.array(PIL.Image.open(tmp_path / "why" / "a.png.1-screen.png")), written)
    assert np.array_equal(written, remend.restore(worn, only="screen"))
