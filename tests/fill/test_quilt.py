import cv2
import numpy as np
import pytest

from remend.errors import UsageError
from remend.fill.filler import Filler
from remend.fill.piece_search import Sources
from remend.fill.quilt import Quilt
from remend.fill.seam_blending import blended, seams


def stones(height=160, width=160, seed=0):
    """Blurred squares of random shades: a texture of 6 px."""
    rng = np.random.default_rng(seed)
    shades = rng.random((-(-height // 6), -(-width // 6), 3)).astype(np.float32)
    image = np.kron(shades, np.ones((6, 6, 1), np.float32))[:height, :width]
    return cv2.GaussianBlur(image, (0, 0), 0.7)


def disc(shape, radius=24):
    y, x = np.ogrid[: shape[0], : shape[1]]
    return (y - shape[0] // 2) ** 2 + (x - shape[1] // 2) ** 2 <= radius**2


def lost(image, hole):
    return np.where(hole[..., None], np.float32(np.nan), image)


def test_keeps_the_contract():
    assert isinstance(Quilt(), Filler)
    assert Quilt().name == "quilt"
    assert Quilt().capabilities.makes_texture


@pytest.mark.parametrize("wrong", [{"piece_px": 4}, {"tolerance": -1}, {"screen_px": 0}])
def test_parameters_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(UsageError, match="a quilt wants"):
        Quilt(**wrong)


def test_the_texture_goes_on_with_all_its_contrast():
    image = stones()
    hole = disc(image.shape)
    filled = Quilt(piece_px=32).fill(lost(image, hole), hole, usable=~hole).pixels
    assert 0.85 < filled[hole].std() / image[~hole].std() < 1.15
    error = image[~hole].std() / (hole.sum() / 36) ** 0.5  # of the mean of so many stones
    assert np.abs(filled[hole].mean(axis=0) - image[~hole].mean(axis=0)).max() < 3 * error


def test_stripes_meet_at_the_rim():
    x = np.arange(160, dtype=np.float32)
    row = 0.5 + 0.35 * np.sign(np.sin(2 * np.pi * (x + 0.5) / 12))
    image = np.broadcast_to(row[None, :, None], (160, 160, 3)).astype(np.float32)
    hole = disc(image.shape)
    filled = Quilt(piece_px=32).fill(lost(image, hole), hole, usable=~hole).pixels
    assert np.abs(filled - image)[hole].mean() < 0.01


def test_most_of_it_lies_in_large_pieces_and_comes_from_where_it_says():
    image = stones()
    hole = disc(image.shape)
    filled = Quilt(piece_px=32, screen_px=1.0).fill(lost(image, hole), hole, usable=~hole)
    x, y = filled.source_xy[hole].T
    assert not hole[y, x].any()
    assert (filled.source_xy[~hole] == -1).all()
    assert np.abs(filled.pixels[hole] - image[y, x]).mean() < 0.03
    whole = cv2.erode(hole.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
    right = np.roll(filled.source_xy, -1, axis=1) - filled.source_xy
    assert (right[whole] == [1, 0]).all(axis=1).mean() > 0.85


def test_what_may_not_be_read_is_not_read():
    image = stones()
    hole = disc(image.shape)
    usable = ~hole
    usable[:30] = False
    usable[70:90, 110:114] = False
    blank = np.where(usable[..., None], image, np.float32(np.nan))
    filled = Quilt(piece_px=32).fill(blank, hole, usable=usable)
    assert np.isfinite(filled.pixels[hole]).all()
    x, y = filled.source_xy[hole].T
    assert usable[y, x].all()
    other = np.where(usable[..., None], image, np.float32(7))
    np.testing.assert_array_equal(
        Quilt(piece_px=32).fill(other, hole, usable=usable).pixels[hole], filled.pixels[hole]
    )


def test_a_seed_is_an_answer():
    image = stones()
    hole = disc(image.shape)
    first, again, other = (
        Quilt().fill(lost(image, hole), hole, usable=~hole, seed=s).pixels for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("side", ["left", "corner", "thin", "most"])
def test_holes_of_every_place_and_size(side):
    image = stones(96, 120)
    hole = np.zeros(image.shape[:2], bool)
    if side == "left":
        hole[:, :30] = True
    elif side == "corner":
        hole[70:, 90:] = True
    elif side == "thin":
        hole[40:42, 10:100] = True
    else:
        hole[8:, 10:] = True
    filled = Quilt().fill(lost(image, hole), hole, usable=~hole)
    assert np.isfinite(filled.pixels[hole]).all()
    assert (filled.source_xy[hole] >= 0).all()


def test_where_no_piece_is_known_it_is_smooth():
    image = np.full((20, 20, 3), 0.4, np.float32)
    hole = np.ones((20, 20), bool)
    hole[::5] = False
    filled = Quilt().fill(lost(image, hole), hole, usable=~hole)
    assert filled.source_xy is None
    np.testing.assert_allclose(filled.pixels[hole], 0.4, atol=1e-3)
    prior = image + np.float32(0.1)
    assert Quilt().fill(image, hole, usable=~hole, prior=prior).pixels is prior


def test_the_nearest_place_is_that_of_an_exhaustive_search():
    image = stones(60, 70)
    usable = np.ones(image.shape[:2], bool)
    usable[20:26, 30:40] = False
    known = np.where(usable[..., None], image, np.float32(0))
    rng = np.random.default_rng(3)
    piece, weight = rng.random((12, 12, 3)).astype(np.float32), rng.random((12, 12)).astype(np.float32)
    found = Sources.of(known, usable).nearest(
        piece, weight, np.zeros(usable.shape, np.float32), tolerance=0, rng=rng
    )
    costs = {
        (y, x): (np.square(image[y : y + 12, x : x + 12] - piece).sum(axis=2) * weight).sum()
        for y in range(49)
        for x in range(59)
        if usable[y : y + 12, x : x + 12].all()
    }
    assert found == min(costs, key=costs.get)


def test_what_has_been_copied_costs_more():
    image = np.tile(stones(24, 24), (1, 3, 1))
    usable = np.ones(image.shape[:2], bool)
    used = np.zeros(usable.shape, np.float32)
    sources = Sources.of(image, usable)
    piece, weight = image[:16, :16] + np.float32(0.1), np.ones((16, 16), np.float32)
    taken = set()
    for _ in range(3):
        y, x = sources.nearest(piece, weight, used, tolerance=0.001, rng=np.random.default_rng(0))
        used[y : y + 16, x : x + 16] = 1
        taken.add((y, x))
    assert taken == {(0, 0), (0, 24), (0, 48)}


def test_a_step_between_two_pieces_is_spread_out():
    image = np.full((40, 80, 3), 0.3, np.float32)
    image[:, 35:] = 0.6
    hole = np.zeros((40, 80), bool)
    hole[10:30, 10:30] = True
    usable = ~hole
    field = np.arange(hole.size, dtype=np.int32).reshape(hole.shape)
    field[hole] += 30  # copied from the lighter side
    gaps = [gap for _, _, gap in seams(image, usable, field, usable | hole, hole)]
    assert max(float(np.abs(gap).max()) for gap in gaps) == pytest.approx(0.3, abs=1e-4)
    done = blended(image, hole, usable, field, screen_px=6.0)
    assert abs(done.pixels[10, 20, 0] - 0.3) < 0.05
    assert done.pixels[20, 20, 0] > done.pixels[10, 20, 0]
    np.testing.assert_array_equal(done.pixels[~hole], image[~hole])
    far = blended(image, hole, usable, field, screen_px=50.0)
    assert np.abs(far.pixels[hole] - 0.3).max() < 0.05


def test_what_stands_out_is_not_copied():
    image = np.tile(0.3 + 0.3 * stones(12, 12), (14, 14, 1))[:160, :160]
    for y, x in ((20, 60), (70, 20), (130, 90)):
        image[y : y + 10, x : x + 10] = (1, 0, 0)
    hole = disc(image.shape)
    for seed in range(4):
        filled = Quilt(piece_px=32).fill(lost(image, hole), hole, usable=~hole, seed=seed).pixels
        red = filled[..., 0] - filled[..., 1]
        assert red[hole].max() < 0.6


def test_where_much_stands_out_it_is_the_texture():
    image = stones()
    image[::20] = image[1::20] = 1
    usable = np.ones(image.shape[:2], bool)
    assert Sources.of(image, usable).places(24).all()
