"""What is found, what is left and what is said of it, from ``analyse`` to the report."""

from typing import Any

import numpy as np
import pytest

import remend
from remend.damage.find import Analysis
from remend.errors import UsageError
from remend.finding import find_mask
from remend.options import MaskOptions
from remend.picture import Box, Container, Metadata, Picture, Region
from remend.repairing import repair_file

SIZE = (60, 80)


def region(kind, confidence, left):
    return Region(Box(20, left, 24, left + 6), np.ones((4, 6), bool), kind, confidence)


def answering(monkeypatch, analysis: Analysis) -> list[dict[str, Any]]:
    """Every search answers this; what it is asked for is kept."""
    asked: list[dict[str, Any]] = []

    def analyse(image: Any, **options: Any) -> Analysis:
        asked.append(options)
        return analysis

    monkeypatch.setattr("remend.damage.find.analyse", analyse)
    return asked


def plain() -> Picture:
    return Picture(np.full((*SIZE, 3), 90, np.uint8), "RGB")


def test_the_options_reach_the_finder(monkeypatch):
    asked = answering(monkeypatch, Analysis(()))
    metadata = Metadata(dpi=(600.0, 300.0))
    scanned = Picture(np.full((*SIZE, 1), 90, np.uint8), "L", container=Container("png", metadata=metadata))
    find_mask(
        scanned, None, options=MaskOptions(sensitivity=0.7, find=("damage,text",), skip=("dust",), force=True)
    )
    find_mask(plain(), None, options=MaskOptions())
    first, second = asked
    assert first == {
        "sensitivity": 0.7,
        "kinds": ("scratch", "crack", "stain", "hole", "text"),
        "force": True,
    }
    assert second["kinds"] == ("scratch", "crack", "dust", "stain", "hole")
    assert not second["force"]


def test_what_was_left_is_not_in_the_mask_and_is_told(monkeypatch):
    note = "a date or caption was seen and left: --find text removes it"
    date = region("text", 0.9, 50)
    answering(monkeypatch, Analysis((region("dust", 0.8, 10),), (date,), notes=(note,)))
    finding = find_mask(plain(), None, options=MaskOptions())
    assert finding.mask[20:24, 10:16].all() and not finding.mask[:, 40:].any()
    assert finding.left == (date,) and finding.nature == "photograph" and finding.notes == (note,)
    report = repair_file(_png(), None).as_json()
    assert (report["found"], report["left"], report["nature"]) == ({"dust": 1}, {"text": 1}, "photograph")
    assert report["notes"] == [note]


def _png() -> bytes:
    import io

    import PIL.Image

    data = io.BytesIO()
    PIL.Image.fromarray(np.full((*SIZE, 3), 90, np.uint8)).save(data, "PNG")
    return data.getvalue()


def test_a_given_mask_asks_nothing(monkeypatch):
    asked = answering(monkeypatch, Analysis(()))
    finding = find_mask(plain(), np.zeros(SIZE, bool), options=MaskOptions())
    assert not asked and finding.nature is None and finding.left == ()


@pytest.mark.parametrize(
    ("fainter", "sensitivity", "said"),
    [
        (0.0, 0.5, "no damage found"),
        (0.4, 0.5, "no damage found that is sure: look harder with --sensitivity 0.8"),
        (0.2, 0.5, "no damage found that is sure: look harder with --sensitivity 0.8"),
        (0.12, 0.5, "no damage found that is sure: look harder with --sensitivity 0.9"),
        (0.04, 0.9, "no damage found that is sure: look harder with --sensitivity 1"),
        (0.02, 1.0, "no damage found"),
    ],
)
def test_nothing_found_points_on_only_where_something_is(monkeypatch, fainter, sensitivity, said):
    answering(monkeypatch, Analysis((), fainter=fainter))
    finding = find_mask(plain(), None, options=MaskOptions(sensitivity=sensitivity))
    assert finding.notes == (said,) and not finding.mask.any()


