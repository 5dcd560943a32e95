"""Pictures whose left and right border meet: a hole there is one hole, with what is known on both sides."""

import numpy as np
import pytest

import remend
from remend.options import Settings
from remend.picture import Box, Picture, keep_part, part
from remend.pipeline import repair_picture
from remend.plan.holes import clusters
from remend.windows import tiles as tiling
from remend.windows.mosaic import cut

SIZE = (128, 230)  # no multiple of cells or tiles


def panorama(size=SIZE):
    """Colours that go round without a step."""
    y, x = np.mgrid[: size[0], : size[1]]
    turn = 2 * np.pi * x / size[1]
    planes = [120 + 60 * np.cos(turn) + y / 4, 120 + 60 * np.sin(turn), 100 + 40 * np.cos(2 * turn + y / 30)]
    return Picture(np.rint(np.stack(planes, axis=2)).astype(np.uint8), "RGB", projection="equirect")


def across(*boxes, size=SIZE):
    mask = np.zeros(size, bool)
    for top, left, bottom, right in boxes:
        mask[np.ix_(np.arange(top, bottom), np.arange(left, right) % size[1])] = True
    return mask


def rolled(picture, by):
    return Picture(np.roll(picture.samples, by, axis=1), picture.mode, projection=picture.projection)


def mended(picture, mask, **settings):
    copy = Picture(picture.samples.copy(), picture.mode, projection=picture.projection)
    return repair_picture(
        copy, mask, Settings(**({"quality": "fast", "grain": 0.0} | settings))
    ).picture.samples


# Windows


def test_a_box_over_the_border_shows_both_sides_and_writes_to_both():
    plane = np.arange(20).reshape(2, 10)
    box = Box(0, 8, 1, 12)
    window = part(plane, box)
    assert window.tolist() == [[8, 9, 0, 1]]
    keep_part(plane, box, -window)
    assert plane[0].tolist() == [0, -1, 2, 3, 4, 5, 6, 7, -8, -9]
    assert part(plane, Box(0, -1, 1, 2)).tolist() == [[-9, 0, -1]]


def test_a_box_grows_over_the_border_until_it_is_as_wide_as_the_picture():
    box = Box(3, 90, 6, 98)
    assert box.grown(5, (50, 100)) == Box(0, 85, 11, 100)
    assert box.grown(5, (50, 100), wraps_x=True) == Box(0, 85, 11, 103)
    wide = box.grown(80, (50, 100), wraps_x=True)
    assert wide.width == 100
    assert wide.left <= 90
    assert wide.right >= 98


@pytest.mark.parametrize(
    "boxes",
    [
        [(40, 220, 60, 240)],  # over the border
        [(40, 225, 60, 230), (55, 230, 62, 236)],  # two that touch there
        [(10, 100, 20, 130), (40, 228, 50, 233), (90, 3, 99, 9)],
        [(30, 20 * k, 36, 20 * k + 12) for k in range(12)],  # all round, none of them large
    ],
)
def test_each_hole_is_found_once_and_whole(boxes):
    mask = across(*boxes)
    turned = np.roll(mask, 75, axis=1)  # there they lie amid the picture
    flat = sorted(int(n) for c in clusters(turned) for n in np.bincount(c.labels.ravel())[1:])
    seen = np.zeros(SIZE, int)
    areas = []
    for cluster in clusters(mask, wraps_x=True):
        for label in range(1, len(cluster.boxes)):
            box = cluster.boxes[label]
            hole = cluster.part(box, [label])
            assert hole.any(axis=0).all()  # the box is no wider than the hole
            areas.append(int(hole.sum()))
            keep_part(seen, box, part(seen, box) + hole)
    assert (seen == mask).all()
    assert sorted(areas) == flat


def test_the_radius_of_a_hole_over_the_border_is_its_own():
    mask = across((40, 210, 80, 250))
    (cluster,) = clusters(mask, wraps_x=True)
    assert cluster.radius_px[1] == pytest.approx(20, abs=0.5)
    assert max(c.radius_px[1] for c in clusters(mask)) == pytest.approx(20, abs=0.5)  # half known each
    ring = across((40, 0, 80, 230))
    (cluster,) = clusters(ring, wraps_x=True)
    assert cluster.radius_px[1:].tolist() == pytest.approx([20, 20], abs=0.5)
    assert len(cluster.boxes) == 3  # halves


# Repairs


class Seeing:
    """Notes what it may read."""

    name = "seeing"

    def __init__(self, **can):
        self.capabilities = remend.Capabilities(**({"context_px": 12} | can))
        self.calls = []

    def fill(self, window, hole, *, usable, prior=None, seed=0):
        self.calls.append((window.copy(), hole.copy(), usable.copy()))
        return remend.Filled(np.where(hole[..., None], np.float32(0.5), window))


