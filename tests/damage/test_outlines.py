import json

import numpy as np
import pytest

import remend
from remend.damage.outlines import mask_of_outlines
from remend.errors import MaskError


def coco(*segmentations, name="a.png", size=(20, 30)):
    images = [{"id": 7, "file_name": name, "height": size[0], "width": size[1]}]
    rows = [{"id": k, "image_id": 7, "segmentation": one} for k, one in enumerate(segmentations)]
    return {"images": images, "annotations": rows, "categories": []}


def packed(facts) -> bytes:
    return json.dumps(facts).encode()


def drawn(*given):
    return mask_of_outlines(*given)[0]


SQUARE = [[5, 4, 15, 4, 15, 10, 5, 10]]


def area(mask):
    ys, xs = np.nonzero(mask)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def test_a_polygon_is_drawn_where_it_lies():
    left, top, right, bottom = area(drawn(packed(coco(SQUARE)), (20, 30), "dir/a.png"))
    assert abs(left - 5) <= 1
    assert abs(top - 4) <= 1
    assert 15 <= right <= 16
    assert 10 <= bottom <= 11


@pytest.mark.parametrize(
    "facts",
    [coco(SQUARE), coco(SQUARE)["annotations"], coco(SQUARE)["annotations"][0], coco(SQUARE, name="z.jpg")],
)
def test_files_of_one_picture_come_in_many_shapes(facts):
    assert drawn(packed(facts), (20, 30), "a.png").sum() > 50


def test_one_picture_by_another_name_is_taken_and_said():
    for name, count in (("a.png", 0), ("dir/a.jpg", 0), ("b.png", 1), (None, 0)):
        notes = mask_of_outlines(packed(coco(SQUARE)), (20, 30), name)[1]
        assert len(notes) == count, name
    assert notes == () and "'a.png' alone" in mask_of_outlines(packed(coco(SQUARE)), (20, 30), "b.png")[1][0]


def test_run_lengths_as_numbers_and_as_text():
    counts = [3, 2, 5, 1, 9]
    expected = np.repeat([0, 1, 0, 1, 0], counts).reshape(5, 4).T.astype(bool)
    found = drawn(packed(coco({"size": [4, 5], "counts": counts}, size=(4, 5))), (4, 5), "a.png")
    np.testing.assert_array_equal(found, expected)
    # The same as COCO's text: five bits a letter, from the third number on less the one two before.
    text = "".join(chr((value & 31) + 48) for value in (3, 2, 5, 1 - 2, 9 - 5))
    found = drawn(packed(coco({"size": [4, 5], "counts": text}, size=(4, 5))), (4, 5), "a.png")
    np.testing.assert_array_equal(found, expected)


def test_of_several_pictures_the_named_one_is_meant():
    facts = coco(SQUARE)
    facts["images"].append({"id": 8, "file_name": "b.png", "height": 20, "width": 30})
    facts["annotations"].append({"id": 9, "image_id": 8, "segmentation": [[0, 0, 4, 0, 4, 4]]})
    assert area(drawn(packed(facts), (20, 30), "b.jpg"))[2] <= 5
    with pytest.raises(MaskError, match=r"does not name the picture c\.png"):
        drawn(packed(facts), (20, 30), "c.png")


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[" * 5000,
        b'{"a": 1}',
        packed(coco([[1, 2, 3]])),
        packed(coco([[0, 0, 1e400, 0, 2, 2]])),
        packed(coco({"size": [20, 30], "counts": [5]})),
        packed(coco({"size": [20, 30], "counts": "zz~"})),
        packed(coco(SQUARE, size=(1 << 20, 1 << 20))),
        packed({"images": 3, "annotations": 4}),
    ],
)
def test_whatever_else_is_one_line(content):
    with pytest.raises(MaskError) as caught:
        drawn(content, (20, 30), "a.png")
    assert "\n" not in str(caught.value)


def test_json_is_a_mask_like_any_other(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (20, 30), np.uint8)
    path = tmp_path / "masks.json"
    path.write_bytes(packed(coco(SQUARE)))
    after = remend.repair(image, path, method="telea")
    assert (after[5:9, 6:14] != image[5:9, 6:14]).any()
    np.testing.assert_array_equal(after[12:], image[12:])
    np.testing.assert_array_equal(remend.repair(image, path.read_bytes(), method="telea"), after)
    with pytest.raises(MaskError, match="--resize-mask"):
        remend.repair(image[:10], path)
