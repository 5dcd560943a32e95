"""Tar shards, as WebDataset lays them out: read by member without unpacking, and written."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from remend.errors import UsageError, WriteError
from remend.train.data.sources.record import Listing, Record, Span, content, is_picture

__all__ = ["listing", "write_shards"]

_LABEL_SUFFIXES = frozenset({"json", "cls", "txt"})
_BLOCK = 512
_ATTRIBUTES = "attributes"


def listing(path: Path, *, annotations: bool = False) -> Listing:
    """The pictures of one shard; what shares a picture's key (its name up to the first dot) describes it.

    ``key.cls`` and ``key.txt`` become labels; of ``key.json``, what ``write_shards`` writes (``label`` or
    ``labels``, ``attributes``, ``landmarks``) is understood.

    Args:
        path: an uncompressed ``.tar``.
        annotations: read what describes the pictures.

    Raises:
        UsageError: no tar, truncated, compressed, or a tar of tars.

    Cost: one header a member; the pictures themselves are read when they are used.
    """
    records: list[Record] = []
    described: dict[str, dict[str, bytes]] = {}
    try:
        size = path.stat().st_size
        # Uncompressed alone: members of a compressed one cannot be reached without unpacking what is before.
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                if not member.isfile():
                    continue
                if member.offset_data + member.size > size:
                    raise tarfile.ReadError(f"{member.name} is cut off")
                if is_picture(member.name):
                    span = Span(str(path), member.offset_data, member.size)
                    records.append(Record(f"{path.stem}/{member.name}", span))
                elif member.name.lower().endswith(".tar"):
                    raise UsageError(f"{path} is a tar of tars: unpack the outer one and give its folder")
                elif annotations and _parted(member.name)[1] in _LABEL_SUFFIXES:
                    key, suffix = _parted(member.name)
                    file = tar.extractfile(member)
                    assert file is not None
                    described.setdefault(key, {})[suffix] = file.read()
    except (OSError, tarfile.TarError) as error:
        with_gzip = isinstance(error, tarfile.ReadError) and _compressed(path)
        why = "it is compressed" if with_gzip else str(error)
        remedy = "unpack the compression, not the tar" if with_gzip else "fetch it again"
        raise UsageError(f"the shard {path} is broken ({why}): {remedy}") from error
    if described:
        # A picture may be described by members before or behind it.
        stem = path.stem + "/"
        records = [_described(r, described.get(_parted(r.name.removeprefix(stem))[0], {})) for r in records]
    return Listing("shard", records)


def write_shards(
    records: Iterable[Record], folder: Path, *, prefix: str = "shard", most_mib: float = 256.0
) -> list[Path]:
    """Write pictures as WebDataset shards ``prefix-000000.tar`` …, each beside its ``.json``.

    Encoded files go in as they are, byte for byte; pixels (CIFAR) as PNG. Keys are numbers in the order of
    ``records``; the JSON holds the name and what else is known. The same records give the same bytes.

    Args:
        records: in the order wanted.
        folder: made if need be.
        prefix: of the files' names.
        most_mib: largest size of a shard; one picture larger than that gets a shard of its own.

    Returns:
        The shards' paths.

    Raises:
        UsageError: a size that cannot be meant, or shards of this prefix in ``folder`` already.
        WriteError: no room, or no right to write; shards that were finished stay.
        OSError: a picture cannot be read.
    """
    if not most_mib > 0:
        raise UsageError(f"most_mib must be over 0, got {most_mib}")
    if "/" in prefix or "." in prefix or not prefix:
        raise UsageError(f"prefix is the beginning of a file name without dots, got {prefix!r}")
    if folder.is_dir() and any(folder.glob(f"{prefix}-*.tar")):
        raise UsageError(f"{folder} holds shards {prefix}-*.tar already: give another folder or prefix")
    most = int(most_mib * 2**20)
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, members in enumerate(_packed(_members(records), most)):
            path = folder / f"{prefix}-{number:06d}.tar"
            beside = path.with_suffix(".tar.part")
            with tarfile.open(beside, "w", format=tarfile.USTAR_FORMAT) as tar:
                for name, data in members:
                    info = tarfile.TarInfo(name)  # time, owner and rights are the same for all
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
            beside.replace(path)
            written.append(path)
    except OSError as error:
        if error.filename is not None and not str(error.filename).startswith(str(folder)):
            raise
        raise WriteError(f"the shards cannot be written to {folder} ({error.strerror}): make room") from error
    return written


def _members(records: Iterable[Record]) -> Iterator[list[tuple[str, bytes]]]:
    """The two members of each record."""
    for number, record in enumerate(records):
        key = f"{number:09d}"
        if isinstance(record.stored, np.ndarray):
            suffix = "png"
            data = cv2.imencode(".png", record.stored[..., ::-1])[1].tobytes()
        else:
            suffix = record.name.rsplit(".", 1)[-1].lower()
            data = content(record.stored)
        yield [
            (f"{key}.{suffix}", data),
            (f"{key}.json", json.dumps(_facts(record), sort_keys=True).encode()),
        ]


def _packed(groups: Iterable[list[tuple[str, bytes]]], most: int) -> Iterator[list[tuple[str, bytes]]]:
    """Members of a shard each, no larger than ``most`` bytes with their headers and padding."""
    shard: list[tuple[str, bytes]] = []
    used = 0
    for group in groups:
        needed = sum(_BLOCK + -(-len(data) // _BLOCK) * _BLOCK for _, data in group)
        if shard and _closed(used + needed) > most:
            yield shard
            shard, used = [], 0
        shard += group
        used += needed
    if shard:
        yield shard


def _closed(used: int) -> int:
    """Tar fills its last record of 20 blocks."""
    return -(-(used + 2 * _BLOCK) // tarfile.RECORDSIZE) * tarfile.RECORDSIZE


def _facts(record: Record) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": record.name}
    if record.labels:
        facts["labels"] = list(record.labels)
    if record.attributes:
        facts[_ATTRIBUTES] = dict(record.attributes)
    if record.landmarks is not None:
        facts["landmarks"] = [[round(float(v), 3) for v in point] for point in record.landmarks]
    return facts


def _described(record: Record, members: dict[str, bytes]) -> Record:
    labels: list[str] = []
    attributes: dict[str, bool] = {}
    landmarks = None
    for suffix in ("cls", "txt"):
        if suffix in members:
            labels.append(members[suffix].decode("utf-8", "replace").strip())
    if "json" in members:
        try:
            facts = json.loads(members["json"])
        except ValueError as error:
            raise UsageError(f"the description of {record.name} is no JSON ({error})") from error
        facts = facts if isinstance(facts, dict) else {}
        given = facts.get("labels", facts.get("label", []))
        labels += [str(label) for label in (given if isinstance(given, list) else [given])]
        attributes = {str(k): bool(v) for k, v in facts.get(_ATTRIBUTES, {}).items()}
        if facts.get("landmarks"):
            landmarks = np.asarray(facts["landmarks"], np.float32).reshape(-1, 2)
    return Record(record.name, record.stored, tuple(labels), attributes, landmarks)


def _parted(name: str) -> tuple[str, str]:
    """WebDataset's key and suffix: up to, and from, the first dot of the last part."""
    folder, slash, file = name.rpartition("/")
    key, _, suffix = file.partition(".")
    return folder + slash + key, suffix.lower()


def _compressed(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(6)
    return start.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"))
