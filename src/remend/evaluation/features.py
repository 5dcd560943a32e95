"""Judges beside the plain metrics: distances and feature vectors of a net in an ONNX file, or vectors made
elsewhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from remend.errors import EvaluationError, ModelError
from remend.evaluation.distributions import fid, ids, kid
from remend.metrics import checked
from remend.picture import Bool
from remend.runtime import open_plain_session

__all__ = [
    "FeatureArrays",
    "FeatureNet",
    "Map",
    "OnnxDistance",
    "OnnxFeatures",
    "PictureMetric",
    "figures",
    "maps_apart",
]

Image = NDArray[np.uint8]
Vector = NDArray[np.float32]
Map = NDArray[np.float32]  # (C, h, w)


class PictureMetric(Protocol):
    """A metric of one filled picture, beyond the plain ones.

    Attributes:
        names: what ``measure`` answers.
        rules: how each is defined, the files' SHA-256 included; they become part of the protocol.
    """

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def rules(self) -> Mapping[str, str]: ...  # noqa: D102

    def measure(self, output: Image, target: Image, hole: Bool) -> dict[str, float]: ...  # noqa: D102


class FeatureNet(Protocol):
    """What turns a picture into a vector, the same one whatever else is asked.

    Attributes:
        name: what figures made with it carry.
        rules: as of ``PictureMetric``.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def rules(self) -> Mapping[str, str]: ...  # noqa: D102

    def features(self, image: Image) -> Vector: ...  # noqa: D102


class _Net:
    """A net in an ONNX file, called after the file's stem.

    One input (N, 3, H, W), RGB: float32 in [0, 1] or uint8; normalisation belongs into the graph. Where
    H and W are fixed, pictures are resized to it, bicubic with antialiasing, each channel in float, as
    clean-fid does.

    Attributes:
        maps: how many maps (N, C, h, w) it answers.
        source: what file it is, for rules.

    Raises:
        ModelError: the file is missing, no ONNX, or has other inputs.
    """

    def __init__(self, path: Path) -> None:
        try:
            content = path.read_bytes()
            self._session: Any = open_plain_session(content)
        except Exception as error:  # ONNX Runtime's errors have no common base
            reason = str(error).splitlines()[0]
            raise ModelError(f"{path} cannot be loaded as a feature net ({reason})") from error
        inputs = self._session.get_inputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        kinds = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}
        if len(shape) != 4 or shape[1] != 3 or inputs[0].type not in kinds:
            raise ModelError(
                f"{path} takes {[(i.name, i.type, i.shape) for i in inputs]}: a feature net takes one "
                "(N, 3, H, W) of RGB, float32 in [0, 1] or uint8"
            )
        self._input, self._kind = inputs[0].name, kinds[inputs[0].type]
        self._size = (shape[3], shape[2]) if isinstance(shape[2], int) and isinstance(shape[3], int) else None
        self.maps = sum(len(output.shape) == 4 for output in self._session.get_outputs())
        self.name = re.sub(r"\W+", "_", path.stem.lower())
        size = "bicubic to {}x{}".format(*self._size) if self._size else "at the picture's size"
        self.source = f"ONNX {path.stem}, {size}; sha256 {hashlib.sha256(content).hexdigest()}"

    def answers(self, image: Image) -> list[NDArray[np.float32]]:
        """All that it answers to a (H, W, 3) uint8 picture.

        Raises:
            EvaluationError: it does not take a picture of that size.
        """
        planes = [image[:, :, c] for c in range(3)]
        if self._size is not None and self._size != (image.shape[1], image.shape[0]):
            planes = [_resized(plane, self._size) for plane in planes]
        batch = np.stack(planes)[None]
        if self._kind is np.float32:
            batch = np.clip(batch.astype(np.float32) / 255, 0, 1)
        else:
            batch = np.clip(np.rint(batch), 0, 255).astype(np.uint8)
        try:
            found = self._session.run(None, {self._input: batch})
        except Exception as error:  # as above
            size = f"{image.shape[1]}×{image.shape[0]}"
            reason = str(error).splitlines()[0]
            raise EvaluationError(f"the feature net {self.name} fails on {size}: {reason}") from error
        return [np.asarray(answer, np.float32) for answer in found]


