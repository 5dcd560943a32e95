import cv2
import numpy as np
import pytest
from skimage import data

from remend.damage.rules.blank import blank_areas
from remend.damage.synth import damage_picture


def found(image: np.ndarray) -> np.ndarray:
    mask = np.zeros(image.shape[:2], bool)
    for region in blank_areas(image):
        assert region.kind == "hole"
        mask[region.box.slices] |= region.mask
    return mask


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_photographs_have_no_blank_areas(name):
    assert not found(getattr(data, name)()).any()


@pytest.mark.parametrize("colour", [(0, 0, 0), (128, 128, 128), (255, 255, 255), (0, 255, 0)])
def test_lost_blocks_are_found_to_the_pixel(colour):
    image = data.chelsea()
    truth = np.zeros(image.shape[:2], bool)
    truth[48:80, 96:160] = truth[200:216, 300:332] = truth[0:32, 160:224] = True
    image[truth] = colour
    assert (found(image) == truth).mean() > 0.999


# Coded again as JPEG, the colour of what is beside them bleeds in, and most are no longer of one colour.
@pytest.mark.parametrize(("coded", "least"), [(False, 0.5), (True, 0.1)])
def test_of_generated_blocks_many_are_found_and_nothing_else(coded, least):
    hit = wrong = wanted = 0
    for seed in range(8):
        damaged, truth = damage_picture(data.coffee(), "blocks", seed=seed)
        if coded:
            packed = cv2.imencode(".jpg", damaged, [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
            damaged = cv2.imdecode(packed, cv2.IMREAD_COLOR).astype(np.uint8)
        mask = found(damaged)
        hit, wrong, wanted = hit + (mask & truth).sum(), wrong + (mask & ~truth).sum(), wanted + truth.sum()
    assert hit > least * wanted
    assert wrong < 0.03 * wanted


def test_the_corners_of_a_turned_scan():
    image = data.chelsea()
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 6, 1)
    turned = cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_NEAREST)
    empty = (
        cv2.warpAffine(np.ones((height, width), np.uint8), turn, (width, height), flags=cv2.INTER_NEAREST)
        == 0
    )
    mask = found(turned)
    assert (mask & empty).sum() > 0.8 * empty.sum()
    assert (mask & ~empty).sum() < 0.05 * empty.sum()


def test_frames_burnt_out_skies_and_drawings_are_none():
    framed = cv2.copyMakeBorder(data.chelsea(), 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    assert not found(framed).any()
    sky = data.coffee().astype(np.int16)
    sky[:150] += np.linspace(400, 0, 150).astype(np.int16)[:, None, None]
    assert not found(np.clip(sky, 0, 255).astype(np.uint8)).any()
    drawing = np.full((200, 300, 3), 255, np.uint8)
    cv2.rectangle(drawing, (40, 40), (160, 120), (200, 30, 30), -1)
    assert not found(drawing).any()
