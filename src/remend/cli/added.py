"""What `remend models add` does: say what a file is, check it, keep it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from remend.added import check_name, folder
from remend.errors import ModelError, UsageError, WriteError
from remend.fill.model_card import read_card
from remend.fill.model_check import verify_model
from remend.io.atomic import write_whole

__all__ = ["add_model"]

# Files that circulate, by SHA-256: whose they are, and under which licence.
_CIRCULATE = {
    "1faef5301d78db7dda502fe59966957ec4b79dd64e16f03ed96913c7a4eb68d6": (
        "Big LaMa: Suvorov and others, WACV 2022; exported by Carve for 512²",
        "Apache-2.0",
    ),
}
_UNKNOWN = "not stated by the file: ask whoever it came from"


def add_model(files: Sequence[Path], *, name: str | None, overwrite: bool) -> tuple[str, list[str]]:
    """Keep a model in the user's folder, once it was checked on made pictures.

    Args:
        files: an ONNX file; or checkpoints of others that make one net together, converted here.
        name: what it shall be called; None = the first file's stem.
        overwrite: replace one of that name.

    Returns:
        Its name, and lines that say what it is.

    Raises:
        ModelError: nothing that runs, or a name that cannot be.
        UsageError: PyTorch is needed and not installed, or several ONNX files.
        WriteError: one of that name is there, or the folder cannot be written.

    Cost: some seconds; to convert a checkpoint, a minute for the largest.
    """
    first = files[0]
    name = check_name(name or first.stem.lower().replace(" ", "-"))
    target = folder() / f"{name}.onnx"
    if target.exists() and not overwrite:
        raise WriteError(f"a model {name} was added before: give --as NAME, or --overwrite")
    if first.suffix.lower() == ".onnx":
        if len(files) > 1:
            raise UsageError("an ONNX file is a whole model: add one at a time")
        content, card, lines = _of_onnx(first)
    else:
        content, card, lines = _of_checkpoint(files)
    card = {"name": name, **card, "sha256": hashlib.sha256(content).hexdigest()}
    try:
        folder().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder()} cannot be made ({error.strerror}): set REMEND_MODELS") from error
    text = (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode()
    write_whole(target, content, overwrite=overwrite)
    write_whole(target.with_suffix(".json"), text, overwrite=True)
    try:
        done = verify_model(target)
    except ModelError:
        target.unlink()
        target.with_suffix(".json").unlink()
        raise
    if done.model.adapter is not None:
        lines.insert(0, f"taken for {done.model.adapter.summary}")
    lines.append(f"licence: {card['licence']}")
    lines.append(f"checked: {len(done.sizes)} made windows filled, known pixels bit for bit")
    return name, lines


def _of_onnx(path: Path) -> tuple[bytes, dict[str, Any], list[str]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the model {path} cannot be read ({error.strerror}): check the path") from error
    card = read_card(path)
    expected = card.get("sha256")
    found = hashlib.sha256(content).hexdigest()
    if expected is not None and expected.lower() != found:
        raise ModelError(f"{path.name} is not the file that its card describes (SHA-256 differs)")
    origin, licence = _CIRCULATE.get(found, (None, None))
    card = {"licence": licence or _UNKNOWN, "origin": origin or f"unknown; {path.name}"} | card
    return content, card, [f"of: {card['origin']}"]


def _of_checkpoint(files: Sequence[Path]) -> tuple[bytes, dict[str, Any], list[str]]:
    """Checkpoints under their authors' names, as one ONNX file."""
    try:
        from remend.nets.onnx_file import parity, to_onnx
        from remend.nets.registry import build
        from remend.nets.weights.foreign import read_foreign
        from remend.nets.weights.published import published
    except ModuleNotFoundError as error:
        raise UsageError(
            f"a checkpoint is converted with {error.name}, which is not installed: pip install "
            "'remend[train]', or add the same net as ONNX"
        ) from error
    parts = [published(read_foreign(path).tensors) for path in files]
    if len({part.net for part in parts}) > 1:
        raise UsageError(
            f"{' and '.join(part.origin for part in parts)} do not make one net: add one at a time"
        )
    tensors = {name: tensor for part in parts for name, tensor in part.tensors.items()}
    options: dict[str, Any] = {}
    for part in parts:
        options |= part.options
    if parts[0].net == "edge_connect":
        options["stage"] = "picture"
    net = build(parts[0].net, options).eval()
    missing = [name for name in net.state_dict() if name not in tensors]
    if missing and parts[0].net == "edge_connect":
        raise UsageError(
            "EdgeConnect is two nets: give EdgeModel_gen.pth and InpaintingModel_gen.pth together"
        )
    try:
        net.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{files[0]} does not fit the net that it looks like: {reason}") from error
    net.requires_grad_(False)
    content = to_onnx(net)
    difference = parity(net, content)
    if not difference <= 1e-3:
        raise ModelError(f"{files[0]}: ONNX Runtime and PyTorch differ by {difference:.2g}: not added")
    origin = "; ".join(dict.fromkeys(part.origin for part in parts))
    card = {
        "architecture": parts[0].net,
        "origin": origin,
        "licence": f"{parts[0].licence}, as its authors say of their code",
        "options": options,
        "size_multiple": net.size_multiple,
        "window_px": 512,
        "parity": difference,
        "source": [path.name for path in files],
    }
    lines = [f"of: {origin}", f"runs as our net {parts[0].net}, converted to ONNX"]
    return content, card, lines + [note for part in parts for note in part.notes]