class OnnxFeatures(_Net):
    """A feature net in an ONNX file, such as the usual Inception: vectors of pictures. A ``FeatureNet``.

    The first output is flattened, and averaged over positions if it is a map. See ``_Net`` for the input.

    Raises:
        ModelError: the file is missing, no ONNX, or has other inputs.

    Cost: one run a picture, one picture at a time, so that no batch can matter.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rules = {f"features_{self.name}": self.source}

    def features(self, image: Image) -> Vector:
        """(D,) float32 of a (H, W, 3) uint8 picture.

        Raises:
            EvaluationError: the net does not take a picture of that size, or answers no vector.
        """
        answer = self.answers(image)[0]
        if answer.ndim not in (2, 4) or answer.shape[0] != 1:
            raise EvaluationError(f"{self.name} answers {answer.shape}, expected (N, D) or (N, D, h, w)")
        return answer[0] if answer.ndim == 2 else np.asarray(answer[0].mean(axis=(1, 2)))


class OnnxDistance(_Net):
    """PD as another net sees it: one that answers several maps (N, C, h, w). A ``PictureMetric``.

    When to use it: beside PD, whose SqueezeNet may also have been a net's loss or critic. When not: to
    compare with figures of another net; the metric carries the file's name.

    Args:
        path: an ONNX file; see ``_Net`` for its input. Each map counts alike.

    Raises:
        ModelError: the file is missing, no ONNX, has other inputs, or answers no maps.

    Cost: two runs; the truth's is kept for the next method.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if not self.maps:
            raise ModelError(f"{path} answers no map (N, C, h, w): a distance needs some")
        self.names: tuple[str, ...] = (f"pd_{self.name}",)
        self.rules = {
            self.names[0]: "maps unit over channels, squared difference weighted by the area-averaged hole, "
            f"mean of {self.maps} maps; {self.source}"
        }
        self._truth: tuple[Image, list[Map]] | None = None

    def measure(self, output: Image, target: Image, hole: Bool) -> dict[str, float]:
        """``{"pd_…": …}`` of (H, W, 3) uint8 pictures; NaN without a hole.

        Raises:
            EvaluationError: shapes or types differ, or the net does not take a picture of that size.
        """
        checked(output, target, hole)
        if not hole.any():
            return {self.names[0]: float("nan")}
        if self._truth is None or self._truth[0] is not target:
            self._truth = (target, self._unit_maps(target))
        return {self.names[0]: maps_apart(self._unit_maps(output), self._truth[1], hole)}

    def _unit_maps(self, image: Image) -> list[Map]:
        maps = [answer[0] for answer in self.answers(image) if answer.ndim == 4]
        return [one / (np.linalg.norm(one, axis=0, keepdims=True) + np.float32(1e-10)) for one in maps]


def maps_apart(one: Sequence[Map], other: Sequence[Map], hole: Bool) -> float:
    """The mean over maps (C, h, w) of their squared difference, weighed by the hole's share of each position.

    Reference: of the kind of Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual
    Metric", CVPR 2018, without learned weights.
    """
    weight = hole.astype(np.float64)
    distances = []
    for a, b in zip(one, other, strict=True):
        difference = np.square(a - b).sum(axis=0).astype(np.float64)
        there = cv2.resize(weight, difference.shape[::-1], interpolation=cv2.INTER_AREA)
        distances.append(float((difference * there).sum() / there.sum()))
    return float(np.mean(distances))


class FeatureArrays:
    """Vectors made elsewhere: a folder with ``truth.npy`` and one ``METHOD.npy`` a method.

    Each is (N, D), a row a pair, in the order of the pairs' names.

    Raises:
        EvaluationError: no such folder, a file is missing, or no (N, D) array of numbers.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._truth = self._load("truth")
        self.name = re.sub(r"\W+", "_", folder.resolve().name.lower())
        digest = hashlib.sha256(np.ascontiguousarray(self._truth, np.float64).tobytes()).hexdigest()
        self.rules = {f"features_{self.name}": f"given as arrays; those of the truth sha256 {digest}"}

    def rows(self, methods: Sequence[str], pairs: int) -> dict[str, NDArray[np.floating]]:
        """Of the truth, under "", and of each method.

        Raises:
            EvaluationError: a file is missing, or has not a row for each of ``pairs``.
        """
        arrays = {"": self._truth, **{method: self._load(method) for method in methods}}
        for label, rows in arrays.items():
            if len(rows) != pairs:
                file = f"{label or 'truth'}.npy"
                raise EvaluationError(f"{self.folder / file} has {len(rows)} rows for {pairs} pairs")
        return arrays

    def _load(self, name: str) -> NDArray[np.floating]:
        path = self.folder / f"{name}.npy"
        try:
            rows = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise EvaluationError(
                f"{path} cannot be read: give one (N, D) array a method ({error})"
            ) from error
        if rows.ndim != 2 or not np.issubdtype(rows.dtype, np.floating):
            raise EvaluationError(f"{path} is {rows.dtype} {rows.shape}: expected floats (N, D)")
        return np.asarray(rows)


def figures(name: str, real: NDArray[np.floating], fake: NDArray[np.floating]) -> dict[str, float]:
    """FID, KID, P-IDS and U-IDS under names that end in the features' name; NaN below two pictures.

    Raises:
        EvaluationError: shapes that do not fit, or features that are not finite.
    """
    if len(real) < 2:
        return dict.fromkeys((f"{kind}_{name}" for kind in ("fid", "kid", "pids", "uids")), float("nan"))
    paired, unpaired = ids(real, fake)
    return {
        f"fid_{name}": fid(real, fake),
        f"kid_{name}": kid(real, fake),
        f"pids_{name}": paired,
        f"uids_{name}": unpaired,
    }


def _resized(plane: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    resized = PillowImage.fromarray(plane.astype(np.float32)).resize(size, PillowImage.Resampling.BICUBIC)
    return np.asarray(resized)
