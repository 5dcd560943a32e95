"""Fillers by name: those of this folder, and whatever else is registered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from remend.added import names, path_of
from remend.errors import UsageError
from remend.fill.filler import REGISTERED, Entry, Filler

__all__ = ["ENTRIES", "filler_named", "filler_of", "is_model_file"]

EARLY = ("biharmonic", "pde", "neural")  # looked into first: cheap to import, or asked for most


class _Entries(Mapping[str, Entry]):
    """Entries by name, in the order of names. Modules are imported until the name is known."""

    def __getitem__(self, name: str) -> Entry:
        for module in _modules():
            if name in REGISTERED:
                break
            import_module(module)
        return REGISTERED[name]

    def __iter__(self) -> Iterator[str]:
        for module in _modules():
            import_module(module)
        return iter(sorted(REGISTERED))

    def __len__(self) -> int:
        return len(list(iter(self)))


ENTRIES = _Entries()


@cache
def _modules() -> tuple[str, ...]:
    found = [module.name for module in iter_modules([str(Path(__file__).parent)])]
    return tuple(f"{__package__}.{name}" for name in dict.fromkeys((*EARLY, *found)))


def is_model_file(method: str) -> bool:
    """Whether ``--method`` names a file rather than an entry."""
    return method.lower().endswith(".onnx")


def filler_of(method: str | Filler) -> Filler:
    """What ``method=`` stands for: a filler as it is, or the one of that name.

    Raises:
        UsageError: neither; see ``filler_named``.
        ModelError: see ``filler_named``.
    """
    if isinstance(method, str):
        return filler_named(method)
    if not isinstance(method, Filler) or isinstance(method, type) or method.name == "auto":
        raise UsageError(
            f"a method is a name, the path of an .onnx file, or a filler, got a {type(method).__name__}: "
            "see `remend methods`"
        )
    return method


@lru_cache(maxsize=16)
def filler_named(method: str) -> Filler:
    """The filler of that name, or the runner of that ONNX file.

    Args:
        method: a key of ENTRIES, a path that ends in ``.onnx``, or a model that was added (`remend.added`).

    Raises:
        UsageError: no such name.
        ModelError: a model file that is missing, damaged or breaks the contract.
    """
    if is_model_file(method):
        from remend.fill.neural import Neural

        return Neural.load(Path(method))
    entry = ENTRIES.get(method)
    if entry is None:
        if (path := path_of(method)) is not None:
            return filler_named(str(path))
        listed = ", ".join((*ENTRIES, *names()))
        raise UsageError(f"unknown method {method!r}: choose auto, {listed}, or the path of an .onnx file")
    return entry.make()
