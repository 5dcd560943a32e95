"""Film: dirt of one frame and scratches of many are found, what moves is not."""

import cv2
import numpy as np

from made_clips import panned
from remend.video.film import find_dirt, find_scratches, with_damage

SIZE = (144, 192)


def grey(frame):
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)


def dirty(frame, seed):
    """A frame with specks and short hairs, dark or bright, and where they are."""
    drawn = np.random.default_rng(seed)
    mask, out = np.zeros(SIZE, np.uint8), frame.astype(np.float32)
    for _ in range(14):
        one = np.zeros(SIZE, np.uint8)
        x, y = int(drawn.integers(8, SIZE[1] - 8)), int(drawn.integers(8, SIZE[0] - 8))
        axes = int(drawn.integers(1, 5)), int(drawn.integers(1, 4))
        cv2.ellipse(one, (x, y), axes, float(drawn.uniform(0, 180)), 0, 360, 1, -1)
        level = 235.0 if drawn.random() < 0.5 else 18.0
        soft = cv2.GaussianBlur(one.astype(np.float32), (0, 0), 0.5)[..., None]
        out = out * (1 - soft) + level * soft
        mask |= one
    return np.clip(out, 0, 255).astype(np.uint8), mask.view(bool)


def scores(found, truth):
    """F1 within 2 px: what is found must lie on dirt, dirt must be found."""
    disc = np.ones((5, 5), np.uint8)
    near = cv2.dilate(truth.view(np.uint8), disc).view(bool)
    inner = cv2.erode(found.view(np.uint8), disc, borderValue=1).view(bool)  # what was before it was grown
    right = (inner & near).sum() / max(1, inner.sum())
    recall = (found & truth).sum() / truth.sum()
    return 2 * right * recall / max(1e-9, right + recall)


def test_made_dirt_of_one_frame_is_found():
    clean = panned(count=5, size=SIZE, speed=(2.3, 0.7), noise=2.0, gain=0.02)
    found = []
    for seed in range(3):
        broken, masks = zip(*(dirty(frame, 10 * seed + t) for t, frame in enumerate(clean)), strict=True)
        hole = find_dirt(*(grey(frame) for frame in broken[1:4]))
        found.append(scores(hole, masks[2]))
    assert np.mean(found) > 0.8


def test_nothing_is_found_in_what_is_clean_or_moves():
    clean = panned(count=3, size=SIZE, speed=(2.3, 0.7), noise=2.0)
    assert find_dirt(*(grey(frame) for frame in clean)).mean() < 0.001
    moving = [frame.copy() for frame in clean]
    for t, frame in enumerate(moving):
        cv2.circle(frame, (60 + 9 * t, 70), 14, (230, 60, 40), -1)
    assert find_dirt(*(grey(frame) for frame in moving)).mean() < 0.002


def test_a_scratch_of_many_frames_is_found_though_no_frame_shows_it_well():
    clean = panned(count=17, size=(240, 320), speed=(3.1, 0.4), noise=3.0)
    lined = []
    for frame in clean:
        level = frame.astype(np.float32)
        level[:, 150:152] += 9
        lined.append(grey(np.clip(level, 0, 255).astype(np.uint8)))
    hole = find_scratches(lined)
    truth = np.zeros(hole.shape, bool)
    truth[:, 150:152] = True
    assert (hole & truth).sum() > 0.9 * truth.sum()
    assert hole.mean() < 0.03
    assert not find_scratches([grey(frame) for frame in clean]).any()


def test_it_streams_and_depends_on_what_is_around_alone():
    clean = panned(count=24, size=SIZE)
    broken = [dirty(frame, t)[0] if t % 3 == 0 else frame for t, frame in enumerate(clean)]
    none = np.zeros(SIZE, bool)
    given = none.copy()
    given[3, 4] = True
    whole = list(with_damage(((frame, given) for frame in broken), ["dust", "scratches"]))
    assert len(whole) == 24
    assert all((pixels == frame).all() for (pixels, _), frame in zip(whole, broken, strict=True))
    assert all(hole[3, 4] for _, hole in whole)
    later = list(with_damage(((frame, given) for frame in broken[4:]), ["dust", "scratches"]))
    assert all((a[1] == b[1]).all() for a, b in zip(whole[12:], later[8:], strict=True))


def test_a_glint_that_jumps_about_is_no_dirt():
    """A buckle of a swinging strap: seen in all three frames, at places that the flow does not follow."""
    views = [grey(frame) for frame in panned(3, size=SIZE, speed=(1.6, 0.4), noise=1.0)]
    for view, place in zip(views, [(36, 30), (42, 30), (48, 30)], strict=True):
        cv2.ellipse(view, place, (2, 2), 30, 0, 360, 250, -1)
    cv2.ellipse(views[1], (120, 100), (3, 2), 30, 0, 360, 250, -1)  # dirt
    found = find_dirt(*views)
    assert found[100, 120]
    assert not found[20:46, 28:58].any()
