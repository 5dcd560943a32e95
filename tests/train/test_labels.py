"""Labels follow what is done to a picture."""

import cv2
import numpy as np
import pytest

from made_coco import COLOURS, GREY, KINDS, write_coco
from remend.errors import UsageError
from remend.train.config import Data, Tasks
from remend.train.data.heatmap import box_iou, drawn, peaks
from remend.train.data.labels import UNKNOWN, Labels, Place, read_labels
from remend.train.data.pictures import read_pictures
from remend.train.data.samples import Sampler, validation_samples
from remend.train.data.sources import Outlined, Record, list_records

ALL = Tasks(classification=1.0, segmentation=1.0, detection=1.0)
PLAIN = {"grey": 0.0, "jpeg": 0.0, "grain": 0.0, "crop_px": 64}


def kinds_in(block):
    """Which thing a block of pixels shows, if it is of one colour: 0 = none, -1 = mixed."""
    for number, colour in enumerate([(GREY, GREY, GREY), *(COLOURS[kind] for kind in KINDS)]):
        if (np.abs(block.astype(int) - colour) < 3).all():
            return number
    return -1


def test_segments_and_boxes_are_where_the_pixels_show_them(tmp_path):
    source = write_coco(tmp_path / "coco")
    pictures = read_pictures([source], least_px=64)
    labels = read_labels([source], ALL)
    sampler = Sampler.of(pictures, Data(**PLAIN, scale_from=0.7), 0, labels)
    compared, boxes = 0, 0
    for index in range(40):
        sample = sampler(index)
        label = sample.label
        assert label.classes.sum() == pytest.approx(1)
        for y in range(16):
            for x in range(16):
                kind = kinds_in(sample.target[4 * y : 4 * y + 4, 4 * x : 4 * x + 4])
                if kind >= 0:
                    compared += 1
                    assert label.segments[y, x] == kind, (index, y, x)
        for kind, left, top, right, bottom in label.boxes:
            colour = COLOURS[KINDS[int(kind)]]
            inside = sample.target[
                int(np.ceil(top)) + 1 : int(bottom) - 1, int(np.ceil(left)) + 1 : int(right) - 1
            ]
            assert (np.abs(inside.astype(int) - colour) < 3).all()
            for rows, columns in (  # and just outside of it is something else
                (slice(int(top) - 3, int(top) - 1), slice(int(left) + 2, int(right) - 2)),
                (slice(int(top) + 2, int(bottom) - 2), slice(int(right) + 2, int(right) + 4)),
            ):
                if rows.start >= 0 and columns.stop <= 64:
                    boxes += 1
                    assert (sample.target[rows, columns] != np.array(colour)).any(axis=-1).all()
    assert compared > 5000
    assert boxes > 40


def test_mirrored_is_mirrored_and_half_is_half():
    thing = Outlined("cat", (8, 16, 24, 16), [[8, 16, 32, 16, 32, 32, 8, 32]])
    labels = Labels.of(
        [Record("a/1.png", "", ("cat",), objects=(thing,)), Record("a/2.png", "", ("dog",))], ALL
    )
    assert labels.things == ("cat",)
    plain = labels(Place("a/1.png", (64, 64), 0, 0, 64), 64)
    turned = labels(Place("a/1.png", (64, 64), 0, 0, 64, mirrored=True), 64)
    assert np.array_equal(plain.segments[:, ::-1], turned.segments)
    assert plain.boxes.tolist() == [[0, 8, 16, 32, 32]]
    assert turned.boxes.tolist() == [[0, 32, 16, 56, 32]]
    assert (plain.segments == 1).sum() == 6 * 4
    half = labels(Place("a/1.png", (64, 64), 0, 0, 64), 32)
    assert half.boxes.tolist() == [[0, 4, 8, 16, 16]]
    shifted = labels(Place("a/1.png", (64, 64), 8, 4, 32), 32)
    assert shifted.boxes.tolist() == [[0, 4, 8, 28, 24]]


def test_what_a_crop_cuts_off_is_neither_asked_for_nor_denied():
    thing = Outlined("cat", (0, 0, 40, 40), [])
    labels = Labels.of([Record("a/1.png", "", objects=(thing,))], Tasks(detection=1.0))
    label = labels(Place("a/1.png", (64, 64), 32, 32, 32), 32)  # a twenty-fifth of it
    assert len(label.boxes) == 0
    assert not label.asked[:2, :2].any()
    assert label.asked[2:].all()
    crowd = Labels.of(
        [Record("a/1.png", "", objects=(Outlined("cat", (0, 0, 16, 16), [], crowd=True),))],
        Tasks(detection=1.0),
    )
    label = crowd(Place("a/1.png", (32, 32), 0, 0, 32), 32)
    assert len(label.boxes) == 0
    assert (~label.asked).sum() == 16


