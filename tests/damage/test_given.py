import numpy as np
import pytest

from remend.damage.given import dilated, drawn_lines, effective_mask
from remend.errors import MaskError, UsageError
from remend.picture import Picture


def grey(values, dtype=np.uint8) -> Picture:
    return Picture(np.asarray(values, dtype)[..., None], "L")


@pytest.mark.parametrize(("dtype", "half"), [(np.uint8, 128), (np.uint16, 32768), (np.float32, 0.5)])
def test_white_starts_at_half_of_the_range(dtype, half):
    below = half - 1 if dtype is not np.float32 else 0.499
    mask = effective_mask(grey([[0, below, 0, half]], dtype), (1, 4)).mask
    assert mask.tolist() == [[False, False, False, True]]


def test_polarity_is_never_guessed_from_area():
    mostly_white = np.full((10, 10), 255)
    mostly_white[0, 0] = 0
    assert effective_mask(grey(mostly_white), (10, 10)).mask.sum() == 99
    assert effective_mask(grey(mostly_white), (10, 10), polarity="black").mask.sum() == 1


def test_alpha_polarity_means_transparent():
    samples = np.zeros((1, 2, 4), np.uint8)
    samples[0, 0, 3] = 255
    assert effective_mask(Picture(samples, "RGBA"), (1, 2), polarity="alpha").mask.tolist() == [[False, True]]
    with pytest.raises(MaskError, match="transparency"):
        effective_mask(grey([[0]]), (1, 1), polarity="alpha")


def test_palette_masks_are_read_through_their_palette():
    palette = np.array([[0, 0, 0, 255], [200, 200, 200, 255]], np.uint8)
    picture = Picture(np.array([[[0], [1]]], np.uint8), "P", palette=palette)
    assert effective_mask(picture, (1, 2)).mask.tolist() == [[False, True]]


def test_another_size_is_refused_unless_asked_for():
    with pytest.raises(MaskError, match=r"20×10.*40×20.*--resize-mask"):
        effective_mask(grey(np.zeros((10, 20))), (20, 40))
    effective = effective_mask(grey(np.full((10, 20), 255)), (20, 40), resize=True)
    assert effective.mask.all()
    assert effective.notes == ("mask resized from 20×10",)


def test_a_hairline_survives_shrinking():
    mask = np.zeros((100, 100))
    mask[:, 51] = 255
    assert effective_mask(grey(mask), (20, 20), resize=True).mask.sum() == 20


def test_dilation_is_a_disc_and_is_told():
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    grown = dilated(mask, 2)
    assert grown[4, 2]
    assert grown[2, 4]
    assert not grown[2, 2]
    assert dilated(mask, 0) is mask
    assert effective_mask(grey(mask * 255), (9, 9), dilate_px=2).notes == ("mask dilated by 2 px",)
    with pytest.raises(UsageError, match="0 px or more"):
        dilated(mask, -1)


def test_lines_are_what_is_white_in_a_drawing_of_the_pictures_size():
    assert drawn_lines(grey([[0, 127, 128, 255]]), (1, 4)).tolist() == [[False, False, True, True]]
    with pytest.raises(UsageError, match=r"the guide is 4×1 and the picture 8×2: .*--resize-mask"):
        drawn_lines(grey([[0, 127, 128, 255]]), (2, 8))


def test_what_is_see_through_is_no_line():
    white = np.full((1, 3, 4), 255, np.uint8)
    white[0, :, 3] = (0, 127, 128)
    assert drawn_lines(Picture(white, "RGBA"), (1, 3)).tolist() == [[False, False, True]]
    table = np.array([[0, 0, 0, 255], [255, 255, 255, 255], [255, 255, 255, 0]], np.uint8)
    indices = np.array([[[0], [1], [2]]], np.uint8)
    assert drawn_lines(Picture(indices, "P", palette=table), (1, 3)).tolist() == [[False, True, False]]


def test_lines_of_a_pixel_survive_a_smaller_size():
    drawing = np.zeros((90, 120))
    drawing[:, 31] = 255
    small = drawn_lines(grey(drawing), (30, 40), resize=True)
    assert small.any(axis=1).all()
    assert small.sum() == 30
    large = drawn_lines(grey(drawing), (180, 240), resize=True)
    assert large.any(axis=1).all()
