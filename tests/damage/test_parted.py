"""What touches is not always one thing: a scratch that ends at a torn border, a frame that goes round."""

import numpy as np
import pytest

from remend.damage.pieces import pieces_of
from remend.damage.regions import hugs_border
from remend.picture import Box


def planes(**drawn):
    made = np.zeros((4, 120, 160), np.uint8)
    for plane, where in drawn.items():
        made[("scratch", "dust", "stain", "hole").index(plane)][where] = 230
    return made


def test_a_scratch_and_the_border_it_ends_at_are_two_pieces():
    both = pieces_of(planes(scratch=np.s_[60:64, 24:150], hole=np.s_[:, :24]))
    assert len(both) == 2 and sorted(both.kind.tolist()) == [0, 3]
    scratch = both.box(both.kind.tolist().index(0))
    assert scratch.top >= 57 and scratch.bottom <= 67 and scratch.right == 150
    labels = both.labels
    assert (labels[62, 40:150] == labels[62, 100]).all() and labels[10, 5] != labels[62, 100] != 0


def test_a_few_pixels_of_another_kind_part_nothing():
    assert len(pieces_of(planes(scratch=np.s_[60:64, 10:150], hole=np.s_[58:66, 70:74]))) == 1


def test_a_piece_keeps_every_pixel_when_it_is_parted():
    drawn = planes(scratch=np.s_[60:64, 24:150], hole=np.s_[:, :24])
    assert np.array_equal(pieces_of(drawn).labels > 0, drawn.max(axis=0) > 0)


@pytest.mark.parametrize(
    ("parts", "hugs"),
    [
        ([np.s_[:4, 20:90]], True),  # along a side
        ([np.s_[:, :5], np.s_[195:]], True),  # a frame that goes round a corner
        ([np.s_[40:46, 60:66]], False),  # in the middle
        ([np.s_[:60, 50:52]], False),  # a scratch that comes in from the side
    ],
)
def test_what_hardly_leaves_a_side_is_the_edge_of_the_scan(parts, hugs):
    mask = np.zeros((200, 200), bool)
    for part in parts:
        mask[part] = True
    rows, columns = np.nonzero(mask)
    box = Box(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)
    assert hugs_border(mask[box.slices], box, mask.shape) is hugs
