"""Masks over HTTP mean what they mean to the command and in Python."""

import io
import json

import numpy as np
import PIL.Image
import pytest

import remend

from .conftest import as_file, scratched

IMAGE, MASK = scratched()


def sent(home, mask: bytes, **fields: str):
    files = {"image": ("a.png", as_file(IMAGE)), "mask": ("mask", mask)}
    return home.post("/v1/repair", files=files, data={"method": "telea", **fields})


def decoded(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.asarray(PIL.Image.open(io.BytesIO(answer.content)))


def coco() -> bytes:
    polygon = [10, 20, 70, 20, 70, 23, 10, 23]
    images = [{"id": 1, "file_name": name, "width": 80, "height": 60} for name in ("a.png",)]
    images.append({"id": 2, "file_name": "b.png", "width": 80, "height": 60})
    rows = [{"image_id": 1, "segmentation": [polygon]}, {"image_id": 2, "segmentation": [[0, 0, 9, 0, 9, 9]]}]
    return json.dumps({"images": images, "annotations": rows}).encode()


def opaque() -> bytes:
    samples = np.zeros((*MASK.shape, 4), np.uint8)
    samples[..., 3] = MASK
    return as_file(samples)


@pytest.mark.parametrize(
    ("mask", "fields"),
    [
        (as_file(MASK // 255), {}),
        (as_file((MASK > 0).astype(np.uint8) * 76), {}),
        (opaque(), {"mask_polarity": "opaque"}),
        (as_file(255 - MASK), {"mask_polarity": "black"}),
    ],
)
def test_one_mask_in_many_shapes(home, mask, fields):
    wanted = remend.repair(IMAGE, MASK > 0, method="telea")
    np.testing.assert_array_equal(decoded(sent(home, mask, **fields)), wanted)


def test_json_is_a_mask_for_the_picture_that_it_names(home):
    after = decoded(sent(home, coco()))
    assert (after[21, 30:40] != IMAGE[21, 30:40]).any()
    np.testing.assert_array_equal(after[:10, :10], IMAGE[:10, :10])


@pytest.mark.parametrize(
    ("mask", "said", "remedy"),
    [
        (as_file(np.uint8(255) - MASK), "marks 96 %", "set yes=true"),
        (
            as_file(MASK // 10 + np.arange(80, dtype=np.uint8) % 3),
            "largest value is 27 of 255",
            "255 where to repair",
        ),
        (b'{"images": 3}', "not as COCO", "segmentation"),
    ],
)
def test_what_cannot_be_meant_is_said_with_what_to_do(home, mask, said, remedy):
    problem = sent(home, mask).json()
    assert (problem["status"], problem["kind"], problem["field"]) == (422, "mask-mismatch", "mask")
    assert said in problem["detail"]
    assert remedy in problem["remedy"]
    assert "--" not in problem["remedy"] + problem["detail"]


def test_yes_means_it(home):
    assert sent(home, as_file(np.uint8(255) - MASK), yes="true").status_code == 200


@pytest.mark.parametrize(
    ("name", "value"), [("find", "dust"), ("skip", "dust"), ("force", "true"), ("sensitivity", "0.9")]
)
@pytest.mark.parametrize("route", ["/v1/repair", "/v1/jobs"])
def test_what_is_about_searching_is_refused_beside_a_mask(home, route, name, value):
    files = {"image": ("a.png", as_file(IMAGE)), "mask": ("mask", as_file(MASK))}
    answer = home.post(route, files=files, data={name: value})
    problem = answer.json()
    assert (answer.status_code, problem["kind"], problem["field"]) == (422, "invalid-option", name)
    assert "a mask is given" in problem["detail"]
    assert sent(home, as_file(MASK), find="", force="false").status_code == 200


@pytest.mark.parametrize(
    ("name", "value"), [("mask_polarity", "black"), ("resize_mask", "true"), ("yes", "true")]
)
@pytest.mark.parametrize("route", ["/v1/repair", "/v1/jobs", "/v1/mask"])
def test_what_is_about_a_mask_is_refused_without_one(home, route, name, value):
    answer = home.post(route, files={"image": ("a.png", as_file(IMAGE))}, data={name: value})
    problem = answer.json()
    assert (answer.status_code, problem["kind"], problem["field"]) == (422, "invalid-option", name)
    assert problem["detail"] == f"{name} is for a mask that is given, and there is none"
    assert problem["remedy"] == "give one, or leave it out"


def test_polishing_the_whole_picture_needs_something_to_polish(home):
    problem = sent(home, as_file(MASK), whole_picture="true").json()
    assert (problem["status"], problem["field"]) == (422, "whole_picture")
    assert sent(home, as_file(MASK), whole_picture="true", sharpen="1").status_code == 200
