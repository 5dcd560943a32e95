"""An ONNX file that keeps the contract, opened and checked; knows nothing of how it was trained.

The contract of a model file:

- input ``image``: (N, 3, H, W) float32 RGB in [0, 1]; what lies under the hole is 0 and means nothing,
  unless the card says ``sees_hole``: then it is what is to be made clean
- input ``hole``: (N, 1, H, W) float32, 1 = fill, 0 = known
- input ``prior``, optional: (N, 3, H, W) float32 coarse fill; negative = none
- input ``guide``, optional: (N, 1, H, W) float32 lines to follow, 1 = line; 0 everywhere = none
- input ``noise``, optional: (N, D) float32 standard normal, chooses one of several answers
- output ``filled``: (N, 3, H, W) float32, equal to ``image`` where ``hole`` is 0

Masking, base fill and composition are inside the graph. H and W are dynamic, multiples of the card's
``size_multiple``. A file of others that is known keeps it through `remend.fill.adapter`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from remend.errors import ModelError
from remend.fill.adapter import Adapter, adapter_of
from remend.fill.model_card import Card
from remend.fill.outside import MEMORY_VARIABLE, Budget, Outside
from remend.picture import Bool, Float
from remend.runtime import open_session

__all__ = ["ModelFile"]

_REQUIRED = {"image", "hole"}
_KNOWN = _REQUIRED | {"prior", "guide", "noise"}
_MOST_NOISE = 65_536


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A model ready to run. Make it with ``ModelFile.open``.

    Attributes:
        path: the ONNX file.
        card: its card.
        session: ONNX Runtime's, or what stands for it in a process of its own.
        takes_prior: whether it has the input ``prior``.
        takes_guide: whether it has the input ``guide``.
        noise_size: numbers of the input ``noise``; 0 = it has none.
        adapter: how a file is asked that keeps another contract; None = it keeps ours.
    """

    path: Path
    card: Card
    session: Any
    takes_prior: bool
    takes_guide: bool = False
    noise_size: int = 0
    adapter: Adapter | None = None

    @staticmethod
    def open(path: Path, *, threads: int = 0, trusted: bool = False) -> ModelFile:
        """Open a model file and check it against its card and the contract.

        Args:
            path: of the ONNX file; its card lies beside it with the same stem.
            threads: of one run; 0 = as many as OpenCV is set to, so that worker processes share the cores.
            trusted: run it in this process. Only for models of our own: any other gets a process with a
                budget of memory and time, see `remend.fill.outside`.

        Raises:
            ModelError: missing, damaged, another SHA-256 than the card's, other inputs and outputs, or over
                its budget.
        """
        budget = Budget.stated()
        content = _content(path, budget.memory_bytes // 3)
        card = Card.beside(path)
        if card.sha256 is not None and hashlib.sha256(content).hexdigest() != card.sha256.lower():
            raise ModelError(
                f"the model {path.name} is not the file that its card describes (SHA-256 differs): "
                "fetch it again"
            )
        threads = threads or cv2.getNumThreads()
        session: Any
        if trusted:
            session = open_session(content, name=path.name, threads=threads)
        else:
            session = Outside(content, name=path.name, threads=threads, budget=budget)
        entries = session.get_inputs()
        inputs = {entry.name: entry.shape for entry in entries}
        outputs = [entry.name for entry in session.get_outputs()]
        if adapter := adapter_of({entry.name: (entry.shape, entry.type) for entry in entries}, outputs):
            return ModelFile(path, adapter.card(card), session, False, adapter=adapter)._measured()
        if not (_REQUIRED <= inputs.keys() <= _KNOWN) or "filled" not in outputs:
            raise ModelError(
                f"the model {path.name} has inputs {_listed(inputs)} and outputs {_listed(outputs)}: "
                "expected image, hole (and prior, guide, noise) in, filled out; or image and mask, as LaMa "
                "and MI-GAN are exported"
            )
        size = inputs["noise"][-1] if inputs.get("noise") else 0
        if type(size) is not int or not 0 <= size <= _MOST_NOISE:
            raise ModelError(
                f"the model {path.name} does not say how many numbers of noise it takes, or more than "
                f"{_MOST_NOISE:,}: export it with a fixed last axis of noise"
            )
        model = ModelFile(path, card, session, "prior" in inputs, "guide" in inputs, size)
        if isinstance(session, Outside):
            session.probe(model._feed(*_probe(card.size_multiple)))
        return model

    @property
    def notes(self) -> tuple[str, ...]:
        """What its user should know: that nothing says whether it is the file its maker gave."""
        if self.card.sha256 is not None:
            return ()
        return (
            f"the model {self.path.name} has no SHA-256 in a card: whether it is unchanged was not checked",
        )

    def run(
        self,
        window: Float,
        known: Bool,
        prior: Float | None = None,
        *,
        guide: Float | None = None,
        seed: int = 0,
    ) -> Float:
        """Fill a window: padded to the size multiple by mirroring, run, cropped.

        Args:
            window: (h, w, 3) float32; what is not known is not read, unless the card says ``sees_hole``.
            known: (h, w) bool.
            prior: (h, w, 3) float32 in [0, 1], or None.
            guide: (h, w) float32 in [0, 1], lines to follow, 1 = line; None = no lines. Models that take none
                do not read it.
            seed: of the noise; the same seed gives the same answer. Without noise it changes nothing.

        Returns:
            (h, w, 3) float32.

        Raises:
            ModelError: the run fails, or its answer has another shape or is not finite.
        """
        height, width = known.shape
        feed: dict[str, Any] = self._feed(window, known, prior, guide=guide, seed=seed)
        if self.adapter is not None:
            feed = self.adapter.feed(feed)
        try:
            (filled,) = self.session.run([self.adapter.output if self.adapter else "filled"], feed)
        except ModelError:
            raise
        except Exception as error:  # ONNX Runtime raises a dozen classes of its own
            raise ModelError(
                f"the model {self.path.name} failed on a {width}×{height} window "
                f"({_plain(str(error))}): use another method"
            ) from error
        if filled.shape != feed["image"].shape:
            raise ModelError(
                f"the model {self.path.name} answered {filled.shape} for {feed['image'].shape}: "
                "its output must have the image's shape"
            )
        if self.adapter is not None:
            pixels = self.adapter.pixels(filled, window, known)
        else:
            pixels = np.ascontiguousarray(filled[0].transpose(1, 2, 0)[:height, :width])
        if not np.isfinite(pixels[~known]).all():
            raise ModelError(
                f"the model {self.path.name} answered numbers that are not finite: its weights are damaged"
            )
        return pixels

    def _measured(self) -> ModelFile:
        """The same, with what its answer to a grey window shows of its range."""
        assert self.adapter is not None
        feed = self.adapter.feed(self._feed(*_probe(self.card.size_multiple)))
        try:
            if isinstance(self.session, Outside):
                answer = self.session.probe(feed, self.adapter.output)
            else:
                (answer,) = self.session.run([self.adapter.output], feed)
        except ModelError:
            raise
        except Exception as error:  # ONNX Runtime raises a dozen classes of its own
            answer = str(error)
        if isinstance(answer, str):
            raise ModelError(
                f"the model {self.path.name}, taken for {self.adapter.summary}, failed on a grey window "
                f"({_plain(answer)}): it is another one"
            )
        return replace(self, adapter=self.adapter.measured(answer))

    def _feed(
        self,
        window: Float,
        known: Bool,
        prior: Float | None = None,
        *,
        guide: Float | None = None,
        seed: int = 0,
    ) -> dict[str, Float]:
        """The inputs of a run: padded to the size multiple, nothing under the hole that is not to be read."""
        height, width = known.shape
        multiple = self.card.size_multiple
        pad = (-height % multiple, -width % multiple)
        shown = window if self.card.sees_hole else np.where(known[..., None], window, np.float32(0))
        feed = {
            "image": _planes(shown, pad),
            "hole": _planes((~known).astype(np.float32)[..., None], pad),
        }
        if self.takes_prior:
            base = np.full_like(window, -1) if prior is None else np.clip(prior, 0, 1)
            feed["prior"] = _planes(base.astype(np.float32), pad)
        if self.takes_guide:
            lines = np.zeros(known.shape, np.float32) if guide is None else guide.astype(np.float32)
            feed["guide"] = _planes(lines[..., None], pad)
        if self.noise_size:
            feed["noise"] = np.random.default_rng(seed).standard_normal((1, self.noise_size), np.float32)
        return feed


def _content(path: Path, most: int) -> bytes:
    """The file's bytes.

    Raises:
        ModelError: no regular file, larger than ``most``, or not to be read.
    """
    try:
        if path.exists() and not path.is_file():
            raise ModelError(f"the model {path} is no file: give the path of an .onnx file")
        if path.stat().st_size > most:
            raise ModelError(
                f"the model {path.name} has {path.stat().st_size / 2**20:,.0f} MiB, more than a third of "
                f"its memory budget: set {MEMORY_VARIABLE} to three times its size and more"
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or error
        raise ModelError(
            f"the model {path} cannot be read ({reason}): give the path of an .onnx file"
        ) from error


def _probe(multiple: int) -> tuple[Float, Bool]:
    """A small grey window with a hole."""
    side = max(64, multiple)
    known = np.ones((side, side), np.bool_)
    known[side // 4 : side // 2, side // 4 : side // 2] = False
    return np.full((side, side, 3), 0.5, np.float32), known


def _listed(names: Iterable[str]) -> str:
    return _plain(", ".join(sorted(names)) or "none")


def _plain(text: str) -> str:
    """A model's own words as a part of one line."""
    line = "".join(c if c.isprintable() else "?" for c in text.partition("\n")[0])
    return line if len(line) <= 200 else line[:200] + "…"


def _planes(window: Float, pad: tuple[int, int]) -> Float:
    """(h, w, C) to (1, C, H, W), padded at the lower right by mirroring."""
    bottom, right = pad
    if bottom or right:
        # BORDER_REFLECT repeats as often as needed, so windows smaller than the padding work too.
        padded = cv2.copyMakeBorder(window, 0, bottom, 0, right, cv2.BORDER_REFLECT)
        window = np.asarray(padded, np.float32).reshape(*padded.shape[:2], -1)
    return np.ascontiguousarray(window.transpose(2, 0, 1)[None])
