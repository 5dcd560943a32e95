"""One frame's mask is followed through its shot, both ways, and ends where the scene does."""

import cv2
import numpy as np
import pytest

from made_clips import panned, texture
from remend.errors import UsageError
from remend.options.video import VideoOptions
from remend.video.job import repair_video
from remend.video.track import follow_mask

SIZE = (120, 160)


def moving(count=10):
    """A textured ball before a panned scene, and masks drawn around it with 3 px of margin."""
    front = texture((40, 40), seed=7, finest=3) * np.float32(0.3) + np.float32([170, 165, 150])
    frames, masks = [], []
    for t, frame in enumerate(panned(count, size=SIZE, speed=(1.5, 0.4), finest=9)):
        frame = (frame * 0.4 + 40).astype(np.uint8)
        x, y = 30 + 6 * t, 50 + round(8 * np.sin(t / 2))
        ball = np.zeros(SIZE, np.uint8)
        cv2.circle(ball, (x + 20, y + 20), 17, 1, -1)
        layer = np.zeros((*SIZE, 3), np.float32)
        layer[y : y + 40, x : x + 40] = front
        frames.append(np.where(ball[..., None] > 0, np.clip(layer, 0, 255), frame).astype(np.uint8))
        masks.append(cv2.dilate(ball, np.ones((7, 7), np.uint8)).view(bool))
    return frames, masks


def overlap(one, other):
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize("at", [0, 5])
def test_what_moves_is_followed_both_ways(at):
    frames, masks = moving()
    found = list(follow_mask(iter(frames), at, lambda pixels: masks[at]))
    assert len(found) == len(frames)
    assert (found[at][0] == masks[at]).all()
    assert (found[-1][1].first, found[-1][1].last, found[-1][1].ended) == (0, 9, "end")
    assert min(overlap(mask, right) for (mask, _), right in zip(found, masks, strict=True)) > 0.75
    assert overlap(masks[0], masks[-1]) < 0.1  # it went far


def test_it_ends_at_a_cut():
    frames, masks = moving(6)
    frames += [frame[::-1].copy() for frame in panned(4, size=SIZE, seed=5)]
    found = list(follow_mask(iter(frames), 1, lambda pixels: masks[1]))
    assert (found[-1][1].last, found[-1][1].ended) == (5, "cut")
    assert [bool(mask.any()) for mask, _ in found] == [True] * 6 + [False] * 4


def test_large_frames_are_followed_small():
    frames, masks = moving(5)
    large = [cv2.resize(frame, (1200, 900), interpolation=cv2.INTER_CUBIC) for frame in frames]
    mask = cv2.resize(masks[0].view(np.uint8), (1200, 900), interpolation=cv2.INTER_NEAREST).view(bool)
    found = [one for one, _ in follow_mask(iter(large), 0, lambda pixels: mask)]
    last = cv2.resize(masks[4].view(np.uint8), (1200, 900), interpolation=cv2.INTER_NEAREST).view(bool)
    assert found[4].shape == (900, 1200)
    assert overlap(found[4], last) > 0.75


def test_a_folder_is_repaired_by_the_mask_of_one_frame(tmp_path):
    frames, masks = moving(6)
    source = tmp_path / "frames"
    source.mkdir()
    for t, frame in enumerate(frames):
        cv2.imwrite(str(source / f"{t}.png"), frame[..., ::-1])
    cv2.imwrite(str(tmp_path / "m.png"), masks[2].view(np.uint8) * 255)
    how = VideoOptions(track=3, reach=3)
    report = repair_video(source, tmp_path / "out", mask=tmp_path / "m.png", options=how)
    assert report.notes == ("the mask was followed from frame 1 to 6 of 6",)
    for t, (frame, mask) in enumerate(zip(frames, masks, strict=True)):
        done = cv2.imread(str(tmp_path / "out" / f"{t}.png"))[..., ::-1]
        changed = (done != frame).any(axis=2)
        assert (changed & mask).sum() > 0.75 * mask.sum()
        assert (changed & ~mask).sum() < 0.3 * mask.sum()
    assert not (tmp_path / ".out.remend-work").exists()


def test_kind_refusals(tmp_path):
    frames, masks = moving(2)
    with pytest.raises(UsageError, match="the clip has 2 frames"):
        list(follow_mask(iter(frames), 4, lambda pixels: masks[0]))
    with pytest.raises(UsageError, match="the mask is empty"):
        list(follow_mask(iter(frames), 0, lambda pixels: ~masks[0] & masks[0]))
    source = tmp_path / "frames"
    source.mkdir()
    cv2.imwrite(str(source / "0.png"), frames[0])
    with pytest.raises(UsageError, match="give one picture by -m"):
        repair_video(source, tmp_path / "out", mask=source, options=VideoOptions(track=1))
