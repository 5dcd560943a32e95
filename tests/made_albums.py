"""Folders of small pictures, each of its own, made by seed; and what lies in a folder, by hash."""

import hashlib
from pathlib import Path

import numpy as np
import PIL.Image

SIZE = (48, 40)


def make_album(folder: Path, count: int, *, bad: int = 0) -> list[Path]:
    """So many pictures, PNG and JPEG in turn; the first ``bad`` of them are broken in one of three ways."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        noise = np.random.default_rng(number)
        y, x = np.mgrid[: SIZE[1], : SIZE[0]]
        smooth = 90 + 50 * np.sin(x / (4 + number % 7)) + 30 * np.cos(y / (3 + number % 5))
        array = (smooth[..., None] + noise.normal(0, 4, (SIZE[1], SIZE[0], 3))).clip(0, 255).astype(np.uint8)
        path = folder / f"p{number:04d}.{'png' if number % 2 else 'jpg'}"
        PIL.Image.fromarray(array).save(path)
        if number < bad:
            whole = path.read_bytes()
            path.write_bytes((b"", whole[: len(whole) // 3], b"no picture at all")[number % 3])
        paths.append(path)
    return paths


def make_mask(path: Path) -> Path:
    """One mask for all of them: a stroke."""
    array = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    array[16:20, 8:32] = 255
    PIL.Image.fromarray(array).save(path)
    return path


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder by its place, but for manifests and drafts."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.relative_to(folder).parts[0].startswith(".remend")
    }
