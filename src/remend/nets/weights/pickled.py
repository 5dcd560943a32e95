"""Pickles read as data: looked through before they are loaded, and nothing that they name is imported.

A pickle is a program for a small stack machine. Python's own machine lets it do three things beside calling
what it names: reserve memory without end (one memo index of five bytes: 8 GB), run without end, and nest
tuples until hashing one of them overruns the stack of the process.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable
from typing import Any

from remend.errors import ModelError

__all__ = ["Dropped", "load_pickled"]

# 5,000 tensors with their optimizer's state are some 600,000; a million empty sets fill 0.25 GB.
_MOST_STEPS = 1_000_000
_DEEPEST_TUPLE = 200
_STORES = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
_FETCHES = {"GET", "BINGET", "LONG_BINGET"}
_TUPLES = {"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_TUPLE"}


class Dropped:
    """Stands for anything that a pickle names and that is no tensor: takes every call, keeps nothing."""

    __slots__ = ()

    def __new__(cls, *_args: Any, **_options: Any) -> Dropped:
        """Whatever it is called with."""
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        """Forget it."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Forget it; a pickle fills subclasses of dict this way."""

    def append(self, value: Any) -> None:
        """Forget it, as of a subclass of list."""

    def extend(self, values: Any) -> None:
        """Forget them."""

    def add(self, value: Any) -> None:
        """Forget it, as of a subclass of set."""


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, find: Callable[[str, str], Any], storage: Callable[[Any], Any]) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")
        self._find, self._storage = find, storage

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name; the name itself is never looked up."""
        return self._find(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """What lies outside of the pickle."""
        return self._storage(pid)


def load_pickled(data: bytes, *, find: Callable[[str, str], Any], storage: Callable[[Any], Any]) -> Any:
    """The object that a pickle describes, made of Python's plain types and of what ``find`` gives.

    Args:
        data: the pickle.
        find: called with module and name; answers a class or function of ours, `Dropped` for what is not
            needed. What it answers is called with anything, so it must bear it.
        storage: called with a persistent id.

    Raises:
        ModelError: damaged, more than a million steps, or nested beyond reason.

    Cost: about 2 µs a step before anything is loaded, and half as much again to load it.
    """
    try:
        _look_through(data)
        return _Unpickler(data, find, storage).load()
    except ModelError:
        raise
    except Exception as error:  # a pickle that is none can end in any class; nothing of ours runs in it
        reason = str(error).partition("\n")[0][:200]
        raise ModelError(
            f"it is damaged or holds more than weights ({type(error).__name__}: {reason}): fetch it again"
        ) from error


def _look_through(data: bytes) -> None:
    """Follow the stack machine without making anything: only how deep tuples lie in one another."""
    stack: list[int] = []
    marks: list[int] = []
    memo: dict[Any, int] = {}
    for step, (opcode, argument, _) in enumerate(pickletools.genops(data), start=1):
        if step > _MOST_STEPS:
            raise ModelError(
                f"its pickle has more than {_MOST_STEPS:,} steps, which no file of weights needs"
            )
        name = opcode.name
        if name == "MARK":
            marks.append(len(stack))
        elif name in _STORES:
            at = len(memo) if argument is None else argument
            if not 0 <= at < step:
                raise ModelError(f"its pickle reserves room for {at:,} objects and has {step:,} at most")
            memo[at] = stack[-1]
        elif name in _FETCHES:
            stack.append(memo[argument])
        elif name == "DUP":
            stack.append(stack[-1])
        else:
            depth = 0
            if opcode.stack_before:
                taken = _taken(opcode, stack, marks)
                if name in _TUPLES:
                    depth = 1 + max(taken, default=0)
                    if depth > _DEEPEST_TUPLE:
                        raise ModelError(f"its pickle nests tuples more than {_DEEPEST_TUPLE} deep")
            stack.extend([depth] * len(opcode.stack_after))


def _taken(opcode: pickletools.OpcodeInfo, stack: list[int], marks: list[int]) -> list[int]:
    """Take off the stack what an opcode takes."""
    before = opcode.stack_before
    taken: list[int] = []
    if pickletools.markobject in before:
        at = marks.pop()
        taken, stack[at:] = stack[at:], []
        before = before[: before.index(pickletools.markobject)]
    elif opcode.name == "POP" and marks and marks[-1] == len(stack):
        marks.pop()  # of nothing else there is to pop
        return taken
    if before:
        taken += stack[-len(before) :]
        del stack[-len(before) :]
    return taken
