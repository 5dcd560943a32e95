"""Weighing signs: a small network that turns what was measured into a score.

A few dozen hidden units, fitted elsewhere; the numbers stand in a table. It judges pieces of what the finder
saw (the card of ``damage.onnx``) and how soft a picture is (``softness.json``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from remend.picture import Float

__all__ = ["Perceptron", "perceptron_from"]

CLIP = 5.0  # deviations: beyond, a sign says no more


@dataclass(frozen=True, slots=True)
class Perceptron:
    """A multilayer perceptron over standardised signs.

    Attributes:
        signs: their names, in order.
        mean: (signs,) subtracted from them.
        deviation: (signs,) they are divided by.
        layers: (weight (n_in, n_out), bias (n_out,)) each; ReLU between, nothing at the end.
    """

    signs: tuple[str, ...]
    mean: Float
    deviation: Float
    layers: tuple[tuple[Float, Float], ...]

    def __call__(self, signs: Float) -> Float:
        """(n,) float32 scores for (n, signs) float32."""
        values = np.clip((signs - self.mean) / self.deviation, -CLIP, CLIP)
        for weight, bias in self.layers[:-1]:
            values = np.maximum(values @ weight + bias, 0)
        weight, bias = self.layers[-1]
        return np.asarray((values @ weight + bias)[:, 0], np.float32)

    def chance(self, signs: Float) -> Float:
        """(n,) float32 in [0, 1]: the logistic function of the scores."""
        return np.asarray(1 / (1 + np.exp(-np.clip(self(signs), -30, 30))), np.float32)


def perceptron_from(table: Mapping[str, Any]) -> Perceptron:
    """What a table holds: ``signs``, ``mean``, ``deviation``, ``layers``."""
    layers = tuple(
        (np.asarray(layer["weight"], np.float32), np.asarray(layer["bias"], np.float32))
        for layer in table["layers"]
    )
    return Perceptron(
        tuple(table["signs"]),
        np.asarray(table["mean"], np.float32),
        np.asarray(table["deviation"], np.float32),
        layers,
    )