def test_where_nothing_is_said_nothing_is_asked():
    thing = Outlined("cat", (0, 0, 16, 16), {"counts": [3], "size": [1, 3]})  # of another picture
    labels = Labels.of(
        [Record("a/1.png", "", ("cat",), objects=(thing,)), Record("b.png", "", ("dog",))], ALL
    )
    broken = labels(Place("a/1.png", (32, 32), 0, 0, 32), 32)
    assert (broken.segments[:4, :4] == UNKNOWN).all()
    assert (broken.segments[4:] == 0).all()
    other = labels(Place("c.png", (32, 32), 0, 0, 32), 32)
    assert not other.said
    assert (other.segments == UNKNOWN).all()
    assert not other.classes.any()
    assert not other.asked.any()


def test_folders_are_classes_and_names_that_say_the_same_are_one(tmp_path):
    for kind in ("cat", "dog"):
        (tmp_path / kind).mkdir()
        for number in range(2):
            cv2.imwrite(str(tmp_path / kind / f"{number}.png"), np.full((8, 8, 3), 9, np.uint8))
    cv2.imwrite(str(tmp_path / "neither.png"), np.full((8, 8, 3), 9, np.uint8))
    labels = read_labels([tmp_path], Tasks(classification=1.0))
    assert labels.classes == ("cat", "dog")
    names = [record.name for record in list_records([tmp_path]).records]
    assert sum(labels.says(name) for name in names) == 4
    few = Labels.of(labels.records.values(), Tasks(classification=1.0, few=2)).few(names)
    assert sum(few.says(name) for name in names) == 2
    records = [
        Record("a", "", ("n01440764", "tench")),
        Record("b", "", ("n02102040", "springer")),
        Record("c", "", ("n01440764", "tench")),
    ]
    assert Labels.of(records, Tasks(classification=1.0)).classes == ("n01440764", "n02102040")
    some = Tasks(classification=1.0, classes="n02102040, n01440764")
    assert Labels.of(records, some).classes == ("n01440764", "n02102040")


REFUSED = {
    "no labels": (Tasks(classification=1.0), [Record("a", "")], "the data have no labels"),
    "one class": (Tasks(classification=1.0), [Record("a", "", ("cat",))], "one class alone, cat"),
    "no outlines": (Tasks(segmentation=1.0), [Record("a", "", ("cat",))], "needs outlined things"),
    "no boxes": (Tasks(detection=0.5), [Record("a", "", ("cat",))], r"--set tasks\.detection=0"),
    "a class that is not there": (
        Tasks(classification=1.0, classes="cat,cow"),
        [Record("a", "", ("cat",)), Record("b", "", ("dog",))],
        "names 'cow', which no picture of the data shows: they show cat, dog",
    ),
    "too many things": (
        Tasks(segmentation=1.0),
        [Record("a", "", objects=tuple(Outlined(str(n), (0, 0, 1, 1), []) for n in range(255)))],
        "up to 254 things apart, the data name 255",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_data_that_say_nothing_are_one_clear_line(case):
    tasks, records, words = REFUSED[case]
    with pytest.raises(UsageError, match=words) as caught:
        Labels.of(records, tasks)
    assert "\n" not in str(caught.value)


def test_labels_change_no_sample_and_a_share_draws_the_labelled(tmp_path):
    source = write_coco(tmp_path / "coco", unlabelled=9)
    pictures = read_pictures([source], least_px=64)
    data = Data(**PLAIN)
    without = Sampler.of(pictures, data, 0)
    labelled = Sampler.of(pictures, data, 0, read_labels([source], ALL))
    for index in range(6):
        one, other = without(index), labelled(index)
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.hole, other.hole)
        assert one.label is None
    often = Sampler.of(pictures, data, 0, read_labels([source], Tasks(classification=1.0, share=1.0)))
    assert all(often(index).label.said for index in range(12))
    assert sum(labelled(index).label.said for index in range(12)) < 12
    fixed = validation_samples(pictures, 64, labels=labelled.labels)
    assert [sample.label.said for sample in fixed] == [True] * 3 + [False] * 9


def test_what_stands_in_for_a_broken_picture_brings_its_own_label(tmp_path):
    source = write_coco(tmp_path / "coco", 3)
    said = []
    pictures = read_pictures([source], least_px=64, memory_gib=0.0, say=said.append)
    (source / "train2017" / "001.png").write_bytes(b"")
    name, pixels = pictures.usable(1)
    assert name.endswith("002.png")
    assert np.array_equal(pixels, pictures[2])
    assert len(said) == 1


def test_boxes_drawn_and_found_again():
    boxes = np.array([[0, 8, 8, 24, 40], [1, 40, 20, 56, 28]], np.float32)
    heat, place, centre = drawn(boxes, 2, (16, 16))
    assert heat.max(axis=(1, 2)).tolist() == [1, 1]
    assert centre.sum() == 2
    found, scores = peaks(heat, place, most=2)
    assert scores.tolist() == [1, 1]
    for box in found:
        (wanted,) = boxes[boxes[:, 0] == box[0], 1:]
        assert np.allclose(box[1:], wanted, atol=1e-3)
        assert box_iou(wanted, box[None, 1:])[0] == pytest.approx(1, abs=1e-3)
