"""POST /v1/detect: regions that can be kept or dropped one by one, and the command's mask."""

import io
import json
import subprocess
import sys

import cv2
import numpy as np
import PIL.Image
import pytest

from remend.serve.telling import runs_of

from .conftest import as_file


def painted(answer: dict, keep=lambda region: True) -> np.ndarray:
    """A mask from regions, as a client paints it."""
    mask = np.zeros((answer["height"], answer["width"]), bool)
    for region in filter(keep, answer["regions"]):
        left, top, right, bottom = region["box"]
        flat = np.zeros((bottom - top) * (right - left), bool)
        at = 0
        for number, length in enumerate(region["runs"]):
            flat[at : at + length] = number % 2 == 1
            at += length
        assert flat.sum() == region["pixels"]
        mask[top:bottom, left:right] |= flat.reshape(bottom - top, right - left)
    return mask


@pytest.mark.parametrize("dilate_px", [0, 2, 5])
def test_the_regions_together_are_the_commands_mask(home, tmp_path, worn, dilate_px):
    (tmp_path / "a.png").write_bytes(worn)
    command = ["detect", "a.png", "-o", "mask.png", "--dilate-px", str(dilate_px)]
    subprocess.run([sys.executable, "-m", "remend", *command], cwd=tmp_path, check=True, capture_output=True)
    expected = np.array(PIL.Image.open(tmp_path / "mask.png")) > 0
    assert expected.any()
    answer = home.post("/v1/detect", files={"image": worn}, data={"dilate_px": str(dilate_px)}).json()
    np.testing.assert_array_equal(painted(answer), expected)
    assert answer["hole_ratio"] == pytest.approx(expected.mean(), abs=1e-6)
    as_png = home.post(
        "/v1/detect",
        files={"image": worn},
        data={"dilate_px": str(dilate_px)},
        headers={"Accept": "image/png"},
    )
    assert as_png.headers["content-type"] == "image/png"
    assert as_png.content == (tmp_path / "mask.png").read_bytes()


def test_regions_say_what_they_are_surest_first(home, worn):
    regions = home.post("/v1/detect", files={"image": worn}).json()["regions"]
    assert len(regions) > 2
    assert [region["id"] for region in regions] == list(range(len(regions)))
    sure = [region["confidence"] for region in regions]
    assert sure == sorted(sure, reverse=True)
    assert all(0 < value <= 1 for value in sure)
    assert {region["kind"] for region in regions} <= {"scratch", "crack", "dust", "stain", "hole"}


def test_what_is_kept_is_repaired_and_what_is_dropped_is_not(home, worn):
    answer = home.post("/v1/detect", files={"image": worn}).json()
    buffer = io.BytesIO()
    everything, first = painted(answer), painted(answer, lambda region: region["id"] == 0)
    PIL.Image.fromarray(first.astype(np.uint8) * 255).save(buffer, "PNG")
    repaired = home.post("/v1/repair", files={"image": worn, "mask": buffer.getvalue()})
    before, after = (np.array(PIL.Image.open(io.BytesIO(data))) for data in (worn, repaired.content))
    changed = (before != after).any(axis=2)
    assert changed[first].any()
    assert not changed[~first].any()
    assert everything.sum() > first.sum()


def test_all_regions_kept_is_the_same_as_no_mask(home, worn):
    answer = home.post("/v1/detect", files={"image": worn}).json()
    buffer = io.BytesIO()
    PIL.Image.fromarray(painted(answer).astype(np.uint8) * 255).save(buffer, "PNG")
    kept = home.post("/v1/repair", files={"image": worn, "mask": buffer.getvalue()})
    assert kept.content == home.post("/v1/repair", files={"image": worn}).content


def test_sensitivity_counts_and_foreign_fields_are_refused(home, worn):
    few, many = (
        home.post("/v1/detect", files={"image": worn}, data={"sensitivity": text}).json()["regions"]
        for text in ("0.05", "0.95")
    )
    assert len(few) < len(many)
    assert home.post("/v1/detect", files={"image": worn}, data={"seed": "1"}).json()["field"] == "seed"
    assert home.post("/v1/detect", files={"image": worn, "mask": worn}).status_code == 422


