"""Propagation: what other frames show comes back, what none shows stays, the rest is untouched."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from made_clips import panned
from remend.errors import MaskError
from remend.picture import Picture
from remend.pipeline import repair_picture
from remend.video.carried import Carried
from remend.video.flow import look, motion_between
from remend.video.propagate import Options, propagate
from remend.video.trail import Sight, colours


def logo(size=(72, 96)):
    hole = np.zeros(size, bool)
    hole[40:54, 30:60] = True
    return hole


def damaged(frames, holes):
    return [
        np.where(hole[..., None], np.uint8(255), frame) for frame, hole in zip(frames, holes, strict=True)
    ]


def psnr(a, b, where):
    return 10 * np.log10(255**2 / max(np.mean((a[where].astype(float) - b[where]) ** 2), 1e-6))


def test_a_logo_over_a_pan_gives_way_to_what_was_behind_it():
    frames = panned(gain=0.03, noise=1.0)
    holes = [logo()] * len(frames)
    broken = damaged(frames, holes)
    done = list(propagate(zip(broken, holes, strict=True), Options(reach=12)))
    gains = []
    for one, still, truth, hole in zip(done, broken, frames, holes, strict=True):
        alone = repair_picture(Picture(still.copy(), "RGB"), hole).picture.samples
        gains.append(psnr(one.pixels, truth, hole) - psnr(alone, truth, hole))
        assert (one.pixels[~hole] == still[~hole]).all()
        assert one.confidence[~hole].min() == 1
    assert np.mean(gains) > 5
    assert sum(one.shown for one in done) > 0.8 * sum(hole.sum() for hole in holes)


def test_one_frame_dirt_is_taken_from_its_neighbours():
    frames = panned(count=7)
    holes = [np.zeros((72, 96), bool) for _ in frames]
    holes[3][20:25, 30:36] = holes[3][50:53, 70:80] = True
    done = list(propagate(zip(damaged(frames, holes), holes, strict=True)))
    assert psnr(done[3].pixels, frames[3], holes[3]) > 33
    assert done[3].made == 0
    assert all((one.pixels == frame).all() for one, frame in zip(done[:3], frames, strict=False))


def test_what_no_frame_shows_is_made_up_once_and_does_not_flicker():
    frames = panned(count=6, speed=(0, 0), noise=0)
    holes = [logo()] * len(frames)
    done = list(propagate(zip(damaged(frames, holes), holes, strict=True)))
    assert done[0].made == holes[0].sum()
    assert all(one.made == 0 and one.carried == holes[0].sum() for one in done[1:])
    change = [np.abs(a.pixels.astype(int) - b.pixels).max() for a, b in pairwise(done)]
    assert max(change) <= 1


def test_nothing_comes_over_a_cut():
    first, second = panned(count=5, seed=1), panned(count=5, seed=2)
    frames = first + second
    holes = [np.zeros((72, 96), bool) for _ in frames]
    holes[5][30:40, 30:50] = True
    done = list(propagate(zip(damaged(frames, holes), holes, strict=True)))
    assert done[5].cut and not done[4].cut
    assert psnr(done[5].pixels, frames[5], holes[5]) > 25  # from the sixth frame, not from the fourth


def test_the_same_bytes_every_run_and_in_sixteen_bits():
    frames = [frame.astype(np.uint16) * 257 for frame in panned(count=5)]
    holes = [logo()] * len(frames)
    runs = [
        np.stack([one.pixels for one in propagate(zip(frames, holes, strict=True), Options(reach=3))])
        for _ in range(2)
    ]
    assert runs[0].dtype == np.uint16
    assert (runs[0] == runs[1]).all()


def test_it_streams():
    """No more than the window is read ahead of what is answered."""
    read = 0

    def frames():
        nonlocal read
        for frame in panned(count=9):
            read += 1
            yield frame, np.zeros((72, 96), bool)

    stream = propagate(frames(), Options(reach=2))
    next(stream)
    assert read == 3
    next(stream)
    assert read == 4
    assert len(list(stream)) == 7


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(MaskError, match="one size"):
        list(propagate([(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9), bool))]))


def test_a_clip_taken_up_again_ends_the_same():
    frames = panned(count=14, speed=(0.4, 0))
    holes = [logo()] * len(frames)
    broken = list(zip(damaged(frames, holes), holes, strict=True))
    options, carried, whole = Options(reach=3), Carried(), []
    for number, one in enumerate(propagate(broken, options, carried=carried)):
        whole.append(one.pixels)
        if number == 7:
            kept = {name: value.copy() for name, value in carried.arrays().items()}
    again = propagate(broken[5:], options, carried=Carried.of(kept), start=5, first=8)
    assert [one.pixels.tobytes() for one in again] == [pixels.tobytes() for pixels in whole[8:]]


def crossing(count=2):
    """A striped square that moves by (5, 2) before a scene that moves by (-2, 0)."""
    drawn = np.random.default_rng(4)
    scene = cv2.GaussianBlur(drawn.uniform(0, 255, (160, 240, 3)), (0, 0), 1.5)
    front = cv2.GaussianBlur(drawn.uniform(0, 255, (64, 64, 3)), (0, 0), 1.5)
    frames = []
    for t in range(count):
        frame = np.clip((scene[:, 2 * t : 2 * t + 200] - 127) * 3 + 127, 0, 255)
        top, left = 40 + 2 * t, 50 + 5 * t
        frame[top : top + 64, left : left + 64] = np.clip((front - 127) * 3 + 127, 0, 255)
        frames.append(frame.astype(np.uint8))
    return frames


def test_what_moves_on_its_own_is_measured_up_to_a_hole():
    frames = crossing()
    hole = np.zeros(frames[0].shape[:2], bool)
    hole[70:160, 40:140] = True  # its lower half
    here, there = (look(np.where(hole[..., None], np.uint8(200), frame), hole) for frame in frames)
    motion, _ = motion_between(here, there)
    off = np.hypot(*np.moveaxis(motion.flow - np.float32((5, 2)), 2, 0))
    beside, inside = np.s_[62:68, 56:108], np.s_[72:90, 56:108]
    assert motion.own[beside].mean() > 0.9
    assert off[beside].mean() < 0.3
    assert off[inside].mean() < 0.6


def test_an_unsure_place_is_read_around_itself_and_never_in_a_hole():
    pixels = np.zeros((20, 20, 3), np.uint8)
    pixels[:, 10:] = 200
    hole = np.zeros((20, 20), bool)
    frame = look(pixels, hole)
    where = np.array([[9, 10], [3, 10]], np.float32)
    sight = Sight(frame, np.arange(2), where, np.zeros(2, np.float32), np.ones(3), np.zeros(3))
    sharp = colours(sight, where)
    soft = colours(sight, where, np.full(2, 4, np.float32))
    np.testing.assert_allclose(sharp[:, 0] * 255, [0, 0], atol=1)
    np.testing.assert_allclose(soft[:, 0] * 255, [80, 0], atol=1)  # two of five places lie beyond the edge
    hole[:, 11:] = True
    sight = Sight(look(pixels, hole), np.arange(2), where, np.zeros(2, np.float32), np.ones(3), np.zeros(3))
    np.testing.assert_allclose(colours(sight, where, np.full(2, 4, np.float32)), 0, atol=0.01)
