"""Weights from foreign ``.pth`` files, read without running anything that is in them.

A ``.pth`` file is a zip archive with a pickle in it, and a pickle is a program.
``torch.load(weights_only=True)`` was broken out of twice (CVE-2025-32434, CVE-2026-24747). This reader knows
the zip layout that PyTorch has written since 1.6, TorchScript's included, and a handful of names, which it
resolves to functions of its own; for any other stands an empty object (`remend.nets.weights.pickled`). It
belongs to training: the repair side reads no foreign weights at all.
"""

from __future__ import annotations

import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from remend.errors import ModelError
from remend.nets.weights.pickled import Dropped, load_pickled

__all__ = ["Foreign", "read_foreign"]

_DTYPES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_LARGEST_PICKLE = 64 * 2**20
_MOST_FILES = 200_000
# torch.save does not compress. Weights that somebody has zipped again shrink by half at most; what unpacks to
# many times its size is made to.
_UNPACKS_TO = 4
_UNPACKS_FREELY = 64 * 2**20
# A state dict is two or three mappings deep: {"state_dict": {"net": {name: tensor}}}; modules of TorchScript
# are as deep as the net.
_DEEPEST, _DEEPEST_MODULE = 4, 64
_MOST_NAMES = 100_000
_LONGEST_NAME = 1000
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Foreign:
    """What a foreign file holds.

    Attributes:
        tensors: on the CPU, by dotted name, each with memory of its own.
        dropped: names of classes and functions that the file asked for and did not get.
    """

    tensors: dict[str, Tensor]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class _StorageType:
    """What a name like ``torch.FloatStorage`` stands for here."""

    dtype: torch.dtype


class _Dict(OrderedDict[Any, Any]):
    """For ``OrderedDict``, whose attributes a pickle may set: these it may not."""

    def __setstate__(self, state: Any) -> None:
        """Forget it: PyTorch keeps versions of modules there."""


class _Held(Dropped):
    """A tensor, out of the pickle's reach: it might set a tensor's attributes."""

    __slots__ = ("tensor",)
    tensor: Tensor

    @staticmethod
    def of(tensor: Tensor) -> _Held:
        """Hold it."""
        held = _Held()
        held.tensor = tensor
        return held


class _Module(Dropped):
    """For a class of a TorchScript file: its parameters and submodules are its state."""

    __slots__ = ("state",)
    state: Any

    def __setstate__(self, state: Any) -> None:
        """Keep it."""
        self.state = state


