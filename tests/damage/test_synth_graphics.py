"""Made graphics and scenes: seeded, of the asked size, and what they say they are."""

import numpy as np
import pytest
from PIL import ImageFont

from remend.damage.synth.graphics import FINISHES, GRAPHIC_KINDS, graphic, scanned
from remend.damage.synth.scenes import SCENE_KINDS, scene
from remend.errors import UsageError


@pytest.fixture
def photo() -> np.ndarray:
    """Grey-brown, shaded, with texture."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(60, 190, 112)[None, :, None] + np.array([10, 0, -15])
    return np.clip(ramp + rng.normal(0, 8, (96, 112, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", GRAPHIC_KINDS)
def test_a_graphic_is_seeded_sized_and_not_flat(kind: str) -> None:
    first, again = (graphic((80, 120), seed=3, kind=kind) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (80, 120, 3)
    assert first.dtype == np.uint8
    others = [graphic((80, 120), seed=seed, kind=kind) for seed in range(4, 8)]
    assert any((other != first).any() for other in others)
    assert max(float(other.std()) for other in others) > 4


@pytest.mark.parametrize("size", [(16, 16), (17, 90), (140, 24)])
def test_every_graphic_fits_any_size(size: tuple[int, int], photo: np.ndarray) -> None:
    for kind in GRAPHIC_KINDS:
        for seed in range(2):
            assert graphic(size, seed=seed, kind=kind, photo=photo).shape == (*size, 3)


@pytest.mark.parametrize("finish", FINISHES)
def test_finishes(finish: str) -> None:
    page = graphic((96, 128), seed=5, kind="chart", finish=finish)
    assert page.shape == (96, 128, 3)
    flat = float((np.abs(np.diff(page.astype(int), axis=1)).max(axis=2) == 0).mean())
    # As drawn most of it is exactly flat; paper under a scanner is not.
    assert flat > 0.6 if finish == "digital" else flat < 0.99


def test_a_scan_is_noisier_than_its_page() -> None:
    page = graphic((96, 128), seed=2, kind="table", finish="digital")
    before = page.copy()
    scan = scanned(page, seed=1)
    np.testing.assert_array_equal(page, before)
    flat = [float((np.diff(picture[:, :, 1].astype(int), axis=1) == 0).mean()) for picture in (page, scan)]
    assert flat[1] < flat[0]


def test_prints_follow_the_photograph(photo: np.ndarray) -> None:
    """Dots and engraved lines carry its tone: averaged, the dark side stays dark."""
    for kind in ("halftone", "engraving"):
        sides = []
        for seed in range(6):
            made = graphic((96, 112), seed=seed, kind=kind, photo=photo, finish="digital").mean(axis=2)
            sides.append(made[:, -35:].mean() - made[:, :35].mean())
        assert np.median(np.abs(sides)) > 10


def test_letters_of_a_given_font() -> None:
    path = "DejaVuSerif.ttf"
    try:
        ImageFont.truetype(path, 12)
    except OSError:
        pytest.skip("needs a TrueType font that Pillow finds by name")
    with_font = [graphic((64, 64), seed=seed, kind="page", fonts=(path,)) for seed in range(4)]
    assert any(
        (made != graphic((64, 64), seed=seed, kind="page")).any() for seed, made in enumerate(with_font)
    )


@pytest.mark.parametrize("kind", SCENE_KINDS)
def test_a_scene_changes_part_of_the_photograph(kind: str, photo: np.ndarray) -> None:
    before = photo.copy()
    first, again = (scene(photo, seed=3, kind=kind) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(photo, before)
    assert first.shape == photo.shape
    assert first.dtype == np.uint8
    changed = [
        np.abs(scene(photo, seed=seed, kind=kind).astype(int) - photo).max(axis=2) > 6 for seed in range(6)
    ]
    assert max(float(each.mean()) for each in changed) > 0.003
    if kind != "stars":  # night falls over all of it
        assert min(float(each.mean()) for each in changed) < 0.7


@pytest.mark.parametrize("kind", SCENE_KINDS)
def test_another_seed_is_another_scene_at_any_size(kind: str) -> None:
    for size in ((32, 32), (33, 150), (140, 40)):
        plain = np.random.default_rng(0).integers(90, 160, (*size, 3)).astype(np.uint8)
        made = [scene(plain, seed=seed, kind=kind) for seed in range(4)]
        assert {each.shape for each in made} == {plain.shape}
        assert any((each != made[0]).any() for each in made[1:])


def test_the_photograph_is_not_written_to(photo: np.ndarray) -> None:
    before = photo.copy()
    for kind in GRAPHIC_KINDS:
        graphic((64, 80), seed=1, kind=kind, photo=photo)
        np.testing.assert_array_equal(photo, before, err_msg=kind)


def test_a_generator_goes_on_from_picture_to_picture(photo: np.ndarray) -> None:
    runs = []
    for _ in range(2):
        rng = np.random.default_rng(5)
        runs.append([graphic((48, 64), seed=rng, kind="page") for _ in range(3)])
        runs[-1] += [scene(photo, seed=rng, kind="twigs") for _ in range(3)]
    for first, again in zip(*runs, strict=True):
        np.testing.assert_array_equal(first, again)
    for k in (0, 1, 3, 4):
        assert (runs[0][k] != runs[0][k + 1]).any()


def test_without_a_kind_any_is_drawn(photo: np.ndarray) -> None:
    assert len({graphic((32, 32), seed=seed, finish="digital").tobytes() for seed in range(30)}) > 25
    assert len({scene(photo, seed=seed).tobytes() for seed in range(12)}) == 12


def test_a_grey_photograph_stays_grey() -> None:
    grey = np.repeat(np.random.default_rng(1).integers(40, 200, (64, 64, 1)), 3, axis=2).astype(np.uint8)
    for kind in SCENE_KINDS:
        made = scene(grey, seed=4, kind=kind).astype(int)
        assert np.ptp(made, axis=2).mean() < 12, kind


def test_what_cannot_be_meant_is_refused(photo: np.ndarray) -> None:
    with pytest.raises(UsageError, match="choose one of page"):
        graphic((64, 64), seed=1, kind="novel")
    with pytest.raises(UsageError, match="choose one of digital"):
        graphic((64, 64), seed=1, finish="glossy")
    with pytest.raises(UsageError, match="16 px"):
        graphic((8, 64), seed=1)
    with pytest.raises(UsageError, match="choose one of wires"):
        scene(photo, seed=1, kind="aliens")
    with pytest.raises(UsageError, match="uint8"):
        scene(photo[:, :, 0], seed=1)
