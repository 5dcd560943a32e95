"""Weights from foreign ``.pth`` files, read without running anything that is in them.

A ``.pth`` file is a pickle, and a pickle is a program. ``torch.load(weights_only=True)`` was broken out of
twice (CVE-2025-32434, CVE-2026-24747). This reader knows the zip layout that PyTorch has written since 1.6
and resolves five names, to functions of its own; any other name ends it. It belongs to training: the repair
side reads no foreign weights at all.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from remend.errors import ModelError

__all__ = ["read_foreign"]

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
# A state dict is two or three mappings deep: {"state_dict": {"net": {name: tensor}}}.
_DEEPEST = 4


@dataclass(frozen=True)
class _StorageType:
    """What a name like ``torch.FloatStorage`` stands for here."""

    dtype: torch.dtype


@dataclass(frozen=True)
class _Storage:
    data: bytes
    dtype: torch.dtype


def read_foreign(path: Path, *, limit_gib: float = 4.0) -> dict[str, Tensor]:
    """The tensors of a ``.pth``, ``.pt`` or ``.ckpt`` file, by dotted name; everything else in it is dropped.

    Args:
        path: the file, as ``torch.save`` writes it since PyTorch 1.6.
        limit_gib: a file that unpacks to more is refused.

    Returns:
        Tensors on the CPU, each with memory of its own. ``{"state_dict": {"a.weight": …}}`` gives
        ``state_dict.a.weight``.

    Raises:
        ModelError: not such a file, damaged, holding no tensors, or naming anything beyond tensors.

    Cost: the file's size in memory.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            content = _content(archive, path, int(limit_gib * 2**30))
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ModelError(
            f"{path} is not a weights file of PyTorch 1.6 or later ({error}): "
            "save it anew with torch.save, or better as safetensors"
        ) from error
    found = dict(_tensors(content, ""))
    if not found:
        raise ModelError(f"{path} holds no tensors: give a file of weights")
    return found


def _content(archive: zipfile.ZipFile, path: Path, limit: int) -> Any:
    sizes = {info.filename: info.file_size for info in archive.infolist()}
    heads = [name for name in sizes if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(heads) != 1:
        raise ModelError(f"{path} is a zip file without weights: expected one data.pkl in it")
    if sum(sizes.values()) > limit or sizes[heads[0]] > _LARGEST_PICKLE:
        raise ModelError(f"{path} unpacks to {sum(sizes.values()) / 2**30:.1f} GiB: raise the limit for it")
    folder = heads[0].removesuffix("data.pkl")
    order = f"{folder}byteorder"
    if order in sizes and archive.read(order).strip() != b"little":
        raise ModelError(f"{path} was written on a big-endian machine: save it anew on another")
    reader = _Reader(io.BytesIO(archive.read(heads[0])), lambda key: archive.read(f"{folder}data/{key}"))
    try:
        return reader.load()
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    # A pickle that is no pickle can end in any of these.
    except (
        pickle.UnpicklingError, EOFError, KeyError, ValueError, TypeError, IndexError, AttributeError,
        OverflowError, UnicodeDecodeError, RecursionError, MemoryError,
    ) as error:  # fmt: skip
        raise ModelError(
            f"{path} is damaged or holds more than weights ({type(error).__name__}: {error}): fetch it again"
        ) from error


class _Reader(pickle.Unpickler):
    """Resolves the few names that a file of tensors needs, to functions of this module."""

    def __init__(self, file: io.BytesIO, storage: Callable[[str], bytes]) -> None:
        super().__init__(file, encoding="utf-8")
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        """Only what is in the tables; torch itself is never asked."""
        if (module, name) == ("collections", "OrderedDict"):
            return _ordered
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _parameter
        if module == "torch" and name in _DTYPES:
            return _StorageType(_DTYPES[name])
        raise ModelError(f"it asks for {module}.{name}, which no file of weights needs: not read")

    def persistent_load(self, pid: Any) -> _Storage:
        """A storage: ``("storage", type, key, device, elements)``."""
        kind, storage_type, key, _device, count = pid
        if kind != "storage" or not isinstance(storage_type, _StorageType) or not str(key).isalnum():
            raise ModelError(f"it refers to {pid!r}, which is no storage of numbers")
        data = self._storage(str(key))
        if len(data) < int(count) * storage_type.dtype.itemsize:
            raise ModelError(f"its storage {key} is cut short")
        return _Storage(data, storage_type.dtype)


def _ordered(items: Iterable[tuple[Any, Any]] = ()) -> OrderedDict[Any, Any]:
    return OrderedDict(items)


def _rebuild(
    storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_ignored: Any
) -> Tensor:
    """A tensor of its own memory; a view that leaves its storage is refused."""
    if (
        not isinstance(storage, _Storage)
        or len(size) != len(stride)
        or min((*size, *stride, offset), default=0) < 0
    ):
        raise ModelError("it describes a tensor that cannot be")
    if prod(size) == 0:
        return torch.empty(size, dtype=storage.dtype)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    flat = torch.frombuffer(bytearray(storage.data), dtype=storage.dtype)
    # A stride of 0 would make gigabytes of a few bytes.
    if last >= flat.numel() or prod(size) > flat.numel():
        raise ModelError("it describes a tensor beyond its storage")
    return torch.as_strided(flat, size, stride, offset).clone(memory_format=torch.contiguous_format)


def _parameter(data: Tensor, *_ignored: Any) -> Tensor:
    return data


def _tensors(content: Any, prefix: str, depth: int = 0) -> Iterable[tuple[str, Tensor]]:
    if isinstance(content, Tensor):
        yield prefix, content
    elif isinstance(content, Mapping) and depth < _DEEPEST:
        for key, value in content.items():
            if isinstance(key, str):
                yield from _tensors(value, f"{prefix}.{key}" if prefix else key, depth + 1)
