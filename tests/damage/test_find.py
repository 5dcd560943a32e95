"""``find_damage``: what it finds on made pictures, what it leaves alone, what it refuses."""

import numpy as np
import pytest
from skimage import data

from remend.damage.find import find_damage
from remend.damage.kinds import FOUND_KINDS
from remend.damage.synth import damage_picture
from remend.errors import UsageError


def mask_of(regions, shape):
    mask = np.zeros(shape, bool)
    for region in regions:
        mask[region.box.slices] |= region.mask
    return mask


def soft_scene(height=256, width=320, seed=0):
    """Smooth shades with a hard edge and a little grain: nothing in it is thin."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    scene = 90 + 40 * np.sin(x / 60) + 30 * np.cos(y / 45) + 60 * (x + 0.3 * y > 200)
    return (
        np.clip(scene[..., None] + rng.normal(0, 2, (height, width, 1)), 0, 255).astype(np.uint8).repeat(3, 2)
    )


def scratched(scene, value=250):
    """A bent line, 2 px wide, from top to bottom, and where it is."""
    picture, truth = scene.copy(), np.zeros(scene.shape[:2], bool)
    rows = np.arange(20, scene.shape[0] - 20)
    columns = np.rint(60 + 0.2 * rows + 8 * np.sin(rows / 50)).astype(int)
    for shift in (0, 1):
        truth[rows, columns + shift] = True
    picture[truth] = value
    return picture, truth


@pytest.mark.parametrize("value", [250, 2])
def test_a_scratch_is_found_whole_and_as_wide_as_it_is(value):
    picture, truth = scratched(soft_scene(), value)
    regions = find_damage(picture, kinds=["scratch"])
    found = mask_of(regions, truth.shape)
    assert (found & truth).sum() > 0.9 * truth.sum()
    assert (found & ~truth).sum() < 0.35 * truth.sum()
    assert max(region.confidence for region in regions) > 0.8


def test_a_soft_scene_with_a_step_has_no_damage():
    assert not find_damage(soft_scene())


def test_grey_and_colour_agree():
    picture, _ = scratched(soft_scene())
    grey, colour = (find_damage(view) for view in (picture[..., 0], picture))
    assert np.array_equal(mask_of(grey, picture.shape[:2]), mask_of(colour, picture.shape[:2]))


def test_more_sensitive_finds_no_less():
    picture, _ = damage_picture(data.astronaut()[:256, :256], "scratches", seed=4)
    areas = [mask_of(find_damage(picture, sensitivity=s), (256, 256)).sum() for s in (0, 0.5, 1)]
    assert areas[0] <= areas[1] <= areas[2] and areas[0] < areas[2]


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
def test_clean_photographs_stay_nearly_clean(name):
    picture = np.ascontiguousarray(getattr(data, name)()[..., :3])
    assert mask_of(find_damage(picture), picture.shape[:2]).mean() < 0.012


def test_generated_scratches_are_found_and_little_else():
    hits = found_px = truth_px = 0
    for name in ("astronaut", "coffee"):
        clean = np.ascontiguousarray(getattr(data, name)()[:384, :384])
        for seed in range(3):
            picture, truth = damage_picture(clean, "scratches", seed=seed)
            found = mask_of(find_damage(picture), truth.shape)
            hits += (found & truth).sum()
            found_px += found.sum()
            truth_px += truth.sum()
    assert hits > 0.5 * found_px and hits > 0.28 * truth_px


def test_specks_are_found_as_dust():
    picture, truth = soft_scene(), np.zeros((256, 320), bool)
    rng = np.random.default_rng(3)
    for y, x in rng.integers(12, 240, (12, 2)):
        truth[y : y + 3, x : x + 3] = True
    picture[truth] = 250
    found = find_damage(picture, kinds=["dust"])
    assert {region.kind for region in found} == {"dust"}
    assert (mask_of(found, truth.shape) & truth).sum() > 0.7 * truth.sum()


def test_tiles_leave_no_seam(monkeypatch):
    picture, truth = scratched(soft_scene(300, 420))
    monkeypatch.setattr("remend.damage.find.TILE_PX", 160)
    found = mask_of(find_damage(picture, kinds=["scratch"]), truth.shape)
    assert (found & truth).sum() > 0.9 * truth.sum()


def test_every_region_keeps_the_contract():
    picture, _ = damage_picture(data.astronaut()[:256, :256], "scratches", seed=1)
    for region in find_damage(picture, sensitivity=0.8):
        assert region.mask.any() and region.kind in FOUND_KINDS and 0 < region.confidence <= 1
        assert (
            0 <= region.box.top < region.box.bottom <= 256 and 0 <= region.box.left < region.box.right <= 256
        )


def test_same_picture_same_regions():
    picture, _ = damage_picture(data.astronaut()[:200, :200], "dust", seed=1)
    first, second = find_damage(picture), find_damage(picture)
    assert [(r.box, r.kind, r.confidence) for r in first] == [(r.box, r.kind, r.confidence) for r in second]


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 2), (17, 17, 3)])
def test_tiny_and_thin_pictures(shape):
    assert find_damage(np.full(shape, 128, np.uint8)) == []



@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.zeros((8, 8), np.float32), {}, "uint8"),
        (np.zeros((8, 8, 4), np.uint8), {}, r"\(H, W, 3\)"),
        (np.zeros((8, 8), np.uint8), {"sensitivity": 2}, "between 0 and 1"),
        (np.zeros((8, 8), np.uint8), {"kinds": ["fog"]}, "cannot be found"),
    ],
)
def test_what_cannot_be_meant_is_refused(image, options, message):
    with pytest.raises(UsageError, match=message):
        find_damage(image, **options)
