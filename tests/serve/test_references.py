"""Other dates of a scene over HTTP: the field `reference`, once for each."""

from __future__ import annotations

import numpy as np

import remend
from remend.io import read_picture
from remend.repairing import repair_file

from .conftest import as_file


def scenes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A scene, a hole in it, and another date of it under another sun."""
    rng = np.random.default_rng(3)
    fields = np.kron(rng.integers(40, 200, (8, 10, 3)), np.ones((16, 16, 1)))
    scene = (fields + rng.normal(0, 2, fields.shape)).clip(0, 255).astype(np.uint8)
    hole = np.zeros(scene.shape[:2], bool)
    hole[40:90, 50:110] = True
    return scene, hole, (0.7 * scene.astype(float) + 20).astype(np.uint8)


def test_the_answer_is_the_commands(home, tmp_path):
    scene, hole, date = scenes()
    hurt = as_file(np.where(hole[..., None], 0, scene).astype(np.uint8))
    mask, other = as_file(hole.astype(np.uint8) * 255), as_file(date)
    answer = home.post(
        "/v1/repair",
        files=[("image", hurt), ("mask", mask), ("reference", other), ("reference", other)],
    )
    assert answer.status_code == 200, answer.text
    repair_file(hurt, tmp_path / "x.png", mask=mask, references=[other, other])
    assert answer.content == (tmp_path / "x.png").read_bytes()
    (tmp_path / "y.png").write_bytes(answer.content)
    done = read_picture(tmp_path / "y.png").samples
    alone = remend.repair(np.where(hole[..., None], 0, scene).astype(np.uint8), hole, method="smooth")
    errors = [np.abs(one.astype(int) - scene)[hole].mean() for one in (done, alone)]
    assert errors[0] < 0.4 * errors[1]


def test_what_does_not_fit_is_told(home):
    scene, hole, date = scenes()
    files = [("image", as_file(scene)), ("mask", as_file(hole.astype(np.uint8) * 255))]
    answer = home.post("/v1/repair", files=[*files, ("reference", as_file(date[:50]))])
    assert answer.status_code == 422
    assert answer.json()["field"] == "reference"
    assert "160×50" in answer.json()["detail"]
    answer = home.post("/v1/repair", files=[*files, ("reference", b"no picture")])
    assert answer.status_code in (415, 422)
    assert answer.json()["field"] == "reference"
    answer = home.post("/v1/detect", files=[files[0], ("reference", as_file(date))])
    assert answer.status_code == 422


def test_the_reference_says_that_it_may_come_again(home):
    form = home.get("/openapi.json").json()["paths"]["/v1/repair"]["post"]["requestBody"]
    field = form["content"]["multipart/form-data"]["schema"]["properties"]["reference"]
    assert field["type"] == "array"
    assert field["items"] == {"type": "string", "format": "binary"}
