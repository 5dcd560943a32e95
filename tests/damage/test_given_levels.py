"""Masks as label maps, paint programs and photo editors give them."""

import numpy as np
import pytest

import remend
from remend.damage.given import effective_mask
from remend.errors import MaskError
from remend.picture import Container, Picture


def grey(values, dtype=np.uint8, container=None) -> Picture:
    return Picture(np.asarray(values, dtype)[..., None], "L", container=container)


@pytest.mark.parametrize(
    ("dtype", "top"),
    [(np.uint8, 1), (np.uint8, 76), (np.uint8, 127), (np.uint16, 1), (np.uint16, 255), (np.float32, 0.3)],
)
def test_a_mask_of_two_levels_is_read_whatever_the_upper_one_is(dtype, top):
    mask = effective_mask(grey([[0, top, 0]], dtype), (1, 3))
    assert mask.mask.tolist() == [[False, True, False]]
    assert "largest value" in mask.notes[0]
    turned = effective_mask(grey([[0, top, 0]], dtype), (1, 3), polarity="black")
    assert turned.mask.tolist() == [[True, False, True]]


def test_several_dark_levels_are_refused_because_nobody_knows_what_they_mean():
    with pytest.raises(MaskError, match="largest value is 76 of 255"):
        effective_mask(grey([[0, 30, 76]]), (1, 3))
    with pytest.raises(MaskError, match="largest value is 2 of 255"):
        remend.repair(np.zeros((1, 3), np.uint8), np.array([[0, 1, 2]], np.uint8))


def test_a_palette_of_dark_colours_is_read_too():
    palette = np.array([[0, 0, 0, 255], [1, 1, 1, 255]], np.uint8)
    picture = Picture(np.array([[[0], [1]]], np.uint8), "P", palette=palette)
    assert effective_mask(picture, (1, 2)).mask.tolist() == [[False, True]]


def test_zero_and_one_in_python_repairs():
    image = np.random.default_rng(0).integers(0, 255, (30, 30), np.uint8)
    mask = np.zeros((30, 30), np.uint8)
    mask[10:14, 5:20] = 1
    after = remend.repair(image, mask, method="telea")
    assert (after[mask > 0] != image[mask > 0]).any()
    for kind in (np.int64, np.int32, np.float64, np.uint32):
        np.testing.assert_array_equal(remend.repair(image, mask.astype(kind), method="telea"), after)


def test_the_soft_edge_of_what_is_white_is_part_of_it():
    row = [0, 1, 60, 127, 200, 255, 90, 0, 0, 50, 0]
    found = effective_mask(grey([row]), (1, 11))
    assert found.mask.tolist() == [[False, *[True] * 6, False, False, False, False]]
    assert found.notes == (
        "4 pixels of the mask's soft edges are repaired too",
        "1 pixels of the mask are darker than half and not repaired",
    )
    turned = effective_mask(grey([[255 - value for value in row]]), (1, 11), polarity="black")
    np.testing.assert_array_equal(turned.mask, found.mask)


def test_the_rings_of_a_jpeg_are_no_soft_edge():
    row = [0, 3, 12, 60, 255, 12, 3, 0]
    found = effective_mask(grey([row], container=Container(format="jpeg")), (1, 8))
    assert np.flatnonzero(found.mask[0]).tolist() == [3, 4]


def test_measured_masks_keep_the_plain_threshold():
    assert effective_mask(grey([[0, 127, 128]]), (1, 3), soft=False).mask.tolist() == [[False, False, True]]


def test_opaque_can_be_the_hole():
    samples = np.zeros((1, 3, 4), np.uint8)
    samples[0, :, 3] = (0, 255, 0)
    picture = Picture(samples, "RGBA")
    assert effective_mask(picture, (1, 3), polarity="opaque").mask.tolist() == [[False, True, False]]
    assert effective_mask(picture, (1, 3), polarity="alpha").mask.tolist() == [[True, False, True]]


def test_what_is_drawn_in_transparency_alone_is_asked_about():
    samples = np.zeros((2, 3, 4), np.uint8)
    assert not effective_mask(Picture(samples, "RGBA"), (2, 3)).mask.any(), "an empty layer"
    samples[0, 1, 3] = 255
    with pytest.raises(MaskError, match="--mask-polarity alpha"):
        effective_mask(Picture(samples, "RGBA"), (2, 3))
    assert effective_mask(Picture(samples, "RGBA"), (2, 3), polarity="opaque").mask.sum() == 1


def test_a_mask_of_more_than_four_fifths_is_asked_about():
    image = np.random.default_rng(0).integers(0, 255, (20, 20), np.uint8)
    mask = np.full((20, 20), 255, np.uint8)
    mask[:3] = 0
    with pytest.raises(MaskError, match=r"marks 85 %.*--yes"):
        remend.repair(image, mask)
    assert (remend.repair(image, mask, method="telea", yes=True) != image).any()
    mask[3] = 0  # four fifths
    assert (remend.repair(image, mask, method="telea") != image).any()
    # An array of bool says what it means.
    assert (remend.repair(image, mask > 0, method="telea") != image).any()
