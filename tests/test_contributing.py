"""The examples of CONTRIBUTING.md, as they stand: a kind of damage and a container."""

import json

import numpy as np
import pytest
from PIL import Image

import remend
from made_package import package_with, run
from remend.damage import finder as registry
from remend.errors import UsageError
from remend.kinds import KINDS


@pytest.fixture
def burnt(tmp_path):
    """A photograph of noise with a white corner, and a hole for it."""
    samples = np.random.default_rng(0).integers(60, 190, (64, 80, 3), dtype=np.uint8)
    samples[:9, :12] = 255
    Image.fromarray(samples).save(tmp_path / "burnt.png")
    Image.fromarray(samples).save(tmp_path / "burnt.ppm")
    hole = np.zeros((64, 80), np.uint8)
    hole[30:33, 20:50] = 255
    Image.fromarray(hole).save(tmp_path / "hole.png")
    return samples, hole > 0


def test_a_kind_of_damage_is_two_files(tmp_path, burnt):
    assert package_with("A new kind of damage", tmp_path) == {
        "remend/kinds.py",
        "remend/damage/rules/clipped.py",
    }
    asked = ("-m", "remend", "detect", "burnt.png", "-o", "mask.png", "--force", "--json", "--dilate-px", "0")
    told = json.loads(run(tmp_path, *asked, "--find", "burned"))
    assert [region["kind"] for region in told["regions"]] == ["clipped"]
    marked = np.array(Image.open(tmp_path / "mask.png")) > 0
    assert marked[:9, :12].all() and marked.sum() == 9 * 12
    found = run(
        tmp_path, "-m", "remend", "repair", "burnt.png", "--find", "all", "--skip", "burnt", "--force"
    )
    assert "clipped" not in found
    assert "clipped" in run(tmp_path, "-m", "remend", "repair", "--help")


def test_a_container_is_one_file_and_its_row(tmp_path, burnt):
    samples, hole = burnt
    assert package_with("A new container", tmp_path) == {"remend/io/ppm.py", "remend/io/registry.py"}
    run(tmp_path, "-m", "remend", "repair", "burnt.ppm", "-m", "hole.png", "-o", "mended.ppm")
    run(
        tmp_path,
        "-m",
        "remend",
        "repair",
        "burnt.png",
        "-m",
        "hole.png",
        "-o",
        "mended.pgm",
        "--format",
        "ppm",
    )
    for name in ("mended.ppm", "mended.pgm"):
        with Image.open(tmp_path / name) as mended:
            assert mended.format == "PPM"
            result = np.array(mended)
        np.testing.assert_array_equal(result[~hole], samples[~hole])
        assert (result[hole] != samples[hole]).any()


def test_a_finder_is_registered_from_outside(monkeypatch):
    monkeypatch.setattr(registry, "_FINDERS", dict(registry._FINDERS))
    before = dict(KINDS)
    image = np.random.default_rng(0).integers(60, 190, (64, 80, 3), dtype=np.uint8)
    image[20:30, 20:30] = (0, 255, 0)
    try:

        @remend.register_finder("green", words=("greens",))
        def green(picture):
            there = (picture == (0, 255, 0)).all(axis=2)
            box = remend.Box.around(there)
            return [remend.Region(box, there[box.slices], "green", 0.9)]

        (region,) = remend.detect(image, find="greens", force=True)
        assert region.kind == "green" and region.box == remend.Box(20, 20, 30, 30)
        assert "green" not in {one.kind for one in remend.detect(image, force=True)}
        for taken in ({"kind": "green"}, {"kind": "dates"}, {"kind": "new", "words": ["tears"]}):
            with pytest.raises(UsageError, match="the word is taken"):
                remend.register_finder(**taken)
    finally:
        KINDS.clear()
        KINDS.update(before)
