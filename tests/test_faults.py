"""One bad file never stops the rest, whatever it makes a library raise; and each costs one line."""

import io
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import remend
from remend.batch import BatchOptions, Failure, plan_jobs, run_jobs
from remend.batch import outcome as one_picture
from remend.budget import Budget
from remend.errors import DecodeError, InternalError, ResourceError
from remend.faults import DEBUG, as_own
from remend.io import encode_picture, read_picture
from remend.io.quiet import quiet_libraries
from remend.options import Bounds, MaskOptions, Settings
from remend.report import RepairReport

SHARED = BatchOptions(settings=Settings(method="telea"), options=MaskOptions())


def tiff(tags: dict[int, tuple[int, tuple[int, ...]]], pixels: bytes) -> bytes:
    """A little-endian TIFF: tag -> (type 3 or 4, values); the pixels lie at byte 8."""
    at = 8 + len(pixels)
    entries, values = b"", b""
    behind = at + 2 + 12 * len(tags) + 4
    for tag, (kind, numbers) in sorted(tags.items()):
        data = struct.pack(f"<{len(numbers)}{'HI'[kind - 3]}", *numbers)
        field = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack("<I", behind + len(values))
        values += b"" if len(data) <= 4 else data
        entries += struct.pack("<HHI", tag, kind, len(numbers)) + field
    return (
        struct.pack("<2sHI", b"II", 42, at)
        + pixels
        + struct.pack("<H", len(tags))
        + entries
        + bytes(4)
        + values
    )


ANY = Bounds(max_pixels=1 << 40, max_memory=1 << 50, max_ratio=0)


def wide_rows(compression: int) -> bytes:
    """Claims a row of 6.4 GB: more than the 32 bits in which libtiff is told its length."""
    one = {256: 100_000_000, 257: 2, 259: compression, 262: 1, 273: 8, 277: 64, 278: 2, 279: 4}
    return tiff({tag: (4, (value,)) for tag, value in one.items()} | {258: (3, (8,) * 64)}, bytes(4))


def long_palette() -> bytes:
    """A palette whose numbers are 32 bits wide, and larger than 16 bits hold."""
    one = {256: 16, 257: 16, 258: 8, 259: 1, 262: 3, 273: 8, 277: 1, 278: 16, 279: 256}
    ramp = tuple(70_000 + value if value > 200 else 257 * value for value in range(256)) * 3
    return tiff({tag: (4, (value,)) for tag, value in one.items()} | {320: (4, ramp)}, bytes(range(256)))


def png(size: tuple[int, int], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(np.full(size, 120, np.uint8)).save(path)
    return path


@pytest.mark.parametrize("compression", [5, 32773])
def test_a_tiff_whose_rows_are_too_long_is_damaged(compression):
    with pytest.raises(DecodeError, match="rows of 100000000 pixels"):
        read_picture(wide_rows(compression), budget=Budget(ANY))


def test_a_palette_of_larger_numbers_is_read_and_written():
    picture = read_picture(long_palette())
    assert picture.palette[[0, 128, 255], 0].tolist() == [0, 128, 255]
    changed = np.zeros(picture.size, bool)
    changed[3, 3] = True
    picture.samples[3, 3] = 7
    again = read_picture(encode_picture(picture, changed=changed).data)
    assert again.samples[3, 3, 0] == 7
    np.testing.assert_array_equal(again.palette, picture.palette)


@pytest.mark.parametrize("size", [(4, 20_000), (20_000, 4), (1, 5_000)])
def test_a_picture_longer_than_3200_to_1_is_searched_and_explained(tmp_path, size):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*size, 3), np.uint8)
    remend.detect(image, find="all", force=True, sensitivity=1.0)
    path = png(size, tmp_path / "a.png")
    shared = BatchOptions(settings=Settings(), options=MaskOptions(), explain=tmp_path / "why")
    mask = np.zeros(size, np.uint8)
    mask[-1, -1] = mask[0, 5 if size[1] > 5 else 1] = 255
    PIL.Image.fromarray(mask).save(tmp_path / "m.png")
    jobs = plan_jobs([path], output=tmp_path / "o.png", mask=tmp_path / "m.png", recursive=False)
    ((_, outcome),) = run_jobs(jobs, shared)
    assert isinstance(outcome, RepairReport)


