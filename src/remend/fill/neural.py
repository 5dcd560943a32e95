"""Runs any ONNX model that keeps the contract; knows nothing of how it was trained.

The contract of a model file:

- input ``image``: (N, 3, H, W) float32 RGB in [0, 1]; what lies under the hole is 0 and means nothing
- input ``hole``: (N, 1, H, W) float32, 1 = fill, 0 = known
- input ``prior``, optional: (N, 3, H, W) float32 coarse fill
- output ``filled``: (N, 3, H, W) float32, equal to ``image`` where ``hole`` is 0

Masking, base fill and composition are inside the graph. H and W are dynamic, multiples of the card's
``size_multiple``. The card is a JSON file beside the model, with the same stem; without one, careful
defaults hold.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from remend.errors import ModelError
from remend.fill.filler import Capabilities
from remend.picture import Bool, Filled, Float

__all__ = ["Card", "Neural", "embedded"]

REQUIRED_INPUTS = {"image", "hole"}
KNOWN_INPUTS = REQUIRED_INPUTS | {"prior"}
WEIGHTS = Path(__file__).resolve().parent.parent / "weights"


@dataclass(frozen=True, slots=True)
class Card:
    """What the runner needs of a model card.

    Attributes:
        name: shown to people.
        size_multiple: window sides must be multiples of this.
        window_px: the window side that the net was made for; larger windows are filled at a smaller scale.
        reach_px: largest inscribed radius that it fills well; None = not measured.
        sha256: of the ONNX file; None = not checked.
        licence: of the weights.
    """

    name: str
    size_multiple: int = 32
    window_px: int = 512
    reach_px: int | None = None
    sha256: str | None = None
    licence: str = "not stated"

    @staticmethod
    def beside(model: Path) -> Card:
        """Read the card that lies beside ``model``, or make the default one.

        Raises:
            ModelError: a card that is no JSON object, or whose fields have the wrong types.
        """
        path = model.with_suffix(".json")
        if not path.is_file():
            return Card(model.stem)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return Card(
                name=str(content.get("name", model.stem)),
                size_multiple=int(content.get("size_multiple", 32)),
                window_px=int(content.get("window_px", 512)),
                reach_px=None if content.get("reach_px") is None else int(content["reach_px"]),
                sha256=content.get("sha256"),
                licence=str(content.get("licence", "not stated")),
            )
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise ModelError(
                f"the model card {path.name} cannot be read ({error}): mend it or take it away"
            ) from error


@dataclass(frozen=True)
class Neural:
    """An ONNX model as a filler. Make it with ``Neural.load``.

    Attributes:
        path: the ONNX file.
        card: its card.
        threads: of one run; 0 = as many as there are cores.
    """

    path: Path
    card: Card
    threads: int = 0
    session: Any = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The card's name."""
        return self.card.name

    @property
    def capabilities(self) -> Capabilities:
        """What the card says."""
        return Capabilities(
            reach_px=self.card.reach_px,
            makes_texture=True,
            cost_us_per_px=2.0,
            context_px=64,
            context_radii=2.0,
            size_multiple=self.card.size_multiple,
            window_px=self.card.window_px,
        )

    @staticmethod
    def load(path: Path, *, threads: int = 0) -> Neural:
        """Open a model file and check it against its card and the contract.

        Raises:
            ModelError: missing, damaged, another SHA-256 than the card's, or other inputs and outputs.
        """
        import onnxruntime as ort

        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(
                f"the model {path} cannot be read ({error.strerror}): give the path of an .onnx file"
            ) from error
        card = Card.beside(path)
        if card.sha256 is not None and hashlib.sha256(content).hexdigest() != card.sha256.lower():
            raise ModelError(
                f"the model {path.name} is not the file that its card describes (SHA-256 differs): "
                "fetch it again"
            )
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = threads
        try:
            session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises a dozen classes of its own
            raise ModelError(
                f"the model {path.name} cannot be loaded ({str(error).splitlines()[0]}): "
                "it is damaged or no ONNX file"
            ) from error
        _check_interface(session, path)
        return Neural(path, card, threads, session)

    def fill(
        self, window: Float, hole: Bool, *, usable: Bool, prior: Float | None = None, seed: int = 0
    ) -> Filled:
        """Pad to the size multiple, run, crop. Pixels that may not be read count as hole for the net.

        Raises:
            ModelError: the run fails, or its output has another shape or is not finite.
        """
        known = usable & ~hole
        height, width = hole.shape
        multiple = self.card.size_multiple
        pad = ((0, -height % multiple), (0, -width % multiple))
        feed = {
            "image": _planes(np.where(known[..., None], window, np.float32(0)), pad),
            "hole": _planes((~known).astype(np.float32)[..., None], pad),
        }
        if any(entry.name == "prior" for entry in self.session.get_inputs()):
            base = prior if prior is not None else _flat_prior(window, known)
            feed["prior"] = _planes(base.astype(np.float32), pad)
        try:
            (filled,) = self.session.run(["filled"], feed)
        except Exception as error:  # as above
            raise ModelError(
                f"the model {self.path.name} failed on a {width}×{height} window "
                f"({str(error).splitlines()[0]}): use another method"
            ) from error
        if filled.shape != feed["image"].shape:
            raise ModelError(
                f"the model {self.path.name} answered {filled.shape} for {feed['image'].shape}: "
                "its output must have the image's shape"
            )
        pixels = np.ascontiguousarray(filled[0].transpose(1, 2, 0)[:height, :width])
        if not np.isfinite(pixels[hole]).all():
            raise ModelError(
                f"the model {self.path.name} answered numbers that are not finite: its weights are damaged"
            )
        return Filled(pixels)


def embedded() -> Neural:
    """The model that lies inside the package.

    Raises:
        ModelError: this build carries none.
    """
    model = WEIGHTS / "inpaint.onnx"
    if not model.is_file():
        raise ModelError("this build carries no inpainting model: give one with --method FILE.onnx")
    return Neural.load(model)


def _check_interface(session: Any, path: Path) -> None:
    """Refuse a model whose inputs and outputs are not the contract's."""
    inputs = {entry.name for entry in session.get_inputs()}
    outputs = {entry.name for entry in session.get_outputs()}
    if not (REQUIRED_INPUTS <= inputs <= KNOWN_INPUTS) or "filled" not in outputs:
        raise ModelError(
            f"the model {path.name} has inputs {sorted(inputs)} and outputs {sorted(outputs)}: "
            "expected image, hole (and prior) in, filled out"
        )


def _planes(window: Float, pad: tuple[tuple[int, int], tuple[int, int]]) -> Float:
    """(h, w, C) to (1, C, H, W), padded at the lower right by mirroring."""
    (top, bottom), (left, right) = pad
    if bottom or right:
        # BORDER_REFLECT repeats as often as needed, so windows smaller than the padding work too.
        padded = cv2.copyMakeBorder(window, top, bottom, left, right, cv2.BORDER_REFLECT)
        window = np.asarray(padded, np.float32).reshape(*padded.shape[:2], -1)
    return np.ascontiguousarray(window.transpose(2, 0, 1)[None])


def _flat_prior(window: Float, known: Bool) -> Float:
    """The mean of the known pixels: the prior of who has none."""
    mean = window[known].mean(axis=0) if known.any() else np.full(3, 0.5, np.float32)
    return np.where(known[..., None], window, mean.astype(np.float32))