@pytest.mark.parametrize("seed", range(20))
def test_runs_come_back_as_the_mask(seed):
    rng = np.random.default_rng(seed)
    mask = rng.random(rng.integers(1, 12, 2)) < rng.choice([0, 0.3, 0.7, 1])
    answer = {"width": mask.shape[1], "height": mask.shape[0]}
    box = [0, 0, mask.shape[1], mask.shape[0]]
    region = {"box": box, "runs": runs_of(mask), "pixels": int(mask.sum())}
    json.dumps(region)
    np.testing.assert_array_equal(painted(answer | {"regions": [region]}), mask)


@pytest.fixture(scope="module")
def dated(worn):
    """The worn picture with a date burnt in."""
    image = np.array(PIL.Image.open(io.BytesIO(worn)))
    cv2.putText(image, "14 05 1998", (225, 285), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 0, 0), 2)
    return as_file(image)


def test_kinds_are_asked_for_and_what_is_left_is_listed(home, dated):
    def ask(**fields):
        return home.post("/v1/detect", files={"image": dated}, data=fields).json()

    usual, everything, text = ask(), ask(find="all"), ask(find="dates, captions")
    assert usual["nature"] == everything["nature"] == "photograph"
    assert {region["kind"] for region in usual["regions"]} & {"text", "watermark"} == set()
    (left,) = usual["left"]
    assert left["kind"] == "text" and left["id"] == len(usual["regions"])
    assert "--find text" in " ".join(usual["notes"])
    assert everything["left"] == [] and everything["notes"] == []
    assert [region | {"id": 0} for region in text["regions"]] == [left | {"id": 0}]
    dust = ask(find="damage", skip="scratches,cracks")["regions"]
    assert {region["kind"] for region in dust} <= {"dust", "stain", "hole"}
    assert ask(force="true", find="")["regions"] == usual["regions"]


def test_a_repair_tells_what_it_left(home, dated):
    answer = home.post("/v1/repair", files={"image": dated}, data={"find": "damage"})
    assert json.loads(answer.headers["remend-left"])["text"] == 1
    before, after = (np.array(PIL.Image.open(io.BytesIO(data))) for data in (dated, answer.content))
    date = (before == (255, 0, 0)).all(axis=2)
    assert (before != after).any() and date.sum() > 500 and (before == after)[date].all()


@pytest.mark.parametrize("path", ["/v1/detect", "/v1/repair", "/v1/jobs"])
@pytest.mark.parametrize(
    ("fields", "field", "detail"),
    [
        ({"find": "dust,fog"}, "find", "'fog' is no kind of damage"),
        ({"skip": "fog"}, "skip", "'fog' is no kind of damage"),
        ({"skip": "all"}, "skip", "skip takes away all that is to be found"),
        ({"find": "dust", "skip": "dust"}, "skip", "skip takes away all that is to be found"),
        ({"force": "perhaps"}, "force", "force must be true or false, got 'perhaps'"),
    ],
)
def test_kinds_that_cannot_be_meant(home, picture, path, fields, field, detail):
    answer = home.post(path, files={"image": picture}, data=fields)
    assert answer.status_code == 422
    problem = answer.json()
    assert (problem["kind"], problem["field"], problem["detail"]) == ("invalid-option", field, detail)
    assert problem["remedy"]


def test_the_page_and_the_command_sift_alike(home, worn):
    """A client may ask once for everything, and keep what is as sure as the sensitivity asks."""
    everything = home.post("/v1/detect", files={"image": worn}, data={"sensitivity": "0.98"}).json()
    for sensitivity in (0.2, 0.5, 0.8):
        asked = home.post("/v1/detect", files={"image": worn}, data={"sensitivity": str(sensitivity)}).json()
        kept = [region for region in everything["regions"] if region["confidence"] >= 1 - sensitivity]
        assert [region["box"] for region in kept] == [region["box"] for region in asked["regions"]]
