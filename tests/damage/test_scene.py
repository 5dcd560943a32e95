"""Masks that come with a scene: QA bits, classes, gaps, and clouds by their colours."""

import numpy as np
import pytest

import remend
from remend.damage.given import effective_mask
from remend.errors import MaskError
from remend.picture import Channels, Container, Picture


def band(values, kind=np.uint16, **details) -> Picture:
    return Picture(np.asarray(values, kind)[..., None], "L", container=Container("tiff", details=details))


def test_landsats_bits() -> None:
    # Clear land, water, cloud, its dilation, cirrus, shadow, snow; values as the handbook lists them.
    row = [21824, 21952, 22280, 21826, 54596, 23888, 30048]
    found = effective_mask(band([row]), (1, 7), polarity="landsat-qa").mask
    assert found.tolist() == [[False, False, True, True, True, True, False]]


def test_gaps_amid_a_landsat_scene_are_holes_and_its_frame_is_none() -> None:
    quality = np.full((40, 60), 5440)
    for row in range(40):  # a turned scene in its frame
        quality[row, : row // 4 + 2] = 1
        quality[row, row // 4 + 44 :] = 1
    quality[10:13] = 1  # a gap from side to side
    found = effective_mask(band(quality), (40, 60), polarity="landsat-qa").mask
    assert found[11, 6:44].all()
    assert not found[:9].any()
    assert not found[14:].any()


def test_sentinels_classes() -> None:
    found = effective_mask(band([np.arange(12)], np.uint8), (1, 12), polarity="sentinel-scl").mask
    assert np.flatnonzero(found).tolist() == [1, 3, 8, 9, 10]
    with pytest.raises(MaskError, match="classes from 0 to 11"):
        effective_mask(band([[200]], np.uint8), (1, 1), polarity="sentinel-scl")


@pytest.mark.parametrize("polarity", ["landsat-qa", "sentinel-scl"])
def test_what_is_no_such_band_is_refused(polarity: str) -> None:
    picture = Picture(np.zeros((4, 4, 3), np.uint8), "RGB")
    with pytest.raises(MaskError, match="one band of whole numbers"):
        effective_mask(picture, (4, 4), polarity=polarity)


@pytest.mark.parametrize(("kind", "empty"), [(np.int16, -9999), (np.float32, np.nan), (np.float64, -3.4e38)])
def test_pixels_without_data_in_any_band(kind, empty) -> None:
    samples = np.ones((20, 20, 3), kind)
    samples[5, 3:9] = empty
    samples[8, 4, 1] = empty  # in one band alone
    details = {} if np.isnan(empty) else {"nodata": float(empty)}
    picture = Picture(samples, "RGB", container=Container("tiff", details=details))
    found = effective_mask(picture, (20, 20), polarity="nodata").mask
    assert np.argwhere(found).tolist() == [[5, x] for x in range(3, 9)] + [[8, 4]]


def scene_with_clouds() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    ground = 0.08 + 0.04 * rng.random((200, 220, 4)) + np.linspace(0, 0.1, 220)[:, None]
    y, x = np.mgrid[:200, :220]
    clouds = ((y - 60) ** 2 + (x - 60) ** 2 < 15**2) | ((y - 120) ** 2 + (x - 140) ** 2 < 22**2)
    shadows = np.roll(clouds, (25, 25), (0, 1)) & ~clouds
    ground[shadows] *= 0.3
    ground[clouds] = 0.7 + 0.02 * rng.random((int(clouds.sum()), 1))
    return ground, clouds, shadows


@pytest.mark.parametrize("kind", [np.uint16, np.int16, np.float32])
def test_clouds_and_their_shadows_by_colour(kind) -> None:
    ground, clouds, shadows = scene_with_clouds()
    samples = ground.astype(np.float32) if kind is np.float32 else np.rint(ground * 10_000).astype(kind)
    picture = Picture(samples, "L", channels=Channels.of("L", 4))
    found = effective_mask(picture, clouds.shape, polarity="clouds").mask
    assert found[clouds].all()
    assert found[shadows].mean() > 0.95
    assert found[~clouds & ~shadows].mean() < 0.02


def test_a_scene_without_clouds_has_none_and_grey_is_refused() -> None:
    ground, _, _ = scene_with_clouds()
    clear = Picture(np.rint(ground[:30] * 10_000).astype(np.uint16), "L", channels=Channels.of("L", 4))
    assert not effective_mask(clear, (30, 220), polarity="clouds").mask.any()
    with pytest.raises(MaskError, match="three bands"):
        effective_mask(band([[1]]), (1, 1), polarity="clouds")


def test_a_fill_is_never_the_value_for_no_data(tmp_path) -> None:
    tifffile = pytest.importorskip("tifffile")
    scene = np.zeros((40, 40), np.int16)  # whose fill is just that value
    scene[:, ::2] = 1
    scene[10:20] = -1
    path = tmp_path / "scene.tif"
    tifffile.imwrite(path, np.where(scene < 0, 0, scene), extratags=[(42113, 2, 2, "0", True)])
    hole = np.zeros((40, 40), bool)
    hole[10:20] = True
    out = remend.repair(str(path), hole, method="smooth", grain=0)
    assert (tifffile.imread(out)[hole] != 0).all()


def test_the_picture_itself_may_tell_its_gaps(tmp_path) -> None:
    tifffile = pytest.importorskip("tifffile")
    scene = np.add.outer(np.arange(40), np.arange(50)).astype(np.float64)
    scene[12:15, 5:45] = np.nan
    path = tmp_path / "scene.tif"
    tifffile.imwrite(path, scene)
    out = remend.repair(str(path), str(path), mask_polarity="nodata", method="smooth", grain=0)
    after = tifffile.imread(out)
    kept = ~np.isnan(scene)
    assert np.array_equal(after[kept], scene[kept])
    assert np.abs(after - np.add.outer(np.arange(40), np.arange(50))).max() < 0.5
    with pytest.raises(MaskError, match="the picture itself"):
        remend.repair(str(path), str(path), overwrite=True)
