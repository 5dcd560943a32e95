"""Weighing signs: a small network that turns what was measured on a piece into the chance that it is damage.

Two hidden layers of a few dozen units, fitted by ``benchmarks/fit_finder.py`` to generated damage on
photographs; the numbers and where they come from stand in ``judge.json``. With them a piece's score is a
probability, so thresholds and confidences mean the same for every kind of piece.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from remend.picture import Float

__all__ = ["Judge", "judge_of"]

PLACE = Path(__file__).with_name("judge.json")
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


@cache
def judge_of(kind: str) -> Judge:
    """The judge for ``lines`` or ``specks``, as shipped."""
    table = json.loads(PLACE.read_text(encoding="utf-8"))["judges"][kind]
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
