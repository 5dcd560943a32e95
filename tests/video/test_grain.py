"""What was filled gets the grain of what is around it, another one in each frame."""

import cv2
import numpy as np

from made_clips import panned
from remend.options.video import VideoOptions
from remend.video import job
from remend.video.grain import with_grain
from remend.video.propagate import propagate

SIZE = (144, 192)


def grainy(count=12, sigma=6.0):
    """A pan over something smooth with coarse grain, and a hole that stands still."""
    drawn, frames = np.random.default_rng(2), []
    for frame in panned(count, size=SIZE, speed=(2.0, 0.5), finest=20):
        field = cv2.GaussianBlur(drawn.normal(0, 1, SIZE).astype(np.float32), (0, 0), 0.7)
        level = frame * 0.5 + 64 + (field * np.float32(sigma) / field.std())[..., None]
        frames.append(np.clip(np.rint(level), 0, 255).astype(np.uint8))
    hole = np.zeros(SIZE, np.uint8)
    cv2.circle(hole, (90, 70), 16, 1, -1)
    return frames, hole.view(bool)


def fine(frame, where):
    """Deviation of detail that is finer than 1.5 px."""
    level = frame.astype(np.float32).mean(axis=2)
    return (level - cv2.GaussianBlur(level, (0, 0), 1.5))[where].std()


def test_the_mean_of_many_looks_gets_grain_as_strong_as_around():
    frames, hole = grainy()
    inner = cv2.erode(hole.view(np.uint8), np.ones((5, 5))).view(bool)
    done = [one.pixels for one in propagate((frame, hole) for frame in frames)]
    made = [with_grain(frame, hole, amount=1.0, seed=t) for t, frame in enumerate(done)]
    before = np.mean([fine(frame, inner) / fine(frame, ~hole) for frame in done])
    after = np.mean([fine(frame, inner) / fine(frame, ~hole) for frame in made])
    assert before < 0.75
    assert 0.9 < after < 1.1
    assert all((a[~hole] == b[~hole]).all() for a, b in zip(made, done, strict=True))
    # Not the same field twice: it would stand on the picture like dirt on a pane.
    added = [(a.astype(int) - b)[inner].ravel() for a, b in zip(made, done, strict=True)]
    assert abs(np.corrcoef(added[4], added[5])[0, 1]) < 0.2
    again = with_grain(done[3], hole, amount=1.0, seed=3)
    assert (again == made[3]).all()


def test_clean_frames_get_none_and_16_bits_work():
    frames, hole = grainy(sigma=6.0)
    smooth = cv2.GaussianBlur(frames[0], (0, 0), 6)
    assert (with_grain(smooth, hole, amount=1.0, seed=0) == smooth).all()
    assert with_grain(frames[0], np.zeros(SIZE, bool), amount=1.0, seed=0) is frames[0]
    blank = np.where(hole[..., None], np.uint8(120), frames[0])
    assert with_grain(blank, hole, amount=0.0, seed=0) is blank
    deep = with_grain(blank.astype(np.uint16) * 257, hole, amount=1.0, seed=0)
    assert fine(deep / 257, hole) > 0.5 * fine(frames[0], ~hole)


def test_a_clip_has_it_unless_it_is_not_wanted(tmp_path):
    frames, hole = grainy(6)
    source = tmp_path / "frames"
    source.mkdir()
    for t, frame in enumerate(frames):
        cv2.imwrite(str(source / f"{t}.png"), frame[..., ::-1])
    cv2.imwrite(str(tmp_path / "mask.png"), hole * np.uint8(255))
    levels = {}
    for name, how in (
        ("with", VideoOptions()),
        ("again", VideoOptions()),
        ("without", VideoOptions(grain=0)),
    ):
        job.repair_video(source, tmp_path / name, mask=tmp_path / "mask.png", options=how)
        done = [cv2.imread(str(path)) for path in sorted((tmp_path / name).iterdir())]
        levels[name] = np.mean([fine(frame, hole) for frame in done])
        if name == "again":
            first = [cv2.imread(str(path)) for path in sorted((tmp_path / "with").iterdir())]
            assert all((a == b).all() for a, b in zip(first, done, strict=True))
    assert levels["with"] > 1.2 * levels["without"]
