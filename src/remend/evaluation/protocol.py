"""What was measured on, frozen into a hash: two tables with one hash may be compared, others may not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from remend.picture import Bool

__all__ = ["RULES", "Fingerprint", "Protocol", "fingerprint"]

RULES: dict[str, object] = {
    "version": 1,
    "input": "hole erased to RGB 128",
    "output": "composed into the truth outside the hole",
    "psnr": "uint8 RGB, per picture, limit 100 dB",
    "ssim": "gaussian 11 px, sigma 1.5, population covariance, valid crop, mean of RGB",
    "l1": "share of the range",
    "sharp": "Sobel 3x3 of grey in the hole, output / truth",
}
"""How pictures are handed over and metrics are defined; a change here changes every hash."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One pair in the protocol.

    Attributes:
        name: of the pair.
        picture: SHA-256 of the truth's size and pixels.
        mask: SHA-256 of the effective mask's size and bits.
    """

    name: str
    picture: str
    mask: str


@dataclass(frozen=True, slots=True)
class Protocol:
    """The frozen protocol of an evaluation: its rules, every pair that was measured on, and the seed.

    Methods and quality are not part of it: they are what is compared.

    Attributes:
        pairs: in any order.
        learned: rules of learned metrics and feature nets, by name, with the SHA-256 of their files.
        seed: what the methods drew from.
    """

    pairs: tuple[Fingerprint, ...]
    learned: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0

    @property
    def rules(self) -> dict[str, object]:
        """``RULES`` and those of the learned metrics."""
        return {**RULES, **self.learned}

    @property
    def sha256(self) -> str:
        """Of the rules, the pairs sorted by name, and the seed where it is not 0."""
        content: dict[str, object] = {
            "rules": self.rules,
            "pairs": [asdict(pair) for pair in sorted(self.pairs, key=lambda p: p.name)],
        }
        if self.seed:  # left out when 0, so that hashes from before the seed counted stay what they are
            content["seed"] = self.seed
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def short(self) -> str:
        """The first 12 hex digits, shown with every table."""
        return self.sha256[:12]


def fingerprint(name: str, truth: NDArray[np.uint8], hole: Bool) -> Fingerprint:
    """The fingerprint of a pair as it was read: the same pixels in another file format are the same pair.

    Args:
        name: of the pair.
        truth: (H, W, 3) uint8.
        hole: (H, W) bool.

    Cost: one SHA-256 over the pixels, about 1 ns a byte.
    """
    size = f"{truth.shape[0]}x{truth.shape[1]}".encode()
    picture = hashlib.sha256(size + np.ascontiguousarray(truth).tobytes()).hexdigest()
    mask = hashlib.sha256(size + np.packbits(hole).tobytes()).hexdigest()
    return Fingerprint(name, picture, mask)