def test_a_hole_over_the_border_is_one_window_with_context_on_both_sides():
    filler = Seeing()
    mended(panorama(), across((40, 220, 60, 240)), method=filler)
    ((window, hole, usable),) = filler.calls
    assert hole.sum() == 20 * 20
    assert usable[:, :8].any()
    assert usable[:, -8:].any()
    whole = panorama().samples
    wanted = np.concatenate([whole[:, 208:], whole[:, :22]], axis=1)[28:72] / np.float32(255)
    assert np.abs(window - wanted)[usable].max() < 1e-6


def test_a_picture_that_does_not_wrap_is_cut_at_its_border():
    filler = Seeing()
    flat = Picture(panorama().samples, "RGB")
    repair_picture(flat, across((40, 220, 60, 240)), Settings(method=filler))
    assert len(filler.calls) == 2


def test_tiles_at_the_border_see_the_other_side():
    picture, mask = panorama(), across((50, 200, 52, 260))
    (cluster,) = clusters(mask, wraps_x=True)
    grid = tiling.grid_of(cluster.box)
    (tiles,) = tiling.tiles_of(cluster.part(grid, [1]), grid, margin_px=8, mosaic_px=None)
    mosaic = cut(picture, mask, tiles)
    assert mosaic.hole.sum() == mask.sum()
    for k, (top, left) in enumerate(mosaic.cells):
        x = int(tiles.corners[k, 1]) + 10
        shown = mosaic.picture.samples[top + 20, left + 10 + 10]  # guard 2 and margin 8
        assert (shown == picture.samples[mosaic.rows[k, 20], x % SIZE[1]]).all()


@pytest.mark.parametrize(
    "boxes",
    [
        [(40, 218, 66, 244)],
        [(50, 150, 52, 330)],  # a scratch
        [(60, 0, 62, 230), (20, 215, 40, 236)],
    ],
)
@pytest.mark.parametrize("quality", ["fast", "balanced"])
def test_nothing_shows_where_the_file_begins(boxes, quality):
    picture, mask = panorama(), across(*boxes)
    done = mended(picture, mask, quality=quality)
    assert (done[~mask] == picture.samples[~mask]).all()
    # Turned by half it is the same repair.
    turned = mended(rolled(picture, 115), np.roll(mask, 115, axis=1), quality=quality)
    gap = np.abs(np.roll(turned, -115, axis=1).astype(int) - done)
    assert gap[mask].mean() < 1
    step = np.abs(done[:, 0].astype(int) - done[:, -1])[mask[:, 0]]
    assert step.mean() < np.abs(np.diff(picture.samples.astype(int), axis=1)).mean() + 1


def test_a_hole_that_goes_all_round_has_no_end():
    """It is filled in two halves; neither where they meet nor where the file begins is there a step."""
    picture, mask = panorama(), across((40, 0, 70, 230))
    done = mended(picture, mask).astype(int)
    steps = np.abs(done - np.roll(done, 1, axis=1))[mask].reshape(30, 230, 3).mean(axis=(0, 2))
    assert max(steps[0], steps[115]) < 1.1 * np.abs(np.diff(picture.samples.astype(int), axis=1)).mean() + 1


def test_a_thin_hole_is_filled_as_amid_the_picture():
    picture, mask = panorama(), across((50, 200, 53, 260))
    done = mended(picture, mask, method="smooth")
    assert np.abs(done.astype(int) - picture.samples)[mask].max() <= 2


def test_a_palette_wraps_too():
    from PIL import Image

    palette = Image.fromarray(panorama().samples).quantize(64)
    table = np.array(palette.getpalette(), np.uint8).reshape(-1, 3)[:64]
    entries = np.concatenate([table, np.full((64, 1), 255, np.uint8)], axis=1)
    picture = Picture(np.asarray(palette)[..., None].copy(), "P", entries, projection="equirect")
    filler = Seeing()
    repair_picture(picture, across((40, 220, 60, 240)), Settings(method=filler))
    assert len(filler.calls) == 1


def test_it_is_the_repair_of_a_flat_picture_in_which_the_hole_lies_amid():
    picture, mask = panorama(), across((40, 220, 60, 240))
    turned = Picture(np.roll(picture.samples, 115, axis=1), "RGB")
    alone = repair_picture(turned, np.roll(mask, 115, axis=1), Settings(grain=1.0)).picture.samples
    assert (np.roll(mended(picture, mask, quality="balanced", grain=1.0), 115, axis=1) == alone).all()