@pytest.mark.parametrize(
    "error",
    [struct.error("no"), OverflowError(), KeyError(3), AssertionError("a\nb"), RecursionError("deep")],
)
def test_whatever_a_picture_raises_costs_that_picture_only(tmp_path, monkeypatch, error):
    true = one_picture.repair_file

    def raising(source, *args, **more):
        if Path(source).name == "b.png":
            raise error
        return true(source, *args, **more)

    monkeypatch.setattr(one_picture, "repair_file", raising)
    for name in ("a.png", "b.png", "c.png"):
        png((20, 20), tmp_path / "album" / name)
    jobs = plan_jobs([tmp_path / "album"], output=tmp_path / "out", mask=None, recursive=False)
    outcomes = {job.source.name: outcome for job, outcome in run_jobs(jobs, SHARED)}
    assert [name for name, outcome in outcomes.items() if isinstance(outcome, Failure)] == ["b.png"]
    failure = outcomes["b.png"]
    assert "\n" not in failure.message
    assert "a fault of Remend's own" in failure.message
    assert failure.exit_code == 1
    assert type(error).__name__ in failure.trace


def test_memory_that_opencv_lacks_is_memory():
    cv2 = pytest.importorskip("cv2")
    error = cv2.error("Failed to allocate")
    error.code = -4
    assert isinstance(as_own(error), ResourceError)
    assert isinstance(as_own(MemoryError()), ResourceError)


def test_python_gets_one_class_too(monkeypatch):
    def broken(*args, **more):
        raise struct.error("no")

    monkeypatch.setattr("remend.api.repair_picture", broken)
    with pytest.raises(InternalError, match=r"struct\.error") as caught:
        remend.repair(np.zeros((9, 9), np.uint8), np.eye(9, dtype=bool))
    assert isinstance(caught.value.__cause__, struct.error)


@pytest.mark.parametrize("error", [struct.error("no"), OverflowError(), OSError("odd"), MemoryError()])
@pytest.mark.parametrize("place", ["as_picture", "find_mask", "repair_picture", "write_picture"])
def test_a_file_repaired_from_python_raises_one_line_about_it(tmp_path, monkeypatch, place, error):
    def broken(*args, **more):
        raise error

    monkeypatch.setattr(f"remend.repairing.{place}", broken)
    path, target = png((9, 9), tmp_path / "two\nlines.png"), tmp_path / "b.png"
    with pytest.raises(remend.RemendError) as caught:
        remend.repair_file(path, target, mask=np.eye(9, dtype=bool), settings=Settings(method="telea"))
    line = str(caught.value)
    assert "\n" not in line and line.startswith(f"{tmp_path}/two\\nlines.png: ")
    assert caught.value.__cause__ is error
    assert not target.exists()


@pytest.mark.parametrize("which", ["observer", "stages", "inspect"])
def test_what_functions_of_the_caller_raise_is_theirs(tmp_path, which):
    path = png((9, 9), tmp_path / "a.png")

    def raising(*args):
        raise KeyError(which)

    mask = np.eye(9, dtype=bool)
    with pytest.raises(KeyError, match=which):
        remend.repair_file(path, tmp_path / "b.png", mask=mask, **{which: raising})


def run(*arguments, **more):
    command = [sys.executable, "-m", "remend", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(remend.__file__).parents[1])}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, **more)


def damaged(path: Path) -> Path:
    """A file on which libtiff has much to say."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    PIL.Image.fromarray(noise).save(file, "TIFF", compression="tiff_lzw")
    data = bytearray(file.getvalue())
    data[8:400] = b"\xff" * 392
    path.write_bytes(bytes(data))
    return path


def test_one_line_for_a_damaged_file_and_more_only_under_debug(tmp_path):
    path = damaged(tmp_path / "a.tif")
    said = run("repair", path, "-o", tmp_path / "b.tif").stderr
    assert said.count("\n") == 1
    assert said.startswith(f"remend: {path}: a damaged TIFF")
    for order in (("--debug", "repair"), ("repair", "--debug")):
        more = run(*order, path, "-o", tmp_path / "b.tif").stderr
        assert "Traceback" in more
        assert "tempfile.tif" in more or "LZW" in more


def test_what_others_write_to_stderr_goes_through(capfd, monkeypatch):
    monkeypatch.delenv(DEBUG, raising=False)
    with quiet_libraries():
        os.write(2, b"LZWDecode: Not enough data at scanline 4 (short 3 bytes).\n")
        os.write(2, b"Corrupt JPEG data: premature end of data segment\n")
        os.write(2, b"mine: TIFF is a format\n")
    assert capfd.readouterr().err == "mine: TIFF is a format\n"


def test_threads_share_one_silence(capfd, tmp_path):
    data = damaged(tmp_path / "a.tif").read_bytes()

    def read():
        for _ in range(20):
            with pytest.raises(DecodeError):
                read_picture(data)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert capfd.readouterr().err == ""
    os.write(2, b"still there\n")
    assert capfd.readouterr().err == "still there\n"


def test_the_server_says_that_it_is_this_picture():
    pytest.importorskip("fastapi", reason="serving needs its extra: pip install '.[serve]'")
    from remend.serve.worker import _internal

    problem = _internal(OverflowError("Python integer 65536 out of bounds for uint16")).problem
    assert (problem.status, problem.kind) == (422, "unworkable")
    assert "OverflowError" in problem.detail
