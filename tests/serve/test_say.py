"""Words over HTTP: what they mean is found, several that fit are a problem with choices."""

import io
import wave

import pytest

from made_scenes import GREEN, RED, landscape
from remend.saying.listening import listens

from .conftest import as_file


@pytest.fixture(scope="module")
def scene() -> bytes:
    made = landscape(4)
    made.ball("left", 150, 300, RED)
    made.ball("right", 450, 300, RED)
    made.ball("green", 300, 320, GREEN)
    return as_file(made.pixels)


def test_what_is_said_is_found(home, scene):
    answer = home.post("/v1/detect", files={"image": scene}, data={"say": "去掉绿色的球"}).json()
    (region,) = answer["regions"]
    assert region["kind"] == "object"
    assert region["box"][0] < 300 < region["box"][2]
    assert any("绿色" in note for note in answer["notes"])


def test_several_that_fit_are_a_problem_with_choices(home, scene):
    asked = home.post("/v1/detect", files={"image": scene}, data={"say": "the red ball"})
    assert asked.status_code == 422
    told = asked.json()
    assert (told["kind"], told["field"]) == ("ambiguous", "say")
    assert "--" not in told["detail"]
    assert [choice["number"] for choice in told["choices"]] == [1, 2]
    assert told["choices"][1]["box"][0] > 300
    sent = {"say": "the red ball", "pick": "2"}
    (region,) = home.post("/v1/detect", files={"image": scene}, data=sent).json()["regions"]
    assert region["box"][0] > 300


def test_what_means_nothing_is_an_option_that_cannot_be_meant(home, scene):
    refused = home.post("/v1/repair", files={"image": scene}, data={"say": "remove the flibber"})
    assert refused.status_code == 422
    assert refused.json()["kind"] == "invalid-option"
    assert "flibber" in refused.json()["detail"]


def test_a_sound_without_speech_is_refused(home):
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    refused = home.post("/v1/listen", files={"sound": data.getvalue()})
    assert refused.status_code == 422
    assert ("understood" in refused.json()["detail"]) or not listens()
    none = home.post("/v1/listen", files={"other": b"x"})
    assert none.status_code == 422
    assert any("sound" in str(one) or "other" in str(one) for one in none.json().values())
    assert home.get("/v1/methods").json()["listens"] is listens()