def read_foreign(path: Path, *, limit_gib: float = 4.0) -> Foreign:
    """The tensors of a ``.pth``, ``.pt`` or ``.ckpt`` file; everything else in it is dropped.

    Args:
        path: the file, as ``torch.save`` writes it since PyTorch 1.6, or ``torch.jit.save``.
        limit_gib: a file that unpacks to more is refused, and so is one that unpacks to more than four times
            its size.

    Returns:
        ``{"state_dict": {"a.weight": …}}`` gives ``state_dict.a.weight``; of TorchScript, the names that its
        own ``state_dict`` would have.

    Raises:
        ModelError: not such a file, damaged, holding no tensors or tensors of a kind that is not read.

    Cost: the file's size in memory; the pickle in it may take a million steps, some three seconds.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            reader = _Reader(archive, int(limit_gib * 2**30), path.stat().st_size)
            found = reader.tensors()
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ModelError(
            f"{path} is not a weights file of PyTorch 1.6 or later ({error}): "
            "save it anew with torch.save, or better as safetensors"
        ) from error
    if not found:
        asked = f" outside of objects of {', '.join(sorted(reader.dropped)[:3])}" if reader.dropped else ""
        raise ModelError(f"{path} holds no tensors{asked}: give a file of weights, a saved state_dict")
    return Foreign(found, tuple(sorted(reader.dropped)))


@dataclass
class _Reader:
    """One archive: the pickle's names and storages, and what may still be unpacked."""

    archive: zipfile.ZipFile
    limit: int
    size: int
    dropped: set[str] = field(default_factory=set)
    folder: str = ""
    given: int = 0  # bytes of tensors that were handed out
    _storages: dict[str, Tensor] = field(default_factory=dict)
    _lent: set[str] = field(default_factory=set)  # storages that a tensor has for itself

    def tensors(self) -> dict[str, Tensor]:
        """By dotted name; a tensor that stands under two names comes twice."""
        self._weigh()
        content = load_pickled(
            self.archive.read(f"{self.folder}data.pkl"), find=self._find, storage=self._storage
        )
        found: dict[str, Tensor] = {}
        seen: set[int] = set()
        for name, tensor in _named(content):
            if len(found) >= _MOST_NAMES:
                raise ModelError(f"it names more than {_MOST_NAMES:,} tensors")
            if id(tensor) in seen:
                self._count(tensor.nbytes)
                tensor = tensor.clone()
            seen.add(id(tensor))
            found[name] = tensor
        return found

    def _weigh(self) -> None:
        """Look at the archive's own list before anything is unpacked."""
        entries = self.archive.infolist()
        heads = [e for e in entries if e.filename.count("/") == 1 and e.filename.endswith("/data.pkl")]
        if len(heads) != 1:
            raise ModelError("it is a zip file without weights: expected one data.pkl in it")
        self.limit = min(self.limit, max(_UNPACKS_TO * self.size, _UNPACKS_FREELY))
        total = sum(entry.file_size for entry in entries)
        if total > self.limit or heads[0].file_size > _LARGEST_PICKLE or len(entries) > _MOST_FILES:
            raise ModelError(
                f"its {self.size / 2**20:,.1f} MiB unpack to {total / 2**20:,.1f} MiB, more than weights do "
                "or than the limit: save it anew with torch.save"
            )
        self.folder = heads[0].filename.removesuffix("data.pkl")
        order = f"{self.folder}byteorder"
        if order in self.archive.namelist() and self.archive.read(order).strip() != b"little":
            raise ModelError("it was written on a big-endian machine: save it anew on another")

    def _find(self, module: str, name: str) -> Any:
        """Only what is in the tables; torch itself is never asked."""
        if (module, name) == ("collections", "OrderedDict"):
            return _Dict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self._rebuild
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return self._parameter
        if module == "torch" and name in _DTYPES:
            return _StorageType(_DTYPES[name])
        if module == "torch._utils" and name.startswith("_rebuild"):
            raise ModelError(
                f"it holds a tensor of a kind that is not read ({module}.{name}): save plain ones"
            )
        if module == "__torch__" or module.startswith("__torch__."):
            return _Module
        self.dropped.add(f"{module}.{name}"[:100])
        return Dropped

    def _storage(self, pid: Any) -> tuple[str, Tensor]:
        """A storage: ``("storage", type, key, device, elements)``."""
        kind, storage_type, key, _device, count = pid
        if kind != "storage" or not isinstance(storage_type, _StorageType) or not str(key).isalnum():
            raise ModelError("it refers to something that is no storage of numbers")
        key = str(key)
        if key not in self._storages:
            entry = self.archive.getinfo(f"{self.folder}data/{key}")
            whole = entry.file_size // storage_type.dtype.itemsize
            flat = torch.empty(0, dtype=storage_type.dtype)
            if whole:
                flat = torch.frombuffer(self._unpacked(entry), dtype=storage_type.dtype, count=whole)
            self._storages[key] = flat
        flat = self._storages[key]
        if flat.dtype != storage_type.dtype:
            raise ModelError(f"its storage {key} is of two kinds of numbers")
        if flat.numel() < int(count):
            raise ModelError(f"its storage {key} is cut short")
        return key, flat

    def _unpacked(self, entry: zipfile.ZipInfo) -> bytearray:
        """An entry's bytes, with no copy beside them."""
        data = bytearray(entry.file_size)
        at = 0
        with self.archive.open(entry) as file:
            while piece := file.read(_CHUNK):
                data[at : at + len(piece)] = piece
                at += len(piece)
        return data

    def _rebuild(
        self, storage: Any, offset: Any, size: tuple[int, ...], stride: tuple[int, ...], *_ignored: Any
    ) -> _Held:
        """A tensor of its own memory; a view that leaves its storage is refused."""
        key, flat = storage
        if len(size) != len(stride) or any(type(n) is not int or n < 0 for n in (*size, *stride, offset)):
            raise ModelError("it describes a tensor that cannot be")
        if prod(size) == 0:
            return _Held.of(torch.empty(size, dtype=flat.dtype))
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        # A stride of 0 would make gigabytes of a few bytes.
        if last >= flat.numel() or prod(size) > flat.numel():
            raise ModelError("it describes a tensor beyond its storage")
        self._count(prod(size) * flat.element_size())
        view = torch.as_strided(flat, size, stride, offset)
        if prod(size) == flat.numel() and view.is_contiguous() and key not in self._lent:
            self._lent.add(key)
            return _Held.of(view)
        return _Held.of(view.clone(memory_format=torch.contiguous_format))

    def _parameter(self, data: Any, *_ignored: Any) -> Any:
        return data

    def _count(self, size: int) -> None:
        self.given += size
        if self.given > self.limit:
            raise ModelError(f"its tensors share memory and would unpack to more than {self.limit >> 20} MiB")


def _named(content: Any) -> Iterator[tuple[str, Tensor]]:
    """Tensors under their dotted names; mappings that refer to one another are not walked for ever."""
    visits = 0
    todo = [("", content, 0)]
    while todo:
        prefix, value, depth = todo.pop()
        if isinstance(value, _Held):
            yield prefix, value.tensor
            continue
        inside, deepest = value, _DEEPEST
        if isinstance(value, _Module):
            inside, deepest = getattr(value, "state", None), _DEEPEST_MODULE
        if not isinstance(inside, dict) or depth >= deepest:
            continue
        visits += len(inside)
        if visits > _MOST_NAMES:
            raise ModelError(f"it names more than {_MOST_NAMES:,} things")
        if any(isinstance(key, str) and len(prefix) + len(key) > _LONGEST_NAME for key in inside):
            raise ModelError(f"it has names of more than {_LONGEST_NAME} characters")
        children = [
            (f"{prefix}.{key}" if prefix else key, item, depth + 1)
            for key, item in inside.items()
            if isinstance(key, str)
        ]
        todo += reversed(children)
