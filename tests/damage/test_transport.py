"""Straight scratches from side to side, and lines that belong to the scene or to its frame."""

import numpy as np
import pytest
from skimage import data

from remend.damage.transport import transport_scratches


def lined(level, *, at=200, wave=0.0, level_of="astronaut"):
    """A photograph with a line 2 px wide from top to bottom, and the line's left column in each row."""
    picture = np.ascontiguousarray(getattr(data, level_of)()[..., :3]).astype(int)
    columns = at + np.rint(wave * np.sin(np.arange(len(picture)) / 40)).astype(int)
    for shift in (0, 1):
        picture[np.arange(len(picture)), columns + shift] += level
    return np.clip(picture, 0, 255).astype(np.uint8), columns


@pytest.mark.parametrize(("level", "wave"), [(60, 0), (-60, 0), (60, 3)])
def test_a_line_is_found_whole_upright_and_level(level, wave):
    picture, columns = lined(level, wave=wave)
    for turned in (False, True):
        seen = picture.transpose(1, 0, 2) if turned else picture
        (region,) = transport_scratches(np.ascontiguousarray(seen))
        mask = np.zeros(seen.shape[:2], bool)
        mask[region.box.slices] = region.mask
        mask = mask.T if turned else mask
        hit = [mask[y, x - 1 : x + 3].any() for y, x in enumerate(columns)]
        assert np.mean(hit) > 0.95 and region.kind == "scratch" and mask.mean() < 0.02


def test_the_edge_of_a_frame_is_no_scratch_even_where_a_way_leads_away_from_it():
    picture, _ = lined(60, at=505)
    assert not transport_scratches(picture)
    bent = np.ascontiguousarray(data.astronaut()).astype(int)
    columns = np.where(np.arange(512) < 440, 503, 498)
    bent[np.arange(512), columns] += 80
    assert not transport_scratches(np.clip(bent, 0, 255).astype(np.uint8))


def test_many_at_once_are_a_curtain():
    picture = np.ascontiguousarray(data.astronaut()).astype(int)
    for x in range(20, 500, 24):
        picture[:, x : x + 2] += 60
    assert not transport_scratches(np.clip(picture, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("shape", [(1, 1), (40, 300), (300, 40), (97, 97, 3)])
def test_small_and_flat_pictures_have_none(shape):
    assert transport_scratches(np.full(shape, 90, np.uint8)) == []
