"""Weighing signs: a small network that turns what was measured on a piece into the chance that it is damage.

Two hidden layers of a few dozen units, fitted when the finder's net is exported; the numbers stand in its
card. With them a piece's score is a probability: thresholds and confidences mean the same for every kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from remend.picture import Float

__all__ = ["Judge", "judge_from"]

CLIP = 5.0  # deviations: beyond, a sign says no more


@dataclass(frozen=True, slots=True)
class Judge:
    """A multilayer perceptron over standardised signs.

    Attributes:
        signs: their names, in order.
        mean: (signs,) subtracted from them.
        deviation: (signs,) they are divided by.
        layers: (weight (n_in, n_out), bias (n_out,)) each; ReLU between, logistic at the end.
    """

    signs: tuple[str, ...]
    mean: Float
    deviation: Float
    layers: tuple[tuple[Float, Float], ...]

    def __call__(self, signs: Float) -> Float:
        """(pieces,) float32 in [0, 1] for (pieces, signs) float32."""
        values = np.clip((signs - self.mean) / self.deviation, -CLIP, CLIP)
        for weight, bias in self.layers[:-1]:
            values = np.maximum(values @ weight + bias, 0)
        weight, bias = self.layers[-1]
        score = np.clip((values @ weight + bias)[:, 0], -30, 30)
        return np.asarray(1 / (1 + np.exp(-score)), np.float32)


def judge_from(table: Mapping[str, Any]) -> Judge:
    """A judge of the numbers that a card holds: ``signs``, ``mean``, ``deviation``, ``layers``."""
    layers = tuple(
        (np.asarray(layer["weight"], np.float32), np.asarray(layer["bias"], np.float32))
        for layer in table["layers"]
    )
    return Judge(
        tuple(table["signs"]),
        np.asarray(table["mean"], np.float32),
        np.asarray(table["deviation"], np.float32),
        layers,
    )
