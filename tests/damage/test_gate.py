"""The gate: photographs are searched, whatever they went through; documents, graphics and prints are not."""

import json
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from remend.damage.gate import NATURES, PLACE, SIGNS, Nature, nature_of, signs_of
from remend.damage.gate.plane import PLANE_SIGNS, plane_signs
from remend.damage.gate.probes import PROBE_SIGNS, probe_signs
from remend.damage.gate.whole import WHOLE_SIGNS, whole_signs
from remend.damage.synth import damage_picture
from remend.damage.synth.graphics import GRAPHIC_KINDS, graphic
from remend.damage.synth.scenes import SCENE_KINDS, scene
from remend.errors import UsageError


@pytest.fixture(scope="module")
def photos() -> list[np.ndarray]:
    """Five public photographs, 288 px wide."""
    made = []
    for picture in (data.astronaut(), data.camera(), data.chelsea(), data.coffee(), data.rocket()):
        size = (288, round(288 * picture.shape[0] / picture.shape[1]))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        made.append(small if small.ndim == 3 else np.repeat(small[:, :, None], 3, axis=2))
    return made


def kinds_of(pictures: list[np.ndarray]) -> list[str]:
    return [nature_of(picture).kind for picture in pictures]


def test_photographs_are_photographs(photos: list[np.ndarray]) -> None:
    assert kinds_of(photos) == ["photograph"] * 5
    assert kinds_of([data.astronaut(), data.camera(), data.coffee()]) == ["photograph"] * 3


@pytest.mark.parametrize(
    "state", ["grey", "noise", "jpeg", "large", "small", "border", "dark", "blank", "faded"]
)
def test_in_any_state(photos: list[np.ndarray], state: str) -> None:
    rng = np.random.default_rng(1)

    def kept(picture: np.ndarray) -> np.ndarray:
        if state == "grey":
            return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        if state == "noise":
            return np.clip(picture + rng.normal(0, 18, picture.shape), 0, 255).astype(np.uint8)
        if state == "jpeg":
            return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 1)
        if state in ("large", "small"):
            factor = 4 if state == "large" else 0.5
            return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        if state == "border":
            return cv2.copyMakeBorder(picture, 20, 40, 20, 20, cv2.BORDER_CONSTANT, value=(255, 255, 255))
        if state == "dark":
            return (picture * 0.3).astype(np.uint8)
        if state == "faded":
            return (110 + 0.4 * picture).astype(np.uint8)
        blank = picture.copy()
        blank[:, : blank.shape[1] // 3] = 255
        return blank

    assert kinds_of([kept(picture) for picture in photos]) == ["photograph"] * 5


@pytest.mark.parametrize("damage", ["scratches", "dust", "cracks", "stains", "tears", "text", "blocks"])
def test_damaged(photos: list[np.ndarray], damage: str) -> None:
    damaged = [damage_picture(picture, damage, seed=seed)[0] for seed, picture in enumerate(photos)]
    assert kinds_of(damaged) == ["photograph"] * 5


def test_thin_things_in_a_scene_are_part_of_a_photograph(photos: list[np.ndarray]) -> None:
    kinds = [nature_of(scene(photos[k % 5], seed=k, kind=kind)).kind for k, kind in enumerate(SCENE_KINDS)]
    assert kinds.count("photograph") >= len(SCENE_KINDS) - 1, dict(zip(SCENE_KINDS, kinds, strict=True))


@pytest.mark.parametrize("kind", [kind for kind in GRAPHIC_KINDS if kind != "gradient"])
def test_graphics_are_none(kind: str, photos: list[np.ndarray]) -> None:
    made = [
        nature_of(graphic((300, 400), seed=seed, kind=kind, photo=photos[seed], finish=finish))
        for seed, finish in enumerate(("digital", "digital", "jpeg", "scan"))
    ]
    assert sum(nature.searchable for nature in made) <= (
        1 if kind in ("poster", "sketch", "pixel-art") else 0
    )


def test_what_is_printed_in_dots_and_lines_is_told_apart(photos: list[np.ndarray]) -> None:
    for kind in ("halftone", "engraving"):
        made = [graphic((400, 400), seed=k, kind=kind, photo=photos[k], finish="digital") for k in range(5)]
        assert kinds_of(made).count(kind) >= 3


def test_grey_and_colour_are_the_same(photos: list[np.ndarray]) -> None:
    grey = cv2.cvtColor(photos[0], cv2.COLOR_RGB2GRAY)
    np.testing.assert_allclose(signs_of(grey), signs_of(np.repeat(grey[:, :, None], 3, axis=2)), atol=1e-5)


@pytest.mark.parametrize("size", [(32, 32), (33, 700), (900, 40), (48, 49), (160, 161), (641, 640)])
def test_any_size(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    for each in (picture, np.full_like(picture, 255), np.zeros_like(picture)):
        signs = signs_of(each)
        assert signs.shape == (len(SIGNS),)
        assert np.isfinite(signs).all()
        assert nature_of(each).kind in NATURES


def test_each_part_measures_what_it_names() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (96, 128, 3)).astype(np.uint8)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    assert len(plane_signs(grey, 0)) == len(plane_signs(grey, 32)) == len(PLANE_SIGNS)
    assert len(whole_signs(rgb, grey, 128)) == len(WHOLE_SIGNS)
    # Without anything to see the spectra are skipped; their signs must stand there all the same.
    for picture in (rgb, np.full_like(rgb, 9)):
        assert len(probe_signs(picture, picture[:, :, 0].copy(), 32)) == len(PROBE_SIGNS)


def test_too_small_to_tell() -> None:
    assert nature_of(np.zeros((31, 400), np.uint8)) == Nature("photograph", 0.5, "too small to tell")


def test_a_nature_says_why(photos: list[np.ndarray]) -> None:
    nature = nature_of(photos[0])
    assert nature.searchable
    assert 0.5 <= nature.confidence <= 1
    page = nature_of(graphic((300, 300), seed=1, kind="page", finish="digital"))
    assert not page.searchable
    assert page.reason
    assert page.reason != nature.reason


def test_what_is_no_picture_is_refused() -> None:
    for wrong in (np.zeros((64, 64), np.float32), np.zeros((64, 64, 4), np.uint8), np.zeros(64, np.uint8)):
        with pytest.raises(UsageError, match="uint8"):
            nature_of(wrong)


def test_the_judge_knows_these_signs() -> None:
    card = json.loads(PLACE.read_text(encoding="utf-8"))
    assert card["signs"] == list(SIGNS)
    assert PLACE.stat().st_size < 500_000


def test_a_large_scan_takes_little_memory() -> None:
    large = np.zeros((3000, 4000, 3), np.uint8)
    large[::7] = 200
    nature_of(large)
    tracemalloc.start()
    nature_of(large)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6


def test_kodak(shared_data: Path) -> None:
    paths = [path for path in sorted((shared_data / "dev/kodak24").glob("*")) if "_mask" not in path.name]
    kinds = kinds_of([cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in paths])
    assert len(kinds) == 24
    assert kinds.count("photograph") == len(kinds)
