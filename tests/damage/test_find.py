"""``find_damage``: what it finds on made pictures, what it leaves alone, what it refuses."""

import cv2
import numpy as np
import pytest
from skimage import data

from made_damage import worn
from remend.damage.find import DAMAGE, _spare, analyse, find_damage
from remend.damage.synth import damage_picture
from remend.damage.synth.graphics import graphic
from remend.errors import UsageError
from remend.kinds import seen_kinds
from remend.picture import Box, Region


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


def near(mask):
    return cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


@pytest.mark.parametrize(
    ("name", "value", "recall"), [("astronaut", 250, 0.6), ("coffee", 250, 0.4), ("coffee", 5, 0.4)]
)
def test_strokes_over_a_photograph_are_found_and_little_else(name, value, recall):
    picture, truth = worn(name, value)
    found = mask_of(find_damage(picture), truth.shape)
    assert (truth & near(found)).sum() > recall * truth.sum()
    assert (found & near(truth)).sum() > 0.6 * found.sum()


def test_a_soft_scene_with_a_step_has_no_damage():
    assert not find_damage(soft_scene())


def test_grey_and_colour_agree():
    grey_one = cv2.cvtColor(worn()[0], cv2.COLOR_RGB2GRAY)
    picture = np.repeat(grey_one[..., None], 3, axis=2)
    grey, colour = (find_damage(view) for view in (grey_one, picture))
    assert grey and np.array_equal(mask_of(grey, picture.shape[:2]), mask_of(colour, picture.shape[:2]))


def test_more_sensitive_finds_no_less():
    picture, _ = damage_picture(data.astronaut()[:256, :256], "dust", seed=4)
    areas = [mask_of(find_damage(picture, sensitivity=s), (256, 256)).sum() for s in (0, 0.5, 1)]
    assert areas[0] <= areas[1] <= areas[2] and areas[0] < areas[2]


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
def test_clean_photographs_stay_nearly_clean(name):
    picture = np.ascontiguousarray(getattr(data, name)()[..., :3])
    assert mask_of(find_damage(picture), picture.shape[:2]).mean() < 0.012


def test_cracks_are_found():
    clean = np.ascontiguousarray(data.coffee()[:300, :384])
    picture, truth = damage_picture(clean, "cracks", seed=1)
    found = mask_of(find_damage(picture), truth.shape)
    assert (truth & near(found)).sum() > 0.7 * truth.sum()
    assert (found & near(truth)).sum() > 0.6 * found.sum()


def test_the_kinds_that_are_wanted_alone_come():
    picture, _ = worn()
    assert {region.kind for region in find_damage(picture, kinds=["dust"])} <= {"dust"}
    assert not find_damage(picture, kinds=["text"])


def test_what_is_no_photograph_is_left_alone_unless_forced():
    page = graphic((320, 320), seed=3, kind="page")
    analysis = analyse(page)
    assert analysis.nature == "document" and not analysis.regions and "--force" in analysis.notes[0]
    assert "--force" not in "".join(analyse(page, force=True).notes)


def test_lettering_is_no_evidence_of_damage():
    planes = np.full((6, 50, 60), 200, np.uint8)
    row = Region(Box(20, 24, 30, 96), np.ones((10, 72), bool), "text", 0.9)
    _spare(planes, [row], (100, 120))
    assert (planes[DAMAGE, 10:15, 12:48] == 0).all()
    assert (planes[DAMAGE, 25:] == 200).all()
    assert (planes[DAMAGE.stop :] == 200).all()


def test_every_region_keeps_the_contract():
    picture, _ = damage_picture(data.astronaut()[:256, :256], "scratches", seed=1)
    for region in find_damage(picture, sensitivity=0.8):
        assert region.mask.any() and region.kind in seen_kinds() and 0 < region.confidence <= 1
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


def test_who_asks_for_text_and_gets_none_is_told_of_a_better_reader(monkeypatch):
    monkeypatch.setattr("remend.damage.find.reads_well", lambda: False)
    picture = worn()[0]
    assert "rapidocr" in "".join(analyse(picture, kinds=["text"]).notes)
    for kinds in (None, seen_kinds()):
        assert "rapidocr" not in "".join(analyse(picture, kinds=kinds).notes)
    monkeypatch.setattr("remend.damage.find.reads_well", lambda: True)
    assert not analyse(picture, kinds=["text"]).notes
