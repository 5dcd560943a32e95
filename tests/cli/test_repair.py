"""The command as a stranger runs it: a process, files, pipes, exit codes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import remend
from made_models import write_mean_filler


def run(
    *arguments: object, stdin: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "remend", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, timeout=120, check=False)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A folder with a damaged picture ``a.png`` and its mask ``m.png``."""
    y, x = np.mgrid[:60, :80]
    image = np.stack([100 + x // 2, 80 + y, 120 + 0 * x], axis=2).astype(np.uint8)
    mask = np.zeros((60, 80), np.uint8)
    mask[20:23, 10:70] = 255
    image[mask > 0] = 255
    PIL.Image.fromarray(image).save(tmp_path / "a.png")
    PIL.Image.fromarray(mask).save(tmp_path / "m.png")
    return tmp_path


def one_line(result: subprocess.CompletedProcess[bytes]) -> str:
    """The only line on stderr."""
    lines = result.stderr.decode().strip().splitlines()
    assert len(lines) == 1, lines
    assert "Traceback" not in lines[0]
    return lines[0]


def test_a_file_with_its_mask(scene):
    result = run("repair", "a.png", "-m", "m.png", cwd=scene)
    assert result.returncode == 0
    assert result.stdout.decode() == "a.repaired.png\n"
    repaired = np.array(PIL.Image.open(scene / "a.repaired.png"))
    expected = remend.repair(
        np.array(PIL.Image.open(scene / "a.png")), np.array(PIL.Image.open(scene / "m.png"))
    )
    np.testing.assert_array_equal(repaired, expected)


def test_pipes_carry_the_picture_and_nothing_else(scene):
    result = run("repair", "-", "-m", scene / "m.png", "-o", "-", stdin=(scene / "a.png").read_bytes())
    assert result.returncode == 0
    assert result.stdout.startswith(b"\x89PNG")
    (scene / "piped.png").write_bytes(result.stdout)
    run("repair", "a.png", "-m", "m.png", "-o", "filed.png", cwd=scene)
    np.testing.assert_array_equal(
        np.array(PIL.Image.open(scene / "piped.png")), np.array(PIL.Image.open(scene / "filed.png"))
    )


def test_json_is_one_line_a_picture(scene):
    (scene / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    result = run("repair", "a.png", "broken.png", "-m", "m.png", "-o", "out/", "--json", cwd=scene)
    assert result.returncode == 1
    good, bad = (json.loads(line) for line in result.stdout.decode().splitlines())
    assert good["output"] == str(Path("out") / "a.png")
    assert good["hole_ratio"] == pytest.approx(180 / 4800)
    assert set(good["seconds"]) == {"read", "find", "fill", "write"}
    assert bad["input"] == "broken.png"
    assert bad["exit_code"] == 1


def test_explain_writes_the_plan(scene):
    result = run("repair", "a.png", "-m", "m.png", "--method", "exemplar", "--explain", "why", cwd=scene)
    assert result.returncode == 0
    names = sorted(path.name for path in (scene / "why").iterdir())
    assert names == ["a.png.mask.png", "a.png.plan.json", "a.png.plan.png", "a.png.sources.png"]
    plan = json.loads((scene / "why" / "a.png.plan.json").read_text())
    assert [step["filler"] for step in plan["steps"]] == ["exemplar"]
    assert plan["hole_pixels"] == 180
    mask = np.array(PIL.Image.open(scene / "why" / "a.png.mask.png"))
    np.testing.assert_array_equal(mask, np.array(PIL.Image.open(scene / "m.png")))


def test_a_dry_run_explains_and_writes_no_picture(scene):
    result = run("repair", "a.png", "-m", "m.png", "--dry-run", "--explain", "why", cwd=scene)
    assert result.returncode == 0
    assert (scene / "why" / "a.png.plan.json").exists()
    assert not (scene / "a.repaired.png").exists()
    assert result.stdout == b""


def test_a_model_file(scene):
    model = write_mean_filler(scene / "net.onnx")
    result = run("repair", "a.png", "-m", "m.png", "--method", model.name, cwd=scene)
    assert result.returncode == 0
    repaired = np.array(PIL.Image.open(scene / "a.repaired.png")).astype(int)
    hole = np.array(PIL.Image.open(scene / "m.png")) > 0
    assert np.abs(repaired[hole] - repaired[~hole].mean(axis=0)).max() < 40


def test_lines_to_follow(scene):
    model = write_mean_filler(scene / "net.onnx", guide=True, card={"margin_px": 4})
    lines = np.zeros((60, 80), np.uint8)
    lines[21] = 255
    PIL.Image.fromarray(lines).save(scene / "lines.png")
    arguments = ["repair", "a.png", "-m", "m.png", "--method", model.name, "--guide", "lines.png"]
    result = run(*arguments, cwd=scene)
    assert result.returncode == 0, result.stderr.decode()
    before, after = (np.array(PIL.Image.open(scene / name)) for name in ("a.png", "a.repaired.png"))
    hole = np.array(PIL.Image.open(scene / "m.png")) > 0
    np.testing.assert_array_equal(after[~hole], before[~hole])
    assert (after[21, 10:70] > 240).all()
    assert (after[20, 10:70] < 240).all()
    # Lines elsewhere cannot be followed, and the user is told.
    PIL.Image.fromarray(np.roll(lines, 30, axis=0)).save(scene / "lines.png")
    result = run(*arguments, "--json", "-o", "b.png", cwd=scene)
    assert json.loads(result.stdout)["notes"] == [
        "no line of the guide lies in what is repaired: there is nothing to follow"
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nowhere.png"], 1, "nowhere.png"),
        (["a.png", "-m", "nowhere.png"], 1, "nowhere.png"),
        (["a.png", "-m", "m.png", "--method", "magic"], 2, "telea"),
        (["a.png", "-m", "m.png", "--method", "nowhere.onnx"], 3, "nowhere.onnx"),
        (["a.png", "-m", "small.png"], 2, "--resize-mask"),
        (["a.png", "-m", "white.png"], 2, "--mask-polarity"),
        (["a.png", "-m", "m.png", "--guide", "m.png"], 2, "follows no lines"),
        (["a.png", "-m", "m.png", "--guide", "m.png", "--dry-run"], 2, "follows no lines"),
        (["a.png", "-m", "m.png", "--guide", "m.png", "--method", "telea"], 2, "telea follows no lines"),
        (["a.png", "-m", "m.png", "--guide", "small.png"], 2, "the guide is 10×10"),
        (["a.png", "-m", "m.png", "--guide", "nowhere.png"], 1, "nowhere.png"),
        (["a.png", "-m", "m.png", "-o", "m.png"], 4, "--overwrite"),
        (["a.png", "-m", "m.png", "-o", "a.png"], 4, "--overwrite"),
        (["a.png", "-m", "m.png", "-o", "a.png/b.png"], 4, "a.png"),
        (["a.png", "-m", "m.png", "--max-pixels", "100"], 4, "--max-pixels"),
        (["empty.png"], 1, "empty.png"),
        (["text.png"], 1, "text.png"),
        (["folder"], 2, "no picture"),
        (["-"], 2, "-o"),
        (["-", "a.png", "-o", "-"], 2, "single input"),
    ],
)
def test_what_goes_wrong_is_one_line_and_a_code(scene, arguments, code, says):
    PIL.Image.new("L", (10, 10)).save(scene / "small.png")
    PIL.Image.new("L", (80, 60), 255).save(scene / "white.png")
    (scene / "empty.png").write_bytes(b"")
    (scene / "text.png").write_text("dear diary")
    (scene / "folder").mkdir()
    before = {path: path.read_bytes() for path in scene.rglob("*") if path.is_file()}
    result = run("repair", *arguments, cwd=scene)
    assert result.returncode == code, result.stderr.decode()
    assert says in one_line(result)
    assert {path: path.read_bytes() for path in scene.rglob("*") if path.is_file()} == before


def test_unknown_options_are_usage(scene):
    assert run("repair", "a.png", "--sharpness", "3", cwd=scene).returncode == 2
    assert run("repare").returncode == 2


def test_names_with_newlines_and_leading_dashes(scene):
    picture = (scene / "a.png").read_bytes()
    for name in ("-dash.png", "new\nline.png"):
        (scene / name).write_bytes(picture)
        result = run("repair", "-m", "m.png", "--", name, cwd=scene)
        assert result.returncode == 0, result.stderr.decode()
        assert (scene / name.replace(".png", ".repaired.png")).exists()
        assert one_line(result)


def test_overwriting_the_input_works_when_asked_for(scene):
    before = np.array(PIL.Image.open(scene / "a.png"))
    assert run("repair", "a.png", "-m", "m.png", "-o", "a.png", "--overwrite", cwd=scene).returncode == 0
    after = np.array(PIL.Image.open(scene / "a.png"))
    hole = np.array(PIL.Image.open(scene / "m.png")) > 0
    np.testing.assert_array_equal(after[~hole], before[~hole])
    assert (after[hole] != before[hole]).any()


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_an_interrupt_ends_with_130_and_leaves_nothing_half_written(scene):
    big = np.random.default_rng(0).integers(0, 255, (1500, 1500, 3), dtype=np.uint8)
    hole = np.zeros((1500, 1500), np.uint8)
    hole[300:1200, 300:1200] = 255
    PIL.Image.fromarray(big).save(scene / "big.png")
    PIL.Image.fromarray(hole).save(scene / "hole.png")
    command = [sys.executable, "-m", "remend", "repair", "big.png", "-m", "hole.png", "--method", "criminisi"]
    process = subprocess.Popen(
        command,
        cwd=scene,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # What a shell starts in the background, this suite perhaps, is told to ignore interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "interrupted" in stderr.decode()
    assert "Traceback" not in stderr.decode()
    assert not list(scene.glob("*repaired*"))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(scene):
    (scene / "locked").mkdir(mode=0o500)
    result = run("repair", "a.png", "-m", "m.png", "-o", "locked/a.png", cwd=scene)
    assert result.returncode == 4
    assert one_line(result)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_reader_that_left_is_no_traceback(scene):
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "remend", "repair", "a.png", "-m", "m.png", "-o", "-"]
        result = subprocess.run(command, cwd=scene, stdout=full, stderr=subprocess.PIPE, check=False)
    assert result.returncode == 4
    assert b"Traceback" not in result.stderr


def test_what_is_about_searching_is_refused_once_beside_a_mask(scene):
    PIL.Image.open(scene / "a.png").save(scene / "b.png")
    flags = ["--find", "dust", "--skip", "hole", "--force", "-o", "out"]
    result = run("repair", "a.png", "b.png", "-m", "m.png", *flags, cwd=scene)
    assert result.returncode == 2
    assert one_line(result) == (
        "remend: --find, --skip, --force: for finding damage, and a mask is given: leave out one or the other"
    )
    assert not (scene / "out").exists()
