import numpy as np

from remend.options import Settings
from remend.picture import Picture
from remend.pipeline import repair_picture
from remend.windows.mosaic import cut, mirrored
from remend.windows.tiles import Tiles

SIDE = 8


def tiles_of(mask: np.ndarray) -> Tiles:
    down, across = -(-mask.shape[0] // SIDE), -(-mask.shape[1] // SIDE)
    padded = np.zeros((down * SIDE, across * SIDE), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    blocks = padded.reshape(down, SIDE, across, SIDE).transpose(0, 2, 1, 3)
    places = np.argwhere(blocks.any(axis=(2, 3)))
    return Tiles(places * SIDE, blocks[places[:, 0], places[:, 1]], SIDE, 3)


def picture_and_mask() -> tuple[Picture, np.ndarray]:
    rng = np.random.default_rng(0)
    samples = rng.integers(0, 255, (29, 43, 3), dtype=np.uint8)
    return Picture(samples, "RGB"), rng.random((29, 43)) < 0.06


def test_what_is_cut_is_the_picture_and_goes_back_where_it_was():
    picture, mask = picture_and_mask()
    mosaic = cut(picture, mask, tiles_of(mask))
    assert np.count_nonzero(mosaic.hole) == np.count_nonzero(mask)
    for k, (top, left) in enumerate(mosaic.cells):
        size = mosaic.rows.shape[1]
        cell = mosaic.picture.samples[top : top + size, left : left + size]
        np.testing.assert_array_equal(cell, picture.samples[np.ix_(mosaic.rows[k], mosaic.columns[k])])
    before = picture.samples.copy()
    mosaic.picture.samples[mosaic.hole] = 77
    mosaic.picture.samples[~mosaic.hole] = 5
    pending = mask.copy()
    mosaic.paste(picture, pending)
    assert not pending.any()
    assert (picture.samples[mask] == 77).all()
    np.testing.assert_array_equal(picture.samples[~mask], before[~mask])


def test_borders_are_mirrored_as_often_as_needed():
    assert mirrored(np.arange(-3, 6), 2).tolist() == [
        np.pad([0, 1], 9, mode="symmetric")[k + 9] for k in range(-3, 6)
    ]


def test_tiles_and_one_window_agree():
    """A thin hole cut into tiles is filled as if it had been filled whole."""
    y, x = np.mgrid[:120, :150]
    samples = np.stack([100 + 60 * np.sin(x / 23), 90 + y / 2, 128 + 40 * np.cos((x + y) / 31)], axis=2)
    mask = np.zeros((120, 150), bool)
    for column in range(5, 145):
        mask[20 + column // 2 : 24 + column // 2, column] = True
    tiled = repair_picture(
        Picture(samples.astype(np.float32), "RGB"), mask, Settings(method="smooth", grain=0)
    )
    assert all(step.tiles is not None for step in tiled.plan.steps)
    from remend.fill.biharmonic import smooth

    window = (samples / 255).astype(np.float32)
    whole = smooth().fill(window, mask, usable=~mask).pixels * 255
    assert np.abs(tiled.picture.samples - whole)[mask].max() < 1.0


def test_the_number_of_threads_changes_nothing():
    import cv2

    rng = np.random.default_rng(1)
    samples = cv2.GaussianBlur(rng.integers(0, 255, (400, 500, 3), dtype=np.uint8), (0, 0), 2)
    mask = rng.random((400, 500)) < 0.02
    outputs = []
    before = cv2.getNumThreads()
    for threads in (1, 3):
        cv2.setNumThreads(threads)
        outputs.append(repair_picture(Picture(samples.copy(), "RGB"), mask).picture.samples)
    cv2.setNumThreads(before)
    np.testing.assert_array_equal(*outputs)


def test_another_plane_is_laid_as_the_picture_was():
    picture, mask = picture_and_mask()
    plane = np.random.default_rng(1).random(mask.shape) < 0.5
    picture.samples[..., 0] = plane * 200
    mosaic = cut(picture, mask, tiles_of(mask))
    np.testing.assert_array_equal(mosaic.lay(plane), mosaic.picture.samples[..., 0] == 200)
