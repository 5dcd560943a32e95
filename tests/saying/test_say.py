"""Words on the command line, in Python and over HTTP: what is said goes, and only that."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import remend
from made_scenes import landscape
from remend.cli.main import remend as command
from remend.errors import AmbiguousError, UsageError

RED, GREEN = (200, 30, 30), (20, 170, 50)


@pytest.fixture(scope="module")
def scene():
    made = landscape(4)
    made.ball("left", 150, 300, RED)
    made.ball("right", 450, 300, RED)
    made.ball("green", 300, 320, GREEN)
    return made


@pytest.fixture
def path(scene, tmp_path):
    Image.fromarray(scene.pixels).save(tmp_path / "scene.png")
    return tmp_path / "scene.png"


def changed(scene, result) -> np.ndarray:
    return (np.asarray(result) != scene.pixels).any(axis=2)


def test_what_is_said_is_repaired_and_nothing_else(scene):
    result = remend.repair(scene.pixels, say="remove the green ball", quality="fast")
    was = changed(scene, result)
    assert (was & scene.masks["green"]).sum() > 0.95 * scene.masks["green"].sum()
    assert was.sum() < 1.6 * scene.masks["green"].sum()


def test_regions_come_with_their_kind(scene):
    (region,) = remend.detect(scene.pixels, say="the green ball")
    assert region.kind == "object"
    assert region.box.left < 300 < region.box.right


def test_one_of_two_is_asked_for_and_picked(scene):
    with pytest.raises(AmbiguousError, match=r"fits 2 things: 1 .*, 2 .*--pick") as asked:
        remend.detect(scene.pixels, say="remove the red ball")
    assert [choice.number for choice in asked.value.choices] == [1, 2]
    (region,) = remend.detect(scene.pixels, say="remove the red ball", pick="2")
    assert region.box.left > 400
    assert len(remend.detect(scene.pixels, say="remove the red ball", pick="all")) == 2


def test_words_that_can_do_nothing_are_told(scene):
    with pytest.raises(UsageError, match="leave find and skip out"):
        remend.detect(scene.pixels, say="the dust", find="text")
    with pytest.raises(UsageError, match="nothing is said"):
        remend.detect(scene.pixels, pick="1")
    with pytest.raises(UsageError, match="a mask is given"):
        remend.repair(scene.pixels, scene.masks["left"], say="the dust")


def test_the_command_repairs_what_is_said(scene, path):
    out = path.with_name("out.png")
    done = CliRunner().invoke(command, ["repair", str(path), "--say", "去掉绿色的球", "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert "绿色" in done.output
    was = changed(scene, Image.open(out))
    assert (was & scene.masks["green"]).sum() > 0.95 * scene.masks["green"].sum()


def test_the_command_asks_with_numbers(path):
    done = CliRunner().invoke(command, ["detect", str(path), "--say", "the red ball", "--json"])
    assert done.exit_code == 2
    told = json.loads(done.stdout)
    assert [choice["number"] for choice in told["choices"]] == [1, 2]
    assert "--pick" in done.stderr
    again = CliRunner().invoke(
        command, ["detect", str(path), "--say", "the red ball", "--pick", "1", "--json"]
    )
    assert again.exit_code == 0, again.output
    (region,) = json.loads(again.stdout)["regions"]
    assert region["box"][0] < 200


def test_an_overlay_shows_an_object(path):
    seen = path.with_name("seen.png")
    done = CliRunner().invoke(command, ["detect", str(path), "--say", "green ball", "--overlay", str(seen)])
    assert done.exit_code == 0, done.output
    assert changed_anything(path, seen)


def changed_anything(one, other) -> bool:
    return bool((np.asarray(Image.open(one)) != np.asarray(Image.open(other).convert("RGB"))).any())


def test_scratches_of_a_photograph_are_scratches_and_no_more():
    photo = np.asarray(Image.open(Path(__file__).parents[2] / "examples" / "portrait-scratched.jpg"))
    everywhere = remend.detect(photo, say="the scratches")
    marked = sum(int(region.mask.sum()) for region in everywhere) / photo[..., 0].size
    assert len(everywhere) > 8 and marked < 0.04  # a dark helmet with a scratch on it is a helmet
    left = remend.detect(photo, say="the scratches at the left")
    assert 3 <= len(left) < len(everywhere)
    assert all(region.box.left < photo.shape[1] / 2 for region in left)
    largest, *more = (region.box for region in remend.detect(photo, say="the biggest scratch"))
    for box in more:  # of a broken line
        largest = largest.union(box)
    assert max(largest.height, largest.width) < photo.shape[1] / 2
