"""Checkpoints: folders of safetensors and JSON, renamed into place whole; no pickle.

``RUN/checkpoints/000064000/`` holds

- ``state.json``: recipe, counters, metrics, and the SHA-256 of each file beside it
- ``weights.safetensors``, ``ema.safetensors``, ``optimizer.safetensors``, ``rng.safetensors``; with a critic
  also ``critic.safetensors``, ``critic_optimizer.safetensors``; with further tasks ``heads.safetensors``,
  ``heads_ema.safetensors``, ``heads_optimizer.safetensors``

``RUN/best.json`` names the best one, and ``RUN/best.safetensors`` is its averaged weights as one file. A
checkpoint that does not fit its checksums counts as damaged.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor, nn

from remend.errors import ModelError, WriteError
from remend.nets.weights.portable import save_portable

__all__ = [
    "Checkpoint",
    "best",
    "folder_of",
    "keep_best",
    "listing",
    "newest",
    "optimizer_tensors",
    "prune",
    "read",
    "restore_optimizer",
    "save",
    "sweep",
]

_VERSION = 1
_STATE = "state.json"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as read.

    Attributes:
        path: its folder.
        state: counters, recipe and metrics.
        tensors: by part (``weights``, ``ema``, ``optimizer`` …) and name.
    """

    path: Path
    state: dict[str, Any]
    tensors: dict[str, dict[str, Tensor]]


