"""/v1/crop: the command's crop over HTTP, one picture or a ZIP of them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from remend.cropping import crop_file

from .conftest import as_file, until


def bed_of(*places: tuple[int, int]) -> np.ndarray:
    """A scanner's light bed with a textured print of 150×200 at each place (top, left)."""
    rng = np.random.default_rng(4)
    bed = np.clip(rng.normal(238, 1, (420, 600, 3)), 0, 255)
    y, x = np.mgrid[:150, :200].astype(np.float32)
    for number, (top, left) in enumerate(places):
        picture = np.stack([60 + 50 * np.sin(x / 17 + number), 90 + 40 * np.cos(y / 13), 70 + x / 4], axis=2)
        bed[top : top + 150, left : left + 200] = picture + rng.normal(0, 3, picture.shape)
    return np.clip(bed, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def two() -> bytes:
    return as_file(bed_of((40, 50), (230, 330)))


@pytest.fixture(scope="module")
def one() -> bytes:
    return as_file(bed_of((120, 180)), "JPEG", quality=95)


def prints_of(answer) -> list[dict]:
    return json.loads(answer.headers["remend-prints"])


def test_several_prints_are_a_zip_of_what_the_command_writes(home, two, tmp_path):
    answer = home.post("/v1/crop", files={"image": ("bed.png", two)})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert 'filename="bed.cropped.zip"' in answer.headers["content-disposition"]
    assert len(prints_of(answer)) == 2
    report = crop_file(two, tmp_path / "bed.cropped.png")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as pack:
        assert pack.namelist() == ["bed.cropped-1.png", "bed.cropped-2.png"]
        assert pack.testzip() is None
        for name, path in zip(pack.namelist(), report.targets, strict=True):
            assert pack.read(name) == Path(path).read_bytes()
    assert home.post("/v1/crop", files={"image": ("bed.png", two)}).content == answer.content


def test_one_print_is_the_picture(home, one, tmp_path):
    answer = home.post("/v1/crop", files={"image": ("bed.jpg", one)})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert 'filename="bed.cropped.jpg"' in answer.headers["content-disposition"]
    crop_file(one, tmp_path / "x.jpg")
    assert answer.content == (tmp_path / "x.jpg").read_bytes()
    (told,) = prints_of(answer)
    assert np.allclose(np.array(told["corners"])[0], (180, 120), atol=2)
    with PIL.Image.open(io.BytesIO(answer.content)) as cut:
        assert np.allclose(cut.size, (200, 150), atol=3)
    other = home.post("/v1/crop", files={"image": ("bed.jpg", one)}, data={"format": "png"})
    assert (other.headers["content-type"], other.content[1:4]) == ("image/png", b"PNG")


def test_what_is_no_scan_comes_back_as_it_is(home, worn):
    answer = home.post("/v1/crop", files={"image": ("photo.png", worn)})
    assert answer.status_code == 200
    assert answer.content == worn
    assert prints_of(answer) == []
    assert "no scanner's bed" in json.loads(answer.headers["remend-notes"])[0]


def test_rims_are_left_out_when_that_is_asked_for(home):
    rimmed = bed_of((120, 180))
    rimmed[120:270, 180:380][np.pad(np.zeros((130, 180), bool), 10, constant_values=True)] = 205
    sizes = []
    for without in ("false", "true"):
        answer = home.post("/v1/crop", files={"image": as_file(rimmed)}, data={"without_rim": without})
        (told,) = prints_of(answer)
        assert told["rim_px"] is not None
        with PIL.Image.open(io.BytesIO(answer.content)) as cut:
            sizes.append(cut.size)
    assert np.allclose(np.subtract(*sizes), (20, 20), atol=3)


def test_as_a_job_with_its_prints_in_the_report(home, two):
    job = home.post("/v1/jobs", files={"image": ("bed.png", two)}, data={"kind": "crop"})
    assert job.status_code == 202, job.text
    link = job.json()["links"]["self"]
    until(lambda: home.get(link).json()["state"] in ("done", "failed"))
    ended = home.get(link).json()
    assert (ended["kind"], ended["state"], len(ended["report"]["prints"])) == ("crop", "done", 2)
    result = home.get(ended["links"]["result"])
    assert result.content == home.post("/v1/crop", files={"image": ("bed.png", two)}).content


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"without_rim": "perhaps"}, "without_rim"),
        ({"format": "patch"}, "format"),
        ({"method": "auto"}, "method"),
    ],
)
def test_what_cannot_be_meant_is_refused(home, one, data, field):
    for path, more in (("/v1/crop", {}), ("/v1/jobs", {"kind": "crop"})):
        answer = home.post(path, files={"image": one}, data={**data, **more})
        assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_crop_takes_no_mask(home, one, mask):
    answer = home.post("/v1/jobs", files={"image": one, "mask": mask}, data={"kind": "crop"})
    assert (answer.status_code, answer.json()["field"]) == (422, "mask")


def test_a_truncated_scan_is_asked_about_and_then_opened(home, one):
    cut = one[: len(one) * 9 // 10]
    refused = home.post("/v1/crop", files={"image": cut})
    assert (refused.status_code, refused.json()["consent"]) == (422, "tolerate")
    assert home.post("/v1/crop", files={"image": cut}, data={"tolerate": "true"}).status_code == 200


def test_it_is_in_the_reference(home):
    document = home.get("/openapi.json").json()["paths"]
    form = document["/v1/crop"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"image", "format", "without_rim", "tolerate"}
    jobs = document["/v1/jobs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert "crop" in jobs["properties"]["kind"]["enum"]
    assert "/v1/crop" in home.get("/docs").text
