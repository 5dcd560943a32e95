"""Hairs in the gate are found while the scene moves; what belongs to the scene is not."""

import cv2
import numpy as np
import pytest

from made_clips import panned
from remend.video.film import around_of, with_damage
from remend.video.hair import HAIR_AROUND

SIZE = (144, 192)
NONE = np.zeros(SIZE, bool)


def haired(frame, t, level=20):
    """A frame with a curved hair from its upper border, whose end swings, and where that is."""
    way = np.linspace(0, 1, 30)
    x = 70 + 45 * way + 12 * np.sin(3 * way) + 0.8 * np.sin(t) * way**2
    y = 62 * way + 0.6 * np.cos(1.3 * t) * way**2
    line = np.zeros(SIZE, np.uint8)
    points = np.rint(np.stack([x, y], axis=1) * 8).astype(np.int32)
    cv2.polylines(line, [points], False, 255, 2, cv2.LINE_AA, 3)
    share = cv2.GaussianBlur(line.astype(np.float32) / 255, (0, 0), 0.5)[..., None]
    return np.rint(frame * (1 - 0.8 * share) + level * 0.8 * share).astype(np.uint8), share[..., 0] > 0.3


def found(frames):
    return [hole for _, hole in with_damage(((frame, NONE) for frame in frames), ["hair"])]


@pytest.mark.parametrize("level", [15, 240])
def test_a_hair_is_found_from_soon_after_it_came(level):
    clean = panned(36, size=SIZE, speed=(1.2, 0.3), noise=2.0)
    drawn = [haired(frame, t, level) if t >= 8 else (frame, NONE) for t, frame in enumerate(clean)]
    holes = found([frame for frame, _ in drawn])
    near = [cv2.dilate(right.view(np.uint8), np.ones((9, 9))).view(bool) for _, right in drawn]
    seen = [
        (hole & right).sum() / right.sum()
        for hole, (_, right) in zip(holes, drawn, strict=True)
        if right.any()
    ]
    assert np.mean(seen[7:]) > 0.9
    beside = sum((hole & ~around).sum() for hole, around in zip(holes, near, strict=True))
    assert beside < 0.02 * sum(hole.sum() for hole in holes)
    assert not any(hole.any() for hole in holes[:8])


def test_nothing_is_found_in_what_is_clean_or_stands_still_or_belongs_to_the_scene():
    clean = panned(36, size=SIZE, speed=(1.2, 0.3), noise=2.0)
    assert not any(hole.any() for hole in found(clean))
    still = panned(36, size=SIZE, speed=(0.0, 0.0), noise=2.0)
    assert not any(hole.any() for hole in found([haired(frame, 0)[0] for frame in still]))
    # A wire of the scene, along which the camera pans, slides over itself.
    wired = []
    for frame in panned(36, size=SIZE, speed=(1.5, 0.0), noise=2.0):
        frame = frame.copy()
        cv2.line(frame, (0, 60), (191, 66), (15, 15, 15), 2, cv2.LINE_AA)
        wired.append(frame)
    assert not any(hole.any() for hole in found(wired))
    # Lettering stays, too, and is left alone.
    lettered = []
    for frame in clean:
        frame = frame.copy()
        cv2.putText(frame, "FILM 1943", (20, 100), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (240, 240, 240), 2)
        lettered.append(frame)
    assert not any(hole.any() for hole in found(lettered))


def test_a_frames_answer_depends_on_those_around_alone():
    clean = panned(44, size=SIZE, speed=(1.2, 0.3), noise=1.0)
    frames = [haired(frame, t)[0] for t, frame in enumerate(clean)]
    whole, later = found(frames), found(frames[5:])
    assert whole[30].any()
    assert all((a == b).all() for a, b in zip(whole[5 + HAIR_AROUND :], later[HAIR_AROUND:], strict=True))
    assert around_of(["dust", "hair"]) == HAIR_AROUND
    assert around_of([]) == 0