def test_what_is_no_photograph_says_only_that(monkeypatch):
    note = "this looks like a document, not a photograph: left as it is; --force searches it all the same"
    answering(monkeypatch, Analysis((), nature="document", notes=(note,)))
    finding = find_mask(plain(), None, options=MaskOptions())
    assert finding.notes == (note,) and finding.nature == "document"
    answering(monkeypatch, Analysis((), nature="document"))
    assert find_mask(plain(), None, options=MaskOptions(force=True)).notes == ("no damage found",)


def test_words_of_kinds_are_checked_before_any_work():
    with pytest.raises(UsageError, match="'fog' is no kind of damage: choose from scratch"):
        remend.repair("missing.png", find="fog")
    with pytest.raises(UsageError, match="takes away all"):
        remend.detect("missing.png", find=["dust"], skip=["dust"])


def test_python_takes_one_word_or_several(monkeypatch):
    asked = answering(monkeypatch, Analysis((region("dust", 0.8, 10),)))
    image = np.full((*SIZE, 3), 90, np.uint8)
    for find in ("dust,dates", ["dust", "dates"], ("dates", "dust")):
        (found,) = remend.detect(image, find=find, force=True)
        assert found.kind == "dust"
    remend.repair(image, find="all", skip="watermark")
    assert [each["kinds"] for each in asked[:3]] == [("dust", "text")] * 3
    assert asked[3]["kinds"] == ("scratch", "crack", "dust", "stain", "hole", "text")
    assert [each["force"] for each in asked] == [True] * 3 + [False]


def scratched() -> np.ndarray:
    """A smooth picture with a bright scratch, 3 px wide, and a burnt-in date."""
    import cv2

    y, x = np.mgrid[:300, :400].astype(np.float32)
    picture = np.stack([80 + 30 * np.sin(x / 90), 70 + 25 * np.cos(y / 70), 60 + x / 20], axis=2)
    picture = np.clip(picture + np.random.default_rng(0).normal(0, 1.5, picture.shape), 0, 255).astype(
        np.uint8
    )
    cv2.line(picture, (120, 20), (150, 280), (245, 245, 245), 3)
    cv2.putText(picture, "14 05 1998", (225, 280), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 0, 0), 2)
    return picture


def test_more_sensitivity_never_finds_less():
    picture = scratched()
    before: set[tuple[str, Box]] = set()
    for sensitivity in (0.05, 0.3, 0.5, 0.7, 0.98):
        found = remend.detect(picture, sensitivity=sensitivity)
        assert all(each.confidence >= 1 - sensitivity - 1e-6 for each in found)
        now = {(each.kind, each.box) for each in found}
        assert before <= now
        before = now
    assert before


def test_a_date_is_left_unless_it_is_asked_for():
    picture = scratched()
    date = np.zeros(picture.shape[:2], bool)
    date[255:290, 220:390] = True
    repaired = remend.repair(picture)
    changed = (repaired != picture).any(axis=2)
    assert changed[20:280, 110:160].any() and not changed[date].any()
    asked = remend.repair(picture, find="text")
    assert (asked != picture).any(axis=2)[date].any()
    np.testing.assert_array_equal(asked[:, :200], picture[:, :200])


@pytest.mark.parametrize(
    ("name", "value"), [("find", "dust"), ("skip", "dust"), ("force", True), ("sensitivity", 0.9)]
)
def test_what_is_about_searching_is_refused_beside_a_mask(name, value):
    picture, mask = np.full((9, 9), 120, np.uint8), np.eye(9, dtype=bool)
    with pytest.raises(UsageError, match=f"--{name}: for finding damage, and a mask is given"):
        remend.repair(picture, mask, **{name: value})
    with pytest.raises(UsageError, match="mask is given"):
        find_mask(Picture(picture[..., None], "L"), mask, options=MaskOptions(**{name: value}))
    remend.repair(picture, mask, find="", skip=())
