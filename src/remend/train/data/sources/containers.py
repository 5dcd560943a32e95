"""Pictures out of files that hold many (Parquet, zip, LMDB), and folders of kinds that are not learned from.

None of these can be read by place as training does it, so they are converted once, into shards. JPEG, PNG and
WebP go on byte for byte; anything else that OpenCV reads (TIFF, BMP) becomes eight bits a channel.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError
from remend.train.data.sources.folder import walk
from remend.train.data.sources.record import Record

__all__ = ["Container", "is_container"]

_MOST_BYTES = 1 << 28  # of one encoded picture
_ROWS = 64  # of a Parquet file, read at a time
_MAGIC = {b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png", b"RIFF": "webp"}
_NAMES = ("file_name", "filename", "path", "__key__")
_LABELS = ("label", "labels", "fine_label", "class", "cls")
_EXTRA = "{kind} files need {name}, which is not installed: pip install 'remend[data]'"


def is_container(path: Path) -> bool:
    """Whether ``Container`` reads it: a ``.parquet``, ``.zip``, ``.lmdb`` or ``.mdb`` file, or a folder."""
    return path.is_dir() or path.suffix.lower() in (".parquet", ".zip", ".lmdb", ".mdb")


@dataclass
class Container:
    """The pictures of a container, read one after the other, and what was passed over.

    Attributes:
        path: a file for which ``is_container`` holds, a folder of Parquet files, an LMDB's folder
            (``data.mdb``), or a folder of pictures of any kind.
        skipped: a line for each entry that is no picture; it grows while ``records`` are read.
    """

    path: Path
    skipped: list[str] = field(default_factory=list)

    def records(self) -> Iterator[Record]:
        """Each picture, with its label where there is one. Memory: one picture, of Parquet 64.

        Raises:
            UsageError: not there, broken, or what reads it is not installed.
        """
        path = self.path
        if not path.exists():
            raise UsageError(f"{path} is not there: check the path")
        tables = sorted(path.rglob("*.parquet")) if path.is_dir() else []
        if path.suffix.lower() == ".parquet" or tables:
            for table in tables or [path]:
                yield from self._of_parquet(table)
        elif path.suffix.lower() == ".zip":
            yield from self._of_zip()
        elif path.suffix.lower() in (".lmdb", ".mdb") or (path / "data.mdb").exists():
            yield from self._of_lmdb()
        elif path.is_dir():
            for name in sorted(walk(path)):
                yield from self._record(name, (path / name).read_bytes(), _folder_of(name))
        else:
            raise UsageError(f"{path} is no Parquet, zip, LMDB or folder")

    def _of_parquet(self, path: Path) -> Iterator[Record]:
        try:
            import pyarrow.parquet as parquet
        except ModuleNotFoundError as error:
            raise UsageError(_EXTRA.format(kind="Parquet", name=error.name)) from error
        try:
            file = parquet.ParquetFile(path)
            pictures, naming, labelling = _columns(file.schema_arrow, path)
            words = _words(file.schema_arrow.metadata or {}, labelling)
            wanted = [name for name in (pictures, naming, labelling) if name]
            number = 0
            for batch in file.iter_batches(batch_size=_ROWS, columns=wanted):
                for row in batch.to_pylist():
                    entry = row[pictures]
                    data = entry.get("bytes") if isinstance(entry, dict) else entry
                    inner = entry.get("path") if isinstance(entry, dict) else None
                    name = str((row[naming] if naming else None) or inner or f"{number:09d}")
                    label = row[labelling] if labelling else None
                    known = isinstance(label, int) and 0 <= label < len(words)
                    labels = () if label is None else (words[label] if known else str(label),)
                    yield from self._record(f"{path.stem}/{name}", data or b"", labels)
                    number += 1
        except (OSError, ValueError, KeyError) as error:
            reason = str(error).partition("\n")[0][:160]
            raise UsageError(f"{path} cannot be read as Parquet ({reason}): fetch it again") from error

    def _of_zip(self) -> Iterator[Record]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                for info in sorted(archive.infolist(), key=lambda info: info.filename):
                    if info.is_dir():
                        continue
                    if info.file_size > _MOST_BYTES:
                        self.skipped.append(f"{info.filename}: {info.file_size >> 20:,} MiB")
                        continue
                    yield from self._record(info.filename, archive.read(info), _folder_of(info.filename))
        except (OSError, zipfile.BadZipFile, RuntimeError) as error:  # RuntimeError: it is encrypted
            raise UsageError(f"{self.path} cannot be read as zip ({error}): fetch it again") from error

    def _of_lmdb(self) -> Iterator[Record]:
        try:
            import lmdb
        except ModuleNotFoundError as error:
            raise UsageError(_EXTRA.format(kind="LMDB", name=error.name)) from error
        try:
            subdir = self.path.is_dir()
            store = lmdb.open(str(self.path), readonly=True, lock=False, subdir=subdir)
            with store, store.begin() as turn:
                for key, data in turn.cursor():
                    yield from self._record(key.decode("utf-8", "backslashreplace"), bytes(data), ())
        except lmdb.Error as error:
            raise UsageError(f"{self.path} cannot be read as LMDB ({error}): fetch it again") from error

    def _record(self, name: str, data: bytes, labels: tuple[str, ...]) -> Iterator[Record]:
        """The picture of an entry, if it is one."""
        called = f"{self.path.stem}/{name}"
        kind = _kind(data)
        if kind is not None:
            stem = called if called.lower().endswith((f".{kind}", ".jpeg")) else f"{called}.{kind}"
            yield Record(stem, data, labels)
        elif (pixels := _eight_bits(data)) is not None:
            yield Record(f"{called}.png", pixels, labels)
        else:
            self.skipped.append(f"{name}: no picture")


def _columns(schema: Any, path: Path) -> tuple[str, str, str]:
    """The columns of pictures, names and labels; "" = there is none.

    Raises:
        UsageError: no column holds encoded pictures.
    """
    held = {column.name: str(column.type) for column in schema}
    of_bytes = [name for name, kind in held.items() if "binary" in kind]
    pictures = next((name for name in ("image", "img", "jpg", "png", "webp") if name in of_bytes), "")
    pictures = pictures or (of_bytes[0] if of_bytes else "")
    if not pictures:
        raise UsageError(
            f"no column of {path} holds encoded pictures (it has {', '.join(held)}): they are binary, or a "
            "struct with bytes"
        )
    naming = next((name for name in _NAMES if name in held and name != pictures), "")
    return pictures, naming, next((name for name in _LABELS if name in held and name != pictures), "")


def _words(metadata: dict[bytes, bytes], column: str) -> list[str]:
    """The names of classes that Hugging Face's data sets write beside their numbers."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return [str(name) for name in features[column]["names"]]
    except (KeyError, ValueError, TypeError):
        return []


def _kind(data: bytes) -> str | None:
    """The suffix of what is learned from as it is."""
    kind = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)
    return None if kind == "webp" and data[8:12] != b"WEBP" else kind


def _eight_bits(data: bytes) -> NDArray[np.uint8] | None:
    """(H, W, 3) uint8 RGB of anything else that OpenCV decodes; None where it is nothing of the kind."""
    try:
        flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR  # IMREAD_COLOR_RGB spoils 16 bits in OpenCV
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error:
        return None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        return None
    levels = np.round(image / 257) if image.dtype == np.uint16 else image
    return np.ascontiguousarray(levels[..., ::-1], np.uint8)


def _folder_of(name: str) -> tuple[str, ...]:
    """The folder that a picture lies in is its label; what lies at the root has none."""
    return (name.split("/")[-2],) if "/" in name else ()
