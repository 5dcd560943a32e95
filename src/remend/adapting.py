"""`remend adapt`: an embedded net tuned to one album, if that gains; joins the trainer to a file."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from remend.errors import UsageError
from remend.export import export
from remend.io.atomic import write_whole
from remend.io.write import check_target
from remend.nets.weights.portable import save_portable
from remend.train.data.samples import Sample
from remend.train.personal.album import PATCH_PX, Album, read_album
from remend.train.personal.restorer import compared_restorers, intact, restorer_recipe, tune_restorer
from remend.train.personal.tune import Verdict, compared, recipe_of, tune
from remend.train.restorer.export import export_restorer

__all__ = ["RESTORER", "SAMPLES", "START", "Adapted", "adapt", "adapt_restorer"]

START = Path(__file__).resolve().parent / "weights" / "inpaint-thin.onnx"
"""What is tuned: the embedded net for thin damage."""

RESTORER = START.with_name("restore.onnx")
"""The embedded net that takes off noise and blocks."""

SAMPLES = 8_000
"""Crops to learn from."""

_MARGIN_PX = 6  # as the embedded net: more changes nothing (docs/models/inpaint.md)
_USE = "thin damage of one album: scratches, dust, cracks, text, strokes up to some 12 px wide"


@dataclass(frozen=True, slots=True)
class Adapted:
    """What came of it.

    Attributes:
        verdict: the tuned file beside the embedded one, on what was set aside of the album.
        model: the file; None = it was not worth one, nothing was written.
        samples_seen: crops learned from.
        notes: lines for the album's owner.
    """

    verdict: Verdict
    model: Path | None
    samples_seen: int
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        told = {name: value if math.isfinite(value) else None for name, value in asdict(self.verdict).items()}
        return {
            "output": None if self.model is None else str(self.model),
            "gain_db": self.verdict.gain,
            **told,
            "samples_seen": self.samples_seen,
            "notes": list(self.notes),
        }


def adapt(
    album: Path,
    target: Path,
    *,
    damage: str = "find",
    samples: int = SAMPLES,
    minutes: float = 10.0,
    seed: int = 0,
    start: Path = START,
    settings: Sequence[str] = (),
    overwrite: bool = False,
    say: Callable[[str], None] = print,
) -> Adapted:
    """Tune the embedded net for thin damage to the intact parts of an album, and keep that where it gains.

    A part of the album is set aside. Both files, the tuned one in 8 bits as it would be used, fill made
    scratches and strokes there; unless the tuned one is better by .1 dB and by more than chance, nothing is
    written. For albums of one kind of picture: one texture, one paper, one process. For anything else the
    embedded net has seen more.

    Args:
        album: a folder of pictures, or whatever else ``remend train --data`` takes.
        target: the ONNX file; its card goes beside it.
        damage: ``find``: damage is looked for, and kept out; a folder of masks called like the pictures,
            white = damaged; "" = the pictures are whole.
        samples: crops of 128² to learn from.
        minutes: at most so long.
        seed: of everything drawn. The same album, samples and seed give the same weights on one machine,
            where time does not run out.
        start: a file of the same net to begin with, and to beat.
        settings: of the recipe, as ``remend train --set`` takes them.
        overwrite: replace files that exist.
        say: told what happens.

    Raises:
        UsageError: a target that is not ``.onnx`` or exists; an album without intact pictures of 128 px.
        ModelError: ``start`` cannot be used.
        WriteError: a file cannot be written.

    Cost: four minutes of a core by default and .6 s a megapixel of the album, 1 GB of memory.
    """
    pictures, patches = _ready(album, target, damage, samples, minutes, overwrite, say)
    tensors, state = tune(pictures, start, recipe_of(samples, seed=seed, settings=settings), minutes=minutes)
    with tempfile.TemporaryDirectory() as folder:
        kept, draft = Path(folder) / "tuned.safetensors", Path(folder) / target.name
        save_portable(kept, tensors, state)
        export(kept, draft, calibrate=pictures.calibration(), licence="of the album's pictures")
        content, card = draft.read_bytes(), json.loads(draft.with_suffix(".json").read_text("utf-8"))
    verdict = compared(start.read_bytes(), content, patches)
    card |= {"margin_px": _MARGIN_PX, "intended_use": _USE, "metrics": {"album": asdict(verdict)}}
    return _kept(target, content, card, verdict, int(state["samples_seen"]), pictures.notes, overwrite)


def adapt_restorer(
    album: Path,
    target: Path,
    *,
    damage: str = "find",
    samples: int = SAMPLES,
    minutes: float = 10.0,
    seed: int = 0,
    start: Path = RESTORER,
    overwrite: bool = False,
    say: Callable[[str], None] = print,
) -> Adapted:
    """Tune the embedded restorer to the intact parts of an album, and keep that where it gains.

    As ``adapt``, whose arguments these are; crops have 96² pixels, with noise and blocks made on them. What
    is set aside is judged under three strengths of noise, three of JPEG and JPEG twice: no gain by one is
    paid for by another, and what has nothing on it must stay as it is. `remend restore --model` uses it.

    Raises:
        UsageError, ModelError, WriteError: as ``adapt``.

    Cost: four minutes of a core by default, 1 GB of memory.
    """
    pictures, _ = _ready(album, target, damage, samples, minutes, overwrite, say)
    whole = intact(pictures)
    if not whole:
        raise UsageError(f"no picture of {album} is intact enough to learn from: give more of them")
    tensors, state = tune_restorer(whole, start, restorer_recipe(samples, seed=seed), minutes=minutes)
    with tempfile.TemporaryDirectory() as folder:
        kept, draft = Path(folder) / "tuned.safetensors", Path(folder) / target.name
        save_portable(kept, tensors, state)
        export_restorer(kept, draft, pictures=whole, licence="of the album's pictures")
        content, card = draft.read_bytes(), json.loads(draft.with_suffix(".json").read_text("utf-8"))
    verdict, gains = compared_restorers(start.read_bytes(), content, pictures)
    for way, gain in gains.items():
        say(f"{way} {gain:+.3f}")
    card["metrics"] = {"album": asdict(verdict), "gains": gains}
    return _kept(target, content, card, verdict, int(state["samples_seen"]), pictures.notes, overwrite)


def _ready(
    album: Path,
    target: Path,
    damage: str,
    samples: int,
    minutes: float,
    overwrite: bool,
    say: Callable[[str], None],
) -> tuple[Album, list[tuple[str, Sample]]]:
    """The album, and the patches to judge by, once the target is known to be free."""
    if target.suffix != ".onnx":
        raise UsageError(f"the tuned file ends in .onnx, got {target.name}")
    for path in (target, target.with_suffix(".json")):
        check_target(path, overwrite=overwrite)
    pictures = read_album(album, damage=damage, say=say)
    for note in pictures.notes:
        say(f"note: {note}")
    patches = pictures.patches()
    say(
        f"{len(pictures.pictures)} pictures to learn from, {len(patches)} patches of {PATCH_PX}² set aside; "
        f"{samples:,} crops, at most {minutes:g} minutes"
    )
    return pictures, patches


def _kept(
    target: Path,
    content: bytes,
    card: dict[str, Any],
    verdict: Verdict,
    seen: int,
    notes: tuple[str, ...],
    overwrite: bool,
) -> Adapted:
    """Written with its card, where it gains."""
    if verdict.kept:
        text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
        write_whole(target.with_suffix(".json"), text.encode(), overwrite=overwrite)
        write_whole(target, content, overwrite=overwrite)
    return Adapted(verdict, target if verdict.kept else None, seen, notes)