def save(
    run: Path, samples_seen: int, parts: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any]
) -> Path:
    """Write a checkpoint; it exists whole or not at all, whatever happens meanwhile.

    Args:
        run: the run's folder.
        samples_seen: names the checkpoint.
        parts: tensors by part and name; stored contiguous, as safetensors wants them.
        state: anything that JSON holds.

    Returns:
        Its folder.

    Raises:
        WriteError: it cannot be written; earlier checkpoints are as they were.
    """
    target = folder_of(run, samples_seen)
    folder = target.parent
    draft, aside = folder / f".{target.name}.part", folder / f".{target.name}.old"
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        digests = {}
        for part, tensors in parts.items():
            file = draft / f"{part}.safetensors"
            save_file({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, file)
            digests[file.name] = _sha256(file)
            _flush(file)
        content = {"version": _VERSION, **state, "files": digests}
        (draft / _STATE).write_text(json.dumps(content, indent=1), encoding="utf-8")
        _flush(draft / _STATE)
        if target.exists():  # after a fall back the same number comes again
            shutil.rmtree(aside, ignore_errors=True)
            target.rename(aside)
        draft.rename(target)
        _flush(folder)
        shutil.rmtree(aside, ignore_errors=True)
    except (OSError, SafetensorError) as error:  # safetensors has its own for a full disk
        shutil.rmtree(draft, ignore_errors=True)
        reason = getattr(error, "strerror", None) or error
        raise WriteError(
            f"the checkpoint {target} cannot be written ({reason}): make room; earlier ones are whole"
        ) from error
    return target


def read(path: Path, parts: tuple[str, ...] | None = None) -> Checkpoint:
    """Read a checkpoint and check it against its checksums.

    Args:
        path: its folder.
        parts: which to read; None = all.

    Raises:
        ModelError: missing, damaged or not a checkpoint.
    """
    try:
        state = json.loads((path / _STATE).read_text(encoding="utf-8"))
        if state["version"] != _VERSION:
            raise ModelError(
                f"the checkpoint {path} has version {state['version']}, this build reads {_VERSION}"
            )
        tensors = {}
        for name, digest in state["files"].items():
            part = name.removesuffix(".safetensors")
            if parts is None or part in parts:
                # Read, not mapped: a map would break under us if the file changed later.
                content = (path / name).read_bytes()
                if hashlib.sha256(content).hexdigest() != digest:
                    raise ModelError(f"the checkpoint {path} is damaged: {name} has another checksum")
                tensors[part] = load(content)
    except OSError as error:
        raise ModelError(
            f"the checkpoint {path} cannot be read ({Path(error.filename or path).name}: {error.strerror}): "
            "give a checkpoint's folder, or a run's"
        ) from error
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the checkpoint {path} cannot be read ({error}): give another one") from error
    return Checkpoint(path, state, tensors)


def folder_of(run: Path, samples_seen: int) -> Path:
    """Where the checkpoint after ``samples_seen`` lies or would lie."""
    return run / "checkpoints" / f"{samples_seen:09d}"


def listing(run: Path) -> list[Path]:
    """The run's checkpoints, oldest first."""
    folder = run / "checkpoints"
    return sorted(p for p in folder.iterdir() if p.name.isdigit()) if folder.is_dir() else []


def newest(run: Path, say: Callable[[str], None]) -> Checkpoint | None:
    """The newest checkpoint that is whole; None where the run has none.

    Args:
        run: the run's folder.
        say: told of each damaged one that is passed over.

    Raises:
        ModelError: there are checkpoints, but none is whole.
    """
    paths = listing(run)
    for path in reversed(paths):
        try:
            return read(path)
        except ModelError as error:
            say(f"{error}; falling back to the one before")
    if paths:
        raise ModelError(
            f"none of the {len(paths)} checkpoints in {run} is whole: start anew with another --out"
        )
    return None


def keep_best(run: Path, checkpoint: Path, ema: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Remember the best checkpoint, which is then never pruned, and write its averages as one file.

    Args:
        run: the run's folder.
        checkpoint: the checkpoint's.
        ema: its averaged weights.
        state: its counters, recipe and scores.

    Raises:
        WriteError: it cannot be written; what was the best so far still is.
    """
    # The file first: once best.json names a checkpoint, best.safetensors is that one's or a later one's.
    save_portable(run / "best.safetensors", ema, state)
    draft = run / ".best.json.part"
    content = {"checkpoint": checkpoint.name, "score": state.get("best"), "by": state.get("best_by")}
    try:
        draft.write_text(json.dumps(content), encoding="utf-8")
        draft.replace(run / "best.json")
    except OSError as error:
        raise WriteError(
            f"{run / 'best.json'} cannot be written ({error.strerror}): make room; checkpoints are whole"
        ) from error


def best(run: Path) -> Path | None:
    """The folder of the best checkpoint; None where none was marked or it is gone."""
    try:
        name = json.loads((run / "best.json").read_text(encoding="utf-8"))["checkpoint"]
    except (OSError, ValueError, KeyError):
        return None
    path = run / "checkpoints" / str(name)
    return path if path.is_dir() else None


def prune(run: Path, keep: int) -> None:
    """Remove all but the newest ``keep`` checkpoints and the best."""
    spared = best(run)
    for path in listing(run)[: -max(keep, 1)]:
        if path != spared:
            shutil.rmtree(path, ignore_errors=True)


def sweep(run: Path) -> None:
    """Remove what saves that were killed have left half-written."""
    for pattern in (".*.part", ".*.old"):
        for path in (run / "checkpoints").glob(pattern):
            shutil.rmtree(path, ignore_errors=True)


def optimizer_tensors(net: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state by name of parameter: ``body.stem.weight/exp_avg``."""
    tensors = {}
    for name, parameter in net.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            if value is None:  # a momentum of 0
                continue
            tensors[f"{name}/{key}"] = torch.as_tensor(value)
    return tensors


def restore_optimizer(
    net: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]
) -> None:
    """Put back what ``optimizer_tensors`` took of this net, in the parameters' memory layout."""
    named = dict(net.named_parameters())
    for parameter in named.values():
        optimizer.state.pop(parameter, None)
    for full, value in tensors.items():
        name, _, key = full.rpartition("/")
        parameter = named[name]
        if value.shape == parameter.shape and key != "step":  # which stays where the processor counts
            value = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
        optimizer.state[parameter][key] = value


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Bring a file or folder to the disk, so that the rename never outruns what it names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
