"""Feature vectors of a whole evaluation, kept until FID and its kin can be computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from remend.evaluation.features import FeatureArrays, FeatureNet, figures

__all__ = ["Collected"]

Image = NDArray[np.uint8]
_TRUTH = ""


class Collected:
    """Vectors of truths and fillings by feature net, method and pair; 2 KB a picture and 512 features.

    Args:
        sources: nets, which are asked picture by picture, and arrays made elsewhere.
    """

    def __init__(self, sources: Sequence[FeatureNet | FeatureArrays]) -> None:
        self._nets = [source for source in sources if not isinstance(source, FeatureArrays)]
        self._arrays = [source for source in sources if isinstance(source, FeatureArrays)]
        self._pairs: list[str] = []
        self._rows: dict[tuple[str, str, str], NDArray[np.float32]] = {}

    def see_truth(self, pair: str, truth: Image) -> None:
        """Keep a truth's vectors.

        Raises:
            EvaluationError: a net does not take it.
        """
        vectors = [net.features(truth) for net in self._nets]
        self._pairs.append(pair)
        for net, vector in zip(self._nets, vectors, strict=True):
            self._rows[net.name, _TRUTH, pair] = vector

    def see(self, pair: str, method: str, picture: Image) -> None:
        """Keep a composed picture's vectors."""
        for net in self._nets:
            self._rows[net.name, method, pair] = net.features(picture)

    def figures(self, methods: Sequence[str], pairs: Sequence[str]) -> dict[str, dict[str, float]]:
        """By method and name, over ``pairs``; a method without an answer to one of them has none.

        Raises:
            EvaluationError: arrays that do not fit the pairs.
        """
        found: dict[str, dict[str, float]] = {}
        for net in self._nets:
            real = self._table(net.name, _TRUTH, pairs)
            for method in methods:
                if pairs and all((net.name, method, pair) in self._rows for pair in pairs):
                    fake = self._table(net.name, method, pairs)
                    found.setdefault(method, {}).update(figures(net.name, real, fake))
        for source in self._arrays:
            rows = source.rows(methods, len(self._pairs))
            kept = [self._pairs.index(pair) for pair in pairs]
            for method in methods:
                own = figures(source.name, rows[_TRUTH][kept], rows[method][kept])
                found.setdefault(method, {}).update(own)
        return found

    def _table(self, net: str, label: str, pairs: Sequence[str]) -> NDArray[np.float32]:
        rows = [self._rows[net, label, pair] for pair in pairs]
        return np.stack(rows) if rows else np.empty((0, 1), np.float32)
