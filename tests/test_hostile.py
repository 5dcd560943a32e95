"""Whatever a stranger hands in: a repaired picture or one line, never a traceback, nothing half-written."""

import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from remend.batch import BatchOptions, Failure, attempt
from remend.io import read_picture
from remend.options import MaskOptions, Settings
from remend.picture import Picture

SHARED = BatchOptions(settings=Settings(method="telea"), options=MaskOptions())


def digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def mask_of(picture: Picture) -> np.ndarray:
    mask = np.zeros(picture.size, bool)
    top = picture.height // 3
    mask[top : top + 3, : picture.width // 2] = True
    mask[-1, -1] = False
    return mask


@pytest.mark.parametrize("folder", ["pngsuite", "exif_orientation"])
def test_every_hostile_file_is_repaired_or_refused_in_one_line(shared_data, tmp_path, folder):
    source = shared_data / "hostile" / folder
    before = digest(source)
    refused = []
    for path in sorted(source.iterdir()):
        target = tmp_path / path.name
        mask = None
        try:
            picture = read_picture(path)
            mask = tmp_path / f"{path.name}.mask"
            write_mask(mask, mask_of(picture))
        except Exception:
            mask = None  # whatever is wrong, the attempt below must say it its own way
        outcome = attempt(path, target, SHARED, mask=mask, place=Path(path.name))
        if isinstance(outcome, Failure):
            refused.append(path.name)
            assert "\n" not in outcome.message
            assert outcome.exit_code == 1
            assert not target.exists()
            continue
        # What was written can be read again and is the same outside the mask.
        after, truth = read_picture(target), read_picture(path)
        assert after.samples.dtype == truth.samples.dtype
        if folder == "pngsuite" and truth.palette is None:
            outside = ~mask_of(truth)
            np.testing.assert_array_equal(after.samples[outside], truth.samples[outside], err_msg=path.name)
    assert digest(source) == before
    if folder == "pngsuite":
        # The suite's broken files begin with x; nothing else may be refused.
        assert all(name.startswith("x") or not name.endswith(".png") for name in refused), refused
        assert sum(name.startswith("x") for name in refused) >= 10
    else:
        assert refused == []


def write_mask(path: Path, mask: np.ndarray) -> None:
    rows = b"".join(b"\0" + row.tobytes() for row in mask.astype(np.uint8) * 255)
    header = struct.pack(">IIBBBBB", mask.shape[1], mask.shape[0], 8, 0, 0, 0, 0)
    path.write_bytes(png(header, rows))


def png(header: bytes, rows: bytes) -> bytes:
    out = b"\x89PNG\r\n\x1a\n"
    for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")):
        out += struct.pack(">I", len(content)) + kind + content
        out += struct.pack(">I", zlib.crc32(kind + content))
    return out


def refused(tmp_path: Path, name: str, content: bytes) -> Failure:
    path = tmp_path / name
    path.write_bytes(content)
    outcome = attempt(path, tmp_path / "out.png", SHARED, mask=None, place=Path(name))
    assert isinstance(outcome, Failure)
    assert "\n" not in outcome.message
    assert not (tmp_path / "out.png").exists()
    return outcome


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path):
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    bomb = png(header, b"\0" * (30_000 * (30_000 // 8 + 1)))
    assert len(bomb) < 150_000
    outcome = refused(tmp_path, "bomb.png", bomb)
    assert outcome.exit_code == 4
    assert "--max-pixels" in outcome.message


def test_a_picture_one_pixel_high(tmp_path):
    path, mask = tmp_path / "line.png", tmp_path / "m.png"
    header = struct.pack(">IIBBBBB", 65535, 1, 8, 0, 0, 0, 0)
    path.write_bytes(png(header, b"\0" + bytes(65535)))
    hole = np.zeros((1, 65535), bool)
    hole[0, 100:200] = True
    write_mask(mask, hole)
    outcome = attempt(path, tmp_path / "out.png", SHARED, mask=mask, place=Path("line.png"))
    assert not isinstance(outcome, Failure), outcome


@pytest.mark.parametrize(
    "method", ["telea", "navier-stokes", "biharmonic", "smooth", "exemplar", "criminisi"]
)
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 2), (3, 40)])
def test_tiny_pictures(size, method):
    from remend.pipeline import repair_picture

    picture = Picture(np.full((*size, 3), 100, np.uint8), "RGB")
    mask = np.zeros(size, bool)
    mask[0, 0] = size != (1, 1)
    restored = repair_picture(picture, mask, Settings(method=method))
    assert np.abs(restored.picture.samples.astype(int) - 100).max() <= 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.jpg", b""),
        ("text.png", b"dear diary\n"),
        ("zip.tif", b"PK\x03\x04" + bytes(60)),
        ("nul.bmp", bytes(99)),
    ],
)
def test_what_is_no_picture(tmp_path, name, content):
    assert refused(tmp_path, name, content).exit_code == 1


def test_a_wrong_ending_is_read_all_the_same(tmp_path):
    header = struct.pack(">IIBBBBB", 9, 9, 8, 0, 0, 0, 0)
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(png(header, (b"\0" + bytes(9)) * 9))
    outcome = attempt(path, tmp_path / "out.png", SHARED, mask=None, place=Path(path.name))
    assert not isinstance(outcome, Failure), outcome
    assert any("png" in note.lower() for note in outcome.notes)
