"""Pack a run of the trainer into few small files: ``python tools/pack_state.py RUN OUT_DIR``.

For a lent machine that hands little back: at most eight files of 16 MiB. In the order in which they matter:

- ``averaged.safetensors``: the averaged weights in fp16, with the checkpoint's state. ``remend export`` and
  ``--set transfer.weights=`` take it as they take a run's ``best.safetensors``.
- ``log.csv``, ``validation.csv`` and ``grid.png``, the last sheet.
- ``state-0.safetensors`` …: the net's weights in fp32, then the critic, then the optimisers' moments in bf16,
  cut into pieces; as many as fit. ``--unpack`` makes a checkpoint of them again that a run goes on from
  (``--resume CHECKPOINT``), not bit for bit: what did not fit starts fresh.

``python tools/pack_state.py --unpack OUT_DIR RUN`` writes ``RUN/checkpoints/…``.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from remend.nets.weights import checkpoint
from remend.nets.weights.portable import load_portable, save_portable

FILES, PIECE = 8, 15 * 2**20
_PARTS = ("weights", "critic", "optimizer", "critic_optimizer")
_GAP = "|"  # between a tensor's part and its name


def pack(run: Path, out: Path) -> list[str]:
    """Write the last checkpoint of ``run`` into ``out``; the names of what was left out.

    Raises:
        ModelError: the run has no whole checkpoint.
    """
    found = checkpoint.newest(run, print)
    if found is None:
        raise SystemExit(f"{run} has no checkpoint: give the folder of a run")
    out.mkdir(parents=True, exist_ok=True)
    state = {key: value for key, value in found.state.items() if key != "files"}
    save_portable(out / "averaged.safetensors", _lowered(found.tensors["ema"], torch.float16), state)
    for name in ("log.csv", "validation.csv"):
        if (run / name).is_file():
            shutil.copyfile(run / name, out / name)
    if sheets := sorted((run / "grids").glob("*.png")):
        shutil.copyfile(sheets[-1], out / "grid.png")
    room = FILES - len([path for path in out.iterdir() if not path.name.startswith("state-")])
    kept: list[dict[str, Tensor]] = []
    left_out: list[str] = []
    for part in _PARTS:
        tensors = found.tensors.get(part, {})
        pieces = list(_pieces(part, tensors if part == "weights" else _lowered(tensors, torch.bfloat16)))
        if len(_joined(kept, pieces)) <= room:
            kept = _joined(kept, pieces)
        elif tensors:
            left_out.append(part)
    for number, piece in enumerate(kept):
        save_file(piece, out / f"state-{number}.safetensors")
    return left_out


def unpack(packed: Path, run: Path) -> Path:
    """Make a checkpoint of what ``pack`` wrote: its folder."""
    averaged, state = load_portable(packed / "averaged.safetensors")
    parts: dict[str, dict[str, Tensor]] = {"ema": {n: t.float() for n, t in averaged.items()}}
    for path in sorted(packed.glob("state-*.safetensors")):
        for full, tensor in load_file(path).items():
            part, _, name = full.partition(_GAP)
            whole = tensor.float() if tensor.is_floating_point() else tensor
            parts.setdefault(part, {})[name] = whole
    parts.setdefault("weights", parts["ema"])
    parts.setdefault("optimizer", {})
    if "critic" in parts:
        parts.setdefault("critic_optimizer", {})
    parts["rng"] = {"torch": torch.get_rng_state()}
    return checkpoint.save(run, int(state["samples_seen"]), parts, state)


def _lowered(tensors: Mapping[str, Tensor], kind: torch.dtype) -> dict[str, Tensor]:
    """Arrays in ``kind``; single numbers, such as counts of steps, as they are."""
    return {n: t.to(kind) if t.is_floating_point() and t.numel() > 1 else t for n, t in tensors.items()}


def _pieces(part: str, tensors: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    piece: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if piece and _bytes([*piece.values(), tensor]) > PIECE:
            yield piece
            piece = {}
        piece[f"{part}{_GAP}{name}"] = tensor.contiguous()
    if piece:
        yield piece


def _joined(kept: list[dict[str, Tensor]], pieces: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    """Pieces put into what room the others leave."""
    result = [dict(piece) for piece in kept]
    for piece in pieces:
        for other in result:
            if _bytes([*other.values(), *piece.values()]) <= PIECE:
                other.update(piece)
                break
        else:
            result.append(dict(piece))
    return result


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() + 256 for tensor in tensors)  # its line in the header


def main(arguments: list[str]) -> None:
    """Pack or unpack, and say what is where."""
    if len(arguments) == 3 and arguments[0] == "--unpack":
        sys.stdout.write(f"{unpack(Path(arguments[1]), Path(arguments[2]))}\n")
        return
    if len(arguments) != 2:
        raise SystemExit("give RUN OUT_DIR, or --unpack OUT_DIR RUN")
    left_out = pack(Path(arguments[0]), Path(arguments[1]))
    sizes = {path.name: path.stat().st_size for path in sorted(Path(arguments[1]).iterdir())}
    sys.stdout.write(json.dumps({"files": sizes, "left_out": left_out}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
