import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from remend.cli.train import train


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(4):
        knots = np.random.default_rng(index).integers(0, 256, (5, 6, 3), np.uint8)
        cv2.imwrite(str(folder / f"{index}.png"), cv2.resize(knots, (96, 80), interpolation=cv2.INTER_CUBIC))
    return folder


def check(photos, *more):
    small = ["--set", "data.crop_px=64", "--set", "data.validation_px=64"]
    return CliRunner().invoke(train, ["remend", "--data", str(photos), "--check", *small, *more])


def test_good_pictures_pass(photos):
    done = check(photos)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[:2] == ["layout: folder", "usable: 4 (photos 4)"]
    assert "broken: none" in lines


def test_broken_files_fail_and_are_named(photos):
    (photos / "x\x1b[2J.png").write_bytes(b"junk")
    done = check(photos, "--json")
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert report["usable"] == 4
    assert len(report["broken"]) == 1
    assert done.stderr == "remend: broken files: 1\n"
    assert "\x1b" not in check(photos).stdout  # names cannot write to the terminal


def test_pictures_of_the_held_out_set_fail(photos, tmp_path):
    (tmp_path / "held").mkdir()
    cv2.imwrite(str(tmp_path / "held" / "same.jpg"), cv2.imread(str(photos / "2.png")))
    done = check(photos, "--set", f"data.against={tmp_path / 'held'}")
    assert done.exit_code == 1
    assert "in the 1 held out: 1: photos/2.png ~ held/same.jpg" in done.stdout
