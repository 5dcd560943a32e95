"""`remend mask`: files, patterns, folders, and refusing to overwrite."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from remend.cli.mask import mask
from remend.damage.synth import make_mask
from remend.errors import UsageError, WriteError


def run(*arguments: object):
    return CliRunner().invoke(mask, [str(argument) for argument in arguments])


def test_one_mask_white_is_the_hole(tmp_path: Path) -> None:
    out = tmp_path / "m.png"
    result = run("box", "-o", out, "--size", "40x30", "--seed", 7)
    assert result.exit_code == 0
    assert result.stdout == f"{out}\n"
    read = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)
    assert read.shape == (30, 40)
    np.testing.assert_array_equal(read == 255, make_mask("box", (30, 40), seed=7))
    assert set(np.unique(read)) == {0, 255}


def test_a_folder_with_ratio_and_json(tmp_path: Path) -> None:
    result = run(
        "scratches", "-o", tmp_path / "masks", "--count", 3, "--seed", 4, "--ratio", "0.05-0.1", "--json"
    )
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [Path(line["path"]).name for line in lines] == [f"scratches-{n:04d}.png" for n in (4, 5, 6)]
    for line in lines:
        assert 0.05 <= line["hole_ratio"] <= 0.1
        again = make_mask("scratches", (512, 512), seed=line["seed"], ratio=(0.05, 0.1))
        np.testing.assert_array_equal(cv2.imread(line["path"], 0) == 255, again)
    assert len(list((tmp_path / "masks").iterdir())) == 3


def test_a_pattern(tmp_path: Path) -> None:
    assert run("box", "-o", tmp_path / "m-%02d.png", "--count", 2, "--size", "16x16").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m-00.png", "m-01.png"]


def test_standard_output() -> None:
    result = run("centre", "-o", "-", "--size", "8x8")
    assert result.stdout_bytes.startswith(b"\x89PNG")


def test_never_overwrites_unasked(tmp_path: Path) -> None:
    out = tmp_path / "m-1.png"
    out.write_bytes(b"mine")
    result = run("box", "-o", tmp_path / "m-%d.png", "--count", 2, "--size", "16x16")
    assert isinstance(result.exception, WriteError)
    assert out.read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == ["m-1.png"]  # not even the first was written
    assert run("box", "-o", out, "--size", "16x16", "--overwrite").exit_code == 0
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["box", "-o", "m.png", "--count", "2"], "folder or a pattern"),
        (["box", "-o", "m.jpg"], "end the name in .png"),
        (["box", "-o", "m-%s-%s.png"], "not a pattern"),
        (["box", "-o", "-", "--count", "2"], "standard output"),
    ],
)
def test_what_cannot_be_meant(tmp_path: Path, monkeypatch, arguments: list[str], words: str) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert isinstance(result.exception, UsageError)
    assert words in str(result.exception)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments", [["--size", "12"], ["--size", "0x4"], ["--ratio", "half"], ["--seed", "-1"]]
)
def test_bad_options_are_usage_errors(arguments: list[str]) -> None:
    result = run("box", "-o", "m.png", *arguments)
    assert result.exit_code == 2
    assert "Error" in result.stderr


def test_an_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    result = run("box", "-o", tmp_path / "file" / "m.png")
    assert isinstance(result.exception, WriteError)


def test_help_lists_every_kind() -> None:
    assert "craquelure" in run("--help").stdout
