import cv2
import numpy as np
import pytest

from remend.train.data.sources.likeness import ALIKE_BITS, Likeness, duplicates, fingerprint, near_pairs


def picture(seed, size=(120, 160)):
    knots = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    return cv2.resize(knots, size[::-1], interpolation=cv2.INTER_CUBIC)


CHANGES = {
    "smaller": lambda p: cv2.resize(p, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA),
    "compressed": lambda p: cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 25])[1], 1),
    "trimmed": lambda p: p[2:-1, 1:-3],
    "darker": lambda p: (p * 0.7).astype(np.uint8),
    "grey": lambda p: cv2.merge([cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)] * 3),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_looks_alike_and_others_do_not(change):
    pictures = [fingerprint(picture(seed)) for seed in range(30)]
    copy = fingerprint(CHANGES[change](picture(17)))
    assert [pair.first for pair in near_pairs(pictures, [copy])] == [17]
    assert near_pairs(pictures) == []


def test_no_pair_is_missed_by_cutting_the_bits_into_runs():
    rng = np.random.default_rng(1)
    thumbnail = rng.integers(0, 256, 256, np.uint8)
    centres = rng.integers(0, 2**63, 6, np.int64).tolist()
    # Around six hashes, neighbours with 0 to 20 bits flipped.
    bits = [c ^ sum(1 << int(b) for b in rng.choice(64, k, False)) for c in centres for k in range(21)]
    pairs = near_pairs([Likeness(b, thumbnail) for b in bits])
    wanted = [
        (i, j)
        for i in range(len(bits))
        for j in range(i + 1, len(bits))
        if (bits[i] ^ bits[j]).bit_count() <= ALIKE_BITS
    ]
    assert [(p.first, p.second) for p in pairs] == wanted
    assert all(p.distance == (bits[p.first] ^ bits[p.second]).bit_count() for p in pairs)


def test_frames_without_contrast_are_not_taken_for_each_other():
    rng = np.random.default_rng(0)
    dark = [np.clip(rng.normal(20, 1, (80, 80, 3)), 0, 255).astype(np.uint8) for _ in range(2)]
    one, two = (fingerprint(p) for p in dark)
    assert near_pairs([Likeness(7, one.thumbnail), Likeness(7, two.thumbnail)]) == []


def test_groups_of_duplicates():
    first = picture(1)
    named = [
        ("a", first),
        ("b", picture(2)),
        ("c", CHANGES["darker"](first)),
        ("d", CHANGES["smaller"](first)),
    ]
    assert duplicates(named) == [["a", "c", "d"]]


def test_nothing_to_compare():
    assert near_pairs([]) == []
    assert near_pairs([fingerprint(picture(0))], []) == []
