"""/v1/restore and /v1/inspect: the command's restoration over HTTP, and what it would do."""

from __future__ import annotations

import io
import json

import numpy as np
import PIL.Image
import pytest

from remend.options.restoration import RestoreOptions
from remend.restoring import restore_file

from .conftest import as_file, until


@pytest.fixture(scope="module")
def noisy() -> bytes:
    """A photograph-like picture under noise of ten levels."""
    y, x = np.mgrid[:160, :200].astype(np.float32)
    clean = np.stack([90 + 60 * np.sin(x / 31) + y / 4, 110 + 50 * np.cos(y / 23), 80 + x / 3], axis=2)
    for row, column, side in ((30, 40, 36), (90, 120, 44), (60, 150, 24)):
        clean[row : row + side, column : column + side] += 40
    noise = np.random.default_rng(5).normal(0, 10, clean.shape)
    return as_file(np.clip(clean + noise, 0, 255).astype(np.uint8))


def steps_of(answer) -> dict[str, dict]:
    return {step["step"]: step for step in json.loads(answer.headers["remend-steps"])}


def test_the_answer_is_the_commands(home, noisy, tmp_path):
    answer = home.post(
        "/v1/restore",
        files={"image": ("old.png", noisy)},
        data={"only": "noise", "noise": "0.5", "force": "true"},
    )
    assert answer.status_code == 200, answer.text
    restore_file(noisy, tmp_path / "x.png", options=RestoreOptions(only="noise", noise=0.5, force=True))
    assert answer.content == (tmp_path / "x.png").read_bytes()
    assert 'filename="old.restored.png"' in answer.headers["content-disposition"]
    steps = steps_of(answer)
    assert steps["noise"]["strength"] == 0.5
    assert "levels" in steps["noise"]["reason"]
    assert steps["tone"] == {"step": "tone", "strength": 0.0, "reason": "not asked for"}
    before, after = (np.asarray(PIL.Image.open(io.BytesIO(data)), float) for data in (noisy, answer.content))
    assert np.abs(after - before).mean() > 1


def test_measuring_changes_nothing_and_tells_the_same_reasons(home, noisy):
    told = home.post("/v1/inspect", files={"image": noisy}, data={"force": "true"}).json()
    done = home.post("/v1/restore", files={"image": noisy}, data={"force": "true", "skip": "damage"})
    steps = {step["step"]: step for step in told["steps"]}
    assert set(steps) >= {"noise", "blocks", "damage", "tone"}
    assert steps["noise"] == steps_of(done)["noise"]
    assert told["output"] is None
    assert told["measured"]


def test_as_a_job_with_its_progress_and_report(home, noisy):
    job = home.post(
        "/v1/jobs", files={"image": noisy}, data={"kind": "restore", "skip": "damage", "force": "true"}
    )
    assert job.status_code == 202, job.text
    link = job.json()["links"]["self"]
    until(lambda: home.get(link).json()["state"] in ("done", "failed"))
    ended = home.get(link).json()
    assert (ended["kind"], ended["state"]) == ("restore", "done")
    assert [step["step"] for step in ended["report"]["steps"]][:2] == ["screen", "noise"]
    assert home.get(ended["links"]["result"]).headers["content-type"] == "image/png"


def test_what_was_repaired_before_is_laid_over_first(home, picture, mask):
    patch = home.post("/v1/repair", files={"image": picture, "mask": mask}, data={"format": "patch"}).content
    plain = home.post("/v1/repair", files={"image": picture, "mask": mask}).content
    files = {"image": picture, "kept": patch}
    answer = home.post("/v1/restore", files=files, data={"strength": "0", "skip": "damage"})
    one, two = (np.asarray(PIL.Image.open(io.BytesIO(data))) for data in (plain, answer.content))
    assert (one == two).all()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"strength": "2"}, "strength"),
        ({"only": "polish"}, "only"),
        ({"skip": "scratch"}, "skip"),
        ({"method": "smooth"}, "method"),
        ({"only": "noise", "skip": "noise"}, "skip"),
    ],
)
def test_what_cannot_be_meant_is_refused(home, picture, data, field):
    answer = home.post("/v1/restore", files={"image": picture}, data=data)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    job = home.post("/v1/jobs", files={"image": picture}, data={"kind": "restore", **data})
    assert (job.status_code, job.json()["field"]) == (422, field)


def test_a_restoration_takes_no_mask(home, picture, mask):
    answer = home.post("/v1/jobs", files={"image": picture, "mask": mask}, data={"kind": "restore"})
    assert (answer.status_code, answer.json()["field"]) == (422, "mask")


def test_its_options_are_told(home):
    told = home.get("/v1/methods").json()["restore_options"]
    assert told["noise"]["minimum"] == 0
    assert told["noise"]["maximum"] == 1
    form = home.get("/openapi.json").json()["paths"]["/v1/restore"]["post"]["requestBody"]
    properties = form["content"]["multipart/form-data"]["schema"]["properties"]
    assert {"image", "kept", "format", "only", "skip", "strength", "noise", "tone"} <= set(properties)
