"""``format=patch`` and ``kept``: a picture is repaired in many steps and encoded once."""

import io
import time

import cv2
import numpy as np
import PIL.Image
import pytest

from .conftest import as_file


def picture_and_masks() -> tuple[np.ndarray, list[np.ndarray]]:
    """Soft texture, and three holes."""
    rng = np.random.default_rng(5)
    image = cv2.GaussianBlur(rng.integers(0, 255, (160, 200, 3), np.uint8), (0, 0), 2)
    masks = []
    for left in (20, 80, 140):
        mask = np.zeros(image.shape[:2], np.uint8)
        mask[60:80, left : left + 25] = 255
        masks.append(mask)
    return image, masks


def read(content: bytes) -> np.ndarray:
    return np.array(PIL.Image.open(io.BytesIO(content)))


def in_steps(home, image: bytes, masks: list[np.ndarray]) -> bytes:
    """The last patch of a repair in as many steps as there are masks."""
    kept: dict[str, bytes] = {}
    for mask in masks:
        files = {"image": ("photo.jpg", image), "mask": as_file(mask), **kept}
        answer = home.post("/v1/repair", files=files, data={"format": "patch"})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/png"
        kept = {"kept": answer.content}
    return kept["kept"]


def test_many_steps_change_only_what_they_filled(home):
    pixels, masks = picture_and_masks()
    image = as_file(pixels, "JPEG", quality=90)
    before = read(image)
    patch = in_steps(home, image, masks)
    shown, everywhere = read(patch), np.maximum.reduce(masks) > 0
    np.testing.assert_array_equal(shown[..., 3] > 0, everywhere)
    assert not shown[~everywhere].any()
    black = as_file(np.zeros((8, 8), np.uint8))
    last = home.post(
        "/v1/repair",
        files={"image": ("photo.jpg", image), "mask": black, "kept": patch},
        data={"resize_mask": "true"},
    )
    assert last.headers["content-type"] == "image/jpeg"
    assert 'filename="photo.repaired.jpg"' in last.headers["content-disposition"]
    after = read(last.content)
    far = cv2.dilate(everywhere.astype(np.uint8), np.ones((65, 65), np.uint8)) == 0
    assert far.any()
    np.testing.assert_array_equal(after[far], before[far])
    assert (after[everywhere] != before[everywhere]).any()


def test_a_lossless_picture_gets_exactly_the_patch(home):
    pixels, masks = picture_and_masks()
    image = as_file(pixels)
    patch = in_steps(home, image, masks)
    files = {"image": image, "mask": as_file(np.zeros_like(masks[0])), "kept": patch}
    after, shown = read(home.post("/v1/repair", files=files).content), read(patch)
    here = shown[..., 3] > 0
    np.testing.assert_array_equal(after[here], shown[here, :3])
    np.testing.assert_array_equal(after[~here], pixels[~here])


def test_steps_as_jobs_are_the_same(home):
    pixels, masks = picture_and_masks()
    image = as_file(pixels)
    files = {"image": image, "mask": as_file(masks[0]), "kept": in_steps(home, image, masks[1:])}
    job = home.post("/v1/jobs", files=files, data={"format": "patch"}).json()
    while home.get(job["links"]["self"]).json()["state"] in ("queued", "running"):
        time.sleep(0.02)
    direct = home.post("/v1/repair", files=files, data={"format": "patch"})
    assert home.get(job["links"]["result"]).content == direct.content


@pytest.mark.parametrize(
    ("kept", "status", "kind"),
    [
        (b"dear diary", 415, "not-a-picture"),
        (as_file(np.zeros((160, 200, 3), np.uint8)), 422, "mask-mismatch"),
        (as_file(np.zeros((10, 10, 4), np.uint8)), 422, "mask-mismatch"),
        (as_file(np.zeros((160, 200, 2), np.uint8)), 422, "mask-mismatch"),
    ],
    ids=["text", "no alpha", "another size", "another kind"],
)
def test_what_is_no_patch_of_the_picture(home, kept, status, kind):
    pixels, masks = picture_and_masks()
    files = {"image": as_file(pixels), "mask": as_file(masks[0]), "kept": kept}
    answer = home.post("/v1/repair", files=files)
    said = answer.json()
    assert (answer.status_code, said["kind"], said["field"]) == (status, kind, "kept"), said
    assert said["remedy"]


def test_a_picture_that_has_no_patch(home):
    pixels, masks = picture_and_masks()
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).convert("CMYK").save(buffer, "JPEG")
    files = {"image": buffer.getvalue(), "mask": as_file(masks[0])}
    answer = home.post("/v1/repair", files=files, data={"format": "patch"})
    assert (answer.status_code, answer.json()["kind"]) == (422, "cannot-write")
